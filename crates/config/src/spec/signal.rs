//! Signals by name.

/// Asks a program to end, as Ctrl-C does.
pub const SIGINT: i32 = 2;

/// The signals of Linux that end a program or talk to it, by name. Those a process cannot be asked to leave by, such as
/// SIGSTOP, are not among them.
const SIGNALS: [(&str, i32); 13] = [
    ("SIGHUP", 1),
    ("SIGINT", SIGINT),
    ("SIGQUIT", 3),
    ("SIGABRT", 6),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
];

/// The names of all of them, such as `SIGTERM`.
pub fn signal_names() -> impl Iterator<Item = &'static str> {
    SIGNALS.iter().map(|(name, _)| *name)
}

/// The number of a signal by its full name.
#[must_use]
pub fn signal_number(name: &str) -> Option<i32> {
    let known = SIGNALS.iter().find(|(known, _)| *known == name);
    known.map(|(_, number)| *number)
}

/// The full name of a signal by its number; `None` for those without a name of their own, such as the real-time ones.
#[must_use]
pub fn signal_name(number: i32) -> Option<&'static str> {
    let known = SIGNALS.iter().find(|(_, known)| *known == number);
    known.map(|(name, _)| *name)
}

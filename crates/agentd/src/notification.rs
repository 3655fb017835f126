//! What an app says through `NOTIFY_SOCKET`: the assignments of `sd_notify(3)` that mean something here. Pure.

/// The longest status that is kept, bytes.
const LONGEST_STATUS: usize = 1024;

/// One datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// `READY=1`: it is up.
    pub is_ready: bool,
    /// `WATCHDOG=1`: it is alive.
    pub is_alive: bool,
    /// `STOPPING=1`: it ends by its own wish.
    pub is_stopping: bool,
    /// `STATUS=…`: what it is doing, for people.
    pub status: Option<String>,
}

impl Notification {
    /// Understands one datagram. What is unknown, `MAINPID` among it, is passed over: the keeper knows who the app is.
    #[must_use]
    pub fn parse(datagram: &[u8]) -> Self {
        let mut notification = Self::default();
        for line in datagram.split(|byte| *byte == b'\n') {
            match line {
                b"READY=1" => notification.is_ready = true,
                b"WATCHDOG=1" => notification.is_alive = true,
                b"STOPPING=1" => notification.is_stopping = true,
                _ => {
                    if let Some(status) = line.strip_prefix(b"STATUS=") {
                        notification.status = Some(text(status));
                    }
                }
            }
        }
        notification
    }
}

/// Text for one line of a terminal, cut where it is too long.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..LONGEST_STATUS).unwrap_or(bytes);
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_datagram_may_say_several_things() {
        let notification =
            Notification::parse(b"READY=1\nSTATUS=Serving 3\x1b requests\nMAINPID=7\nX");
        assert!(notification.is_ready && !notification.is_alive && !notification.is_stopping);
        assert_eq!(notification.status.as_deref(), Some("Serving 3  requests"));
    }

    #[test]
    fn only_the_exact_words_count() {
        assert_eq!(
            Notification::parse(b"READY=0\nWATCHDOG=trigger\nready=1"),
            Notification::default()
        );
        assert!(Notification::parse(b"WATCHDOG=1").is_alive);
        assert!(Notification::parse(b"STOPPING=1\n").is_stopping);
    }

    proptest! {
        #[test]
        fn junk_is_no_panic_and_no_long_status(junk: Vec<u8>) {
            let mut bytes = b"STATUS=".to_vec();
            bytes.extend(junk.repeat(100));
            let status = Notification::parse(&bytes).status.unwrap_or_default();
            // A byte that is no text becomes a sign of three.
            prop_assert!(status.len() <= 3 * LONGEST_STATUS);
        }
    }
}

//! What a person types, or a pipe brings, for an app.
//!
//! ```text
//!   terminal: a line at Enter (edited and echoed by the terminal itself), Ctrl-] at once, Ctrl-D
//!   pipe:     bytes as they come, then the end
//! ```
//!
//! A thread of its own reads: a read cannot be called back, and the command must be able to end while one waits.

use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;

use nix::sys::termios::{SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// Ctrl-].
const DETACH: u8 = 0x1d;
/// Bytes of one read.
const READ: usize = 8 << 10;

/// Where what is typed comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A person at a terminal.
    Terminal,
    /// A pipe, or a file.
    Pipe,
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// This.
    Bytes(Vec<u8>),
    /// That it is enough: Ctrl-], or Ctrl-D.
    Detach,
    /// Nothing more will come: the pipe is at its end.
    End,
}

/// A keyboard that is read.
pub(crate) struct Keyboard {
    pub(crate) origin: Origin,
    /// What is typed; closed when nothing more will come.
    pub(crate) typed: mpsc::Receiver<Typed>,
    /// The terminal as it was.
    before: Option<Termios>,
}

/// Reads the standard input from now on.
pub(crate) fn read() -> Keyboard {
    let (tell, typed) = mpsc::channel(8);
    let input = io::stdin();
    let origin = if input.is_terminal() {
        Origin::Terminal
    } else {
        Origin::Pipe
    };
    let before = match origin {
        Origin::Terminal => end_lines_at_detach(),
        Origin::Pipe => None,
    };
    std::thread::spawn(move || {
        let mut input = input.lock();
        let mut bytes = [0; READ];
        loop {
            let read = match input.read(&mut bytes) {
                Ok(read) => bytes.get(..read).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => &[],
            };
            for part in parts(read, origin) {
                let is_last = part == Typed::End || part == Typed::Detach;
                if tell.blocking_send(part).is_err() || is_last {
                    return;
                }
            }
        }
    });
    Keyboard {
        origin,
        typed,
        before,
    }
}

/// What one read means. A person detaches by Ctrl-], with whatever stands before it on the line given up.
fn parts(read: &[u8], origin: Origin) -> Vec<Typed> {
    match (origin, read) {
        (Origin::Terminal, []) => vec![Typed::Detach],
        (Origin::Terminal, read) if read.contains(&DETACH) => vec![Typed::Detach],
        (Origin::Pipe, []) => vec![Typed::End],
        (Origin::Terminal | Origin::Pipe, read) => vec![Typed::Bytes(read.to_vec())],
    }
}

/// Has the terminal hand Ctrl-] over as it is typed; all else stays as people know it.
fn end_lines_at_detach() -> Option<Termios> {
    let before = tcgetattr(io::stdin().as_fd()).ok()?;
    let mut attached = before.clone();
    if let Some(end) = attached
        .control_chars
        .get_mut(SpecialCharacterIndices::VEOL as usize)
    {
        *end = DETACH;
    }
    tcsetattr(io::stdin().as_fd(), SetArg::TCSANOW, &attached).ok()?;
    Some(before)
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // A terminal that is gone needs no restoring.
            tcsetattr(io::stdin().as_fd(), SetArg::TCSANOW, before).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_leaves_by_a_key_and_a_pipe_by_its_end() {
        assert_eq!(parts(b"", Origin::Terminal), [Typed::Detach]);
        assert_eq!(parts(b"half a li\x1d", Origin::Terminal), [Typed::Detach]);
        assert_eq!(parts(b"", Origin::Pipe), [Typed::End]);
        let bytes = b"\x1d is data here".to_vec();
        assert_eq!(parts(&bytes, Origin::Pipe), [Typed::Bytes(bytes)]);
    }
}

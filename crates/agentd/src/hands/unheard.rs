//! What apps said and no agent has acted upon yet: pure.
//!
//! ```text
//!   app ──▶ keep: number 7 ──▶ agent ──▶ acted upon, on disk ──▶ Heard(7): let go
//!                   │             ✗ killed before that
//!                   └──▶ again, to the next agent
//! ```
//!
//! A socket takes what is sent to an agent that will not live to read it. What an app says once, such as that it is ready,
//! is kept until it is known to have had its effect.

use std::collections::VecDeque;

use eco_proto::keeper::v1::from_keeper::Message;

/// Bytes from which apps are read from no more until some of them were heard. One turn of reading may exceed it.
const MOST: usize = 1 << 20;

/// What a message costs besides its text, about.
const OVERHEAD: usize = 128;

/// Messages that are not known to be heard.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    messages: VecDeque<Kept>,
    /// Bytes of them.
    bytes: usize,
    /// Of the last one that was kept.
    number: u64,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    bytes: usize,
    message: Message,
}

impl Unheard {
    /// Keeps what `message` makes of the number that it is to have, and returns it.
    pub(super) fn keep(&mut self, bytes: usize, message: impl FnOnce(u64) -> Message) -> Message {
        self.number += 1;
        let number = self.number;
        let message = message(number);
        let bytes = bytes + OVERHEAD;
        self.bytes += bytes;
        self.messages.push_back(Kept {
            number,
            bytes,
            message: message.clone(),
        });
        message
    }

    /// Lets go of all up to `number`.
    pub(super) fn heard(&mut self, number: u64) {
        while let Some(kept) = self.messages.pop_front_if(|kept| kept.number <= number) {
            self.bytes -= kept.bytes;
        }
    }

    /// All that is left, in order.
    pub(super) fn again(&self) -> Vec<Message> {
        let messages = self.messages.iter();
        messages.map(|kept| kept.message.clone()).collect()
    }

    /// Whether apps have to wait.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes >= MOST
    }
}

#[cfg(test)]
mod tests {
    use eco_proto::keeper::v1::Said;

    use super::*;

    fn said(line: &[u8]) -> impl FnOnce(u64) -> Message {
        let line = line.to_vec();
        move |number| {
            Message::Said(Said {
                key: None,
                line,
                number,
            })
        }
    }

    fn numbers(unheard: &Unheard) -> Vec<u64> {
        let number = |message| {
            let Message::Said(said) = message else {
                panic!("{message:?} was not kept");
            };
            said.number
        };
        unheard.again().into_iter().map(number).collect()
    }

    #[test]
    fn what_was_not_heard_is_said_again_in_its_order_until_it_was() {
        let mut unheard = Unheard::default();
        for line in [b"a", b"b", b"c"] {
            unheard.keep(1, said(line));
        }
        assert_eq!(numbers(&unheard), [1, 2, 3]);
        unheard.heard(2);
        assert_eq!(numbers(&unheard), [3]);
        unheard.heard(1);
        unheard.keep(1, said(b"d"));
        assert_eq!(numbers(&unheard), [3, 4]);
        unheard.heard(9);
        assert!(numbers(&unheard).is_empty());
    }

    #[test]
    fn apps_wait_when_much_was_not_heard_and_no_longer() {
        let mut unheard = Unheard::default();
        assert!(!unheard.is_full());
        for _ in 0..8 {
            unheard.keep(MOST / 8, said(b"x"));
        }
        assert!(unheard.is_full());
        unheard.heard(1);
        assert!(!unheard.is_full());
        unheard.heard(8);
        assert_eq!(unheard.bytes, 0);
    }
}

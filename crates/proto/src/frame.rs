//! Frames of the keeper protocol: a little-endian u32 length, then one message.
//!
//! ```text
//! ┌────────┬───────────────┬────────┬──────────
//! │ length │ message       │ length │ message …
//! └────────┴───────────────┴────────┴──────────
//!  u32 LE   prost
//! ```
//!
//! No I/O lives here: the keeper reads and writes without blocking, who speaks with it does so with tokio, and all
//! hand their bytes to [`Frames`]. A frame that is too long or is no message ends the conversation, since
//! nothing behind it can be trusted.

use prost::Message;

/// The most bytes of one message.
pub const LONGEST: usize = 16 << 20;

/// Bytes of the length before a message.
const HEAD: usize = 4;

/// Above this a buffer that was needed once is given back when it is empty.
const KEPT_CAPACITY: usize = 64 << 10;

/// Why bytes are not frames.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// More than either side takes.
    #[error("pass a frame of {length} bytes: the most is {LONGEST}")]
    TooLong {
        /// What its head says.
        length: usize,
    },
    /// Not a message.
    #[error("understand a frame of {length} bytes")]
    Malformed {
        /// What its head says.
        length: usize,
        /// Why.
        #[source]
        source: prost::DecodeError,
    },
}

/// Appends `message` as one frame to `bytes`; leaves them as they were when it is too long.
pub fn append(message: &impl Message, bytes: &mut Vec<u8>) -> Result<(), FrameError> {
    let length = message.encoded_len();
    let head = u32::try_from(length)
        .ok()
        .filter(|_| length <= LONGEST)
        .ok_or(FrameError::TooLong { length })?;
    bytes.reserve(HEAD + length);
    bytes.extend_from_slice(&head.to_le_bytes());
    // A vector has room for what fits into memory.
    message
        .encode(bytes)
        .map_err(|_| FrameError::TooLong { length })
}

/// Bytes as they come in, and the messages that are complete in them.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Where the first frame that was not taken begins.
    taken: usize,
}

impl Frames {
    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the next message; `None` until it is complete.
    pub fn take<M: Message + Default>(&mut self) -> Result<Option<M>, FrameError> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some((head, rest)) = rest.split_first_chunk::<HEAD>() else {
            self.compact();
            return Ok(None);
        };
        let length = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(FrameError::TooLong { length });
        }
        let Some(message) = rest.get(..length) else {
            self.compact();
            return Ok(None);
        };
        let message =
            M::decode(message).map_err(|source| FrameError::Malformed { length, source })?;
        self.taken += HEAD + length;
        Ok(Some(message))
    }

    /// Forgets what was taken.
    fn compact(&mut self) {
        self.bytes.drain(..self.taken.min(self.bytes.len()));
        self.taken = 0;
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT_CAPACITY {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keeper::v1::{Moment, RunKey};

    fn moment(boot_ns: u64) -> Moment {
        Moment {
            boot_ns,
            unix_ns: 0,
        }
    }

    proptest! {
        #[test]
        fn messages_survive_any_cutting(
            names in proptest::collection::vec(".{0,40}", 0..20), cut in 1_usize..50
        ) {
            let keys: Vec<RunKey> = names
                .into_iter()
                .map(|app| RunKey { app, ..RunKey::default() })
                .collect();
            let mut bytes = Vec::new();
            for key in &keys {
                append(key, &mut bytes).expect("short");
            }
            let mut frames = Frames::default();
            let mut read = Vec::new();
            for piece in bytes.chunks(cut) {
                frames.push(piece);
                while let Some(key) = frames.take::<RunKey>().expect("sound") {
                    read.push(key);
                }
            }
            prop_assert_eq!(read, keys);
        }

        #[test]
        fn junk_is_refused_or_waited_for_and_never_a_panic(junk: Vec<u8>) {
            let mut frames = Frames::default();
            frames.push(&junk);
            while let Ok(Some(_)) = frames.take::<RunKey>() {}
        }
    }

    #[test]
    fn a_huge_length_is_refused_before_its_bytes_come() {
        let mut frames = Frames::default();
        frames.push(&u32::MAX.to_le_bytes());
        assert!(matches!(
            frames.take::<Moment>(),
            Err(FrameError::TooLong { .. })
        ));
    }

    #[test]
    fn a_message_too_long_leaves_the_bytes_alone() {
        let mut bytes = Vec::new();
        append(&moment(1), &mut bytes).expect("short");
        let before = bytes.clone();
        let key = RunKey {
            app: "x".repeat(LONGEST + 1),
            ..RunKey::default()
        };
        append(&key, &mut bytes).expect_err("too long");
        assert_eq!(bytes, before);
    }
}

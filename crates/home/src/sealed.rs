//! The beginning of a sealed segment, which is the same in every version: what it is, and which bytes of its stream it holds.
//!
//! ```text
//! "ecoseal"  version: u8  base: u64  end: u64  flushed: u64  changed: u64  0: u32  crc: u32          48 bytes
//! ```
//!
//! All numbers are little-endian; the crc (CRC-32) is of the 44 bytes before it. What comes behind the head is the log
//! daemon's, and described there. The head stands here because the keeper counts on from the end of the segment before its
//! own, which may have been sealed.

/// Bytes of the head.
pub const SIZE: usize = 48;

/// The version that is written.
pub const VERSION: u8 = 2;

const MAGIC: [u8; 7] = *b"ecoseal";
/// Where the crc stands.
const SUMMED: usize = SIZE - 4;

/// What a sealed segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of the format behind the head.
    pub version: u8,
    /// Offset of its first byte in the stream.
    pub base: u64,
    /// Offset behind its last byte.
    pub end: u64,
    /// The offset before which everything was flushed, as the segment's notes said; 0: nothing was.
    pub flushed: u64,
    /// When the segment last changed before it was sealed, unix ns.
    pub changed: u64,
}

impl Head {
    /// Its form in the file.
    #[must_use]
    pub fn encode(&self) -> [u8; SIZE] {
        let mut bytes = Vec::with_capacity(SIZE);
        bytes.extend_from_slice(&MAGIC);
        bytes.push(self.version);
        for number in [self.base, self.end, self.flushed, self.changed] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 4]);
        let sum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.try_into().unwrap_or([0; SIZE])
    }

    /// Reads one back; `None`: it is none, or damaged.
    #[must_use]
    pub fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let (summed, sum) = bytes.split_at(SUMMED);
        let is_sound = sum == crc32fast::hash(summed).to_le_bytes();
        let (&version, numbers) = summed.strip_prefix(&MAGIC)?.split_first()?;
        let (numbers, _) = numbers.as_chunks::<8>();
        let &[base, end, flushed, changed] = numbers else {
            return None;
        };
        let head = Self {
            version,
            base: u64::from_le_bytes(base),
            end: u64::from_le_bytes(end),
            flushed: u64::from_le_bytes(flushed),
            changed: u64::from_le_bytes(changed),
        };
        (is_sound && head.base <= head.end).then_some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head {
        version: VERSION,
        base: 64 << 20,
        end: 65 << 20,
        flushed: 7,
        changed: u64::MAX,
    };

    #[test]
    fn a_head_survives_the_file() {
        assert_eq!(Head::decode(&HEAD.encode()), Some(HEAD));
    }

    #[test]
    fn a_head_with_any_flipped_bit_is_none() {
        for bit in 0..SIZE * 8 {
            let mut bytes = HEAD.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&bytes), None, "{bit}");
        }
    }
}

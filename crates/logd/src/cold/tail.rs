//! The end of a sealed segment: where its index is.

use eco_home::sealed::{self, Head};

/// Bytes of the tail.
pub(super) const SIZE: usize = sealed::SIZE + 32;
const MAGIC: [u8; 8] = *b"ecotail1";

/// What stands at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) head: Head,
    /// Where the index is in the file.
    pub(super) index: u64,
    pub(super) blocks: u32,
    pub(super) index_sum: u32,
    /// The scale of the filter behind the index; 0: there is none.
    pub(super) scale: u32,
}

impl Tail {
    pub(super) fn encode(&self) -> [u8; SIZE] {
        let mut bytes = Vec::with_capacity(SIZE);
        bytes.extend_from_slice(&self.head.encode());
        bytes.extend_from_slice(&self.index.to_le_bytes());
        for number in [self.blocks, self.index_sum, self.scale] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let sum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.extend_from_slice(&MAGIC);
        bytes.try_into().unwrap_or([0; SIZE])
    }

    /// Reads one back; `None`: it is none, or damaged.
    pub(super) fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let (summed, sum) = bytes.strip_suffix(&MAGIC)?.split_last_chunk::<4>()?;
        if *sum != crc32fast::hash(summed).to_le_bytes() {
            return None;
        }
        let (head, rest) = summed.split_first_chunk::<{ sealed::SIZE }>()?;
        let (index, words) = rest.split_first_chunk::<8>()?;
        let &[blocks, index_sum, scale] = words.as_chunks::<4>().0 else {
            return None;
        };
        Some(Self {
            head: Head::decode(head)?,
            index: u64::from_le_bytes(*index),
            blocks: u32::from_le_bytes(blocks),
            index_sum: u32::from_le_bytes(index_sum),
            scale: u32::from_le_bytes(scale),
        })
    }
}

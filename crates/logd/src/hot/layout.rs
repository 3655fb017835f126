//! Where each segment lies in its stream: pure.

/// How a segment is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// As the keeper wrote it.
    Hot,
    /// Packed.
    Sealed,
}

/// The bytes of one segment, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The segment's number.
    pub number: u32,
    /// Offset of its first byte.
    pub base: u64,
    /// How many bytes it holds.
    pub length: u64,
    /// How it was kept when it was looked at.
    pub tier: Tier,
}

impl Extent {
    /// Offset behind its last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.base.saturating_add(self.length)
    }
}

/// A segment as found on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: u32,
    pub(super) length: u64,
    /// What the head of its times file says; `None` when there is none, or junk.
    pub(super) base: Option<u64>,
    pub(super) tier: Tier,
}

/// Gives every segment (ascending by number) its place. A head that would have it overlap the one before is not
/// believed, and a missing head is made up from its neighbours.
pub(super) fn place(found: &[Found]) -> Vec<Extent> {
    let mut extents: Vec<Extent> = Vec::with_capacity(found.len());
    for (index, segment) in found.iter().enumerate() {
        let before = extents.last().copied();
        let least = before.map_or(0, |before| before.end());
        let follows = match before {
            Some(before) => before.number.checked_add(1) == Some(segment.number),
            None => segment.number == 1,
        };
        let base = match segment.base {
            Some(base) => base.max(least),
            None if follows => least,
            None => behind(found.get(index..).unwrap_or_default())
                .unwrap_or(least)
                .max(least),
        };
        extents.push(Extent {
            number: segment.number,
            base,
            length: segment.length,
            tier: segment.tier,
        });
    }
    extents
}

/// Counts back from the next head that is there, if no segment is missing on the way.
fn behind(found: &[Found]) -> Option<u64> {
    let mut length = 0_u64;
    let mut expected = found.first()?.number;
    for segment in found {
        if segment.number != expected {
            return None;
        }
        if let Some(base) = segment.base {
            return base.checked_sub(length);
        }
        length = length.checked_add(segment.length)?;
        expected = expected.checked_add(1)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(found: &[(u32, u64, Option<u64>)]) -> Vec<u64> {
        let found: Vec<_> = found
            .iter()
            .map(|&(number, length, base)| Found {
                number,
                length,
                base,
                tier: Tier::Hot,
            })
            .collect();
        place(&found).iter().map(|extent| extent.base).collect()
    }

    #[test]
    fn heads_are_believed_where_they_can_be_true() {
        assert_eq!(bases(&[(1, 5, Some(0)), (2, 5, Some(5))]), [0, 5]);
        assert_eq!(bases(&[(3, 5, Some(100)), (5, 5, Some(200))]), [100, 200]);
    }

    #[test]
    fn a_head_that_overlaps_is_not_believed() {
        assert_eq!(bases(&[(1, 5, Some(0)), (2, 5, Some(3))]), [0, 5]);
    }

    #[test]
    fn a_missing_head_is_made_up_from_its_neighbours() {
        assert_eq!(bases(&[(1, 5, None), (2, 7, None)]), [0, 5]);
        assert_eq!(
            bases(&[(4, 5, None), (5, 5, None), (6, 5, Some(30))]),
            [20, 25, 30]
        );
        assert_eq!(bases(&[(4, 5, None)]), [0]);
        assert_eq!(bases(&[(4, 50, None), (5, 5, Some(30))]), [0, 50]);
    }

    #[test]
    fn absurd_heads_do_not_overflow() {
        assert_eq!(
            bases(&[(1, 5, Some(u64::MAX)), (2, 5, None)]),
            [u64::MAX, u64::MAX]
        );
    }
}

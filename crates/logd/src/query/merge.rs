//! Several lanes of items in order of time: pure.
//!
//! A lane keeps its own order whatever its times say; between lanes the earlier head goes first, and among equals the
//! lane that stands first. What is begun (a long line in pieces) is finished before another lane's turn, as far as the
//! lane has the rest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The next item of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head<T> {
    /// What it is ordered by.
    pub time: u64,
    /// Whether the lane's next item belongs to it.
    pub continues: bool,
    /// The item.
    pub item: T,
}

/// A source of items.
pub trait Lane {
    /// What comes.
    type Item;
    /// Why it cannot.
    type Error;

    /// A time before which it has nothing, if that is known without reading it: it is then not read before its turn.
    fn begins(&self) -> Option<u64>;

    /// Takes its next item; `None`: it has no more.
    fn advance(&mut self) -> Result<Option<Head<Self::Item>>, Self::Error>;
}

/// Hands all items of `lanes` to `pass`, in order.
pub fn merge<L, E>(
    lanes: &mut [L],
    mut pass: impl FnMut(&mut L, Head<L::Item>) -> Result<(), E>,
) -> Result<(), E>
where
    L: Lane,
    E: From<L::Error>,
{
    let mut waiting = Vec::with_capacity(lanes.len());
    let mut turns = Turns::default();
    for (order, lane) in lanes.iter_mut().enumerate() {
        let begins = lane.begins();
        let head = if begins.is_some() {
            None
        } else {
            lane.advance()?
        };
        let time = begins.or_else(|| head.as_ref().map(|head| head.time));
        waiting.push(head);
        if let Some(time) = time {
            turns.add(time, order);
        }
    }
    let mut turn = turns.next();
    while let Some(order) = turn {
        let (Some(lane), Some(place)) = (lanes.get_mut(order), waiting.get_mut(order)) else {
            break;
        };
        match place.take() {
            Some(head) => *place = pass_line(lane, head, &mut pass)?,
            // It had its turn by the bound; what its head is becomes known only now.
            None => *place = lane.advance()?,
        }
        turn = match place {
            Some(head) => Some(turns.exchange(head.time, order)),
            None => turns.next(),
        };
    }
    Ok(())
}

/// Passes `head` on with all that belongs to it, and returns what comes after.
fn pass_line<L, E>(
    lane: &mut L,
    mut head: Head<L::Item>,
    pass: &mut impl FnMut(&mut L, Head<L::Item>) -> Result<(), E>,
) -> Result<Option<Head<L::Item>>, E>
where
    L: Lane,
    E: From<L::Error>,
{
    loop {
        let continues = head.continues;
        pass(lane, head)?;
        match lane.advance()? {
            Some(next) if continues => head = next,
            next => return Ok(next),
        }
    }
}

/// Whose turn it is.
#[derive(Debug, Default)]
struct Turns {
    heap: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Turns {
    fn add(&mut self, time: u64, order: usize) {
        self.heap.push(Reverse((time, order)));
    }

    fn next(&mut self) -> Option<usize> {
        self.heap.pop().map(|Reverse((_, order))| order)
    }

    /// Adds a lane and returns whose turn is next; cheap where a lane goes on with itself.
    fn exchange(&mut self, time: u64, order: usize) -> usize {
        if let Some(mut top) = self.heap.peek_mut()
            && top.0 < (time, order)
        {
            let Reverse((_, first)) = std::mem::replace(&mut *top, Reverse((time, order)));
            return first;
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Items are (lane, index).
    struct Scripted {
        begins: Option<u64>,
        heads: VecDeque<Head<(usize, usize)>>,
    }

    impl Lane for Scripted {
        type Item = (usize, usize);
        type Error = Infallible;

        fn begins(&self) -> Option<u64> {
            self.begins
        }

        fn advance(&mut self) -> Result<Option<Head<(usize, usize)>>, Infallible> {
            Ok(self.heads.pop_front())
        }
    }

    /// Whether it is known when the lane begins; time and `continues` of each head.
    type Script = (bool, Vec<(u64, bool)>);

    fn scripted(lanes: &[Script]) -> Vec<Scripted> {
        let lane = |(order, (is_known, heads)): (usize, &Script)| Scripted {
            begins: is_known.then(|| heads.first().map_or(3, |head| head.0 / 2)),
            heads: heads
                .iter()
                .enumerate()
                .map(|(index, &(time, continues))| Head {
                    time,
                    continues,
                    item: (order, index),
                })
                .collect(),
        };
        lanes.iter().enumerate().map(lane).collect()
    }

    fn merged(lanes: &[Script]) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        merge(&mut scripted(lanes), |_, head| {
            out.push(head.item);
            Ok::<_, Infallible>(())
        })
        .expect("infallible");
        out
    }

    /// Times that only rise, none of the items in pieces.
    fn rising() -> impl Strategy<Value = Script> {
        (any::<bool>(), vec(0_u64..4, 0..20)).prop_map(|(is_known, steps)| {
            let mut time = 0;
            let heads = steps.into_iter().map(|step| {
                time += step;
                (time, false)
            });
            (is_known, heads.collect())
        })
    }

    proptest! {
        #[test]
        fn rising_lanes_merge_as_a_stable_sort_does(lanes in vec(rising(), 0..6)) {
            let mut model: Vec<_> = lanes
                .iter()
                .enumerate()
                .flat_map(|(order, (_, heads))| {
                    heads.iter().enumerate().map(move |(index, head)| (head.0, (order, index)))
                })
                .collect();
            model.sort_by_key(|(time, (order, _))| (*time, *order));
            let model: Vec<_> = model.into_iter().map(|(_, item)| item).collect();
            prop_assert_eq!(merged(&lanes), model);
        }

        #[test]
        fn whatever_the_times_all_items_come_once_and_each_lane_in_its_order(
            lanes in vec((any::<bool>(), vec((0_u64..50, any::<bool>()), 0..20)), 0..6)
        ) {
            let out = merged(&lanes);
            for (order, (_, heads)) in lanes.iter().enumerate() {
                let mine: Vec<_> = out.iter().filter(|item| item.0 == order).map(|item| item.1).collect();
                prop_assert_eq!(mine, (0..heads.len()).collect::<Vec<_>>());
            }
            prop_assert_eq!(out.len(), lanes.iter().map(|lane| lane.1.len()).sum::<usize>());
        }
    }

    #[test]
    fn what_is_begun_is_finished_first() {
        let lanes = [
            (true, vec![(1, true), (9, true), (9, false), (10, false)]),
            (false, vec![(2, false), (9, false)]),
        ];
        assert_eq!(
            merged(&lanes),
            [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (0, 3)]
        );
    }
}

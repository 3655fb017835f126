//! What goes so that the rest is within bounds: pure.
//!
//! 1. What is older than its app's age goes, of what grows too where all of it is.
//! 2. Of an app that has too much the oldest goes, segment by segment; then so of all apps, until the total is within its bound
//!    and the disk has the room back that it must have free.
//! 3. What grows keeps its end: of its beginning goes as much as is too much still, when nothing complete is left.

use std::collections::BTreeMap;

/// A segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Whose, by number.
    pub(super) app: usize,
    /// The room it takes, bytes.
    pub(super) room: u64,
    /// None of it came later, unix ns.
    pub(super) time: u64,
    /// Whether nothing comes to it any more.
    pub(super) is_complete: bool,
}

/// The bounds of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AppBounds {
    /// Bytes.
    pub(super) size: u64,
    /// What came before this goes, unix ns.
    pub(super) since: u64,
}

/// What goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// Segments, by index.
    pub(super) whole: Vec<usize>,
    /// Growing ones, by index, of which goes what is too old.
    pub(super) aged: Vec<usize>,
    /// Growing ones, by index, and how much of each.
    pub(super) beginnings: Vec<(usize, u64)>,
}

/// Chooses what goes of `items`: `total` bytes may stay, and `missing` bytes at least are to go.
pub(super) fn choose(items: &[Item], apps: &[AppBounds], total: u64, missing: u64) -> Choice {
    let mut order: Vec<(usize, &Item)> = items.iter().enumerate().collect();
    order.sort_by_key(|(index, item)| (item.time, *index));
    let all: u64 = order.iter().map(|(_, item)| item.room).sum();
    let mut left = Left::default();
    order.retain(|(index, item)| {
        let since = apps.get(item.app).map_or(0, |app| app.since);
        let is_too_old = item.time < since;
        if is_too_old && item.is_complete {
            left.choice.whole.push(*index);
        } else if is_too_old {
            left.choice.aged.push(*index);
        }
        !is_too_old
    });
    for (number, app) in apps.iter().enumerate() {
        let of_app = order.iter().filter(|(_, item)| item.app == number);
        left.shrink(of_app.copied(), app.size);
    }
    let total = total.min(all.saturating_sub(missing));
    left.shrink(order.iter().copied(), total);
    left.choice()
}

/// What was chosen so far.
#[derive(Default)]
struct Left {
    choice: Choice,
    beginnings: BTreeMap<usize, u64>,
}

impl Left {
    /// Has the oldest of `items`, which are in order, go until the rest takes no more than `most`.
    fn shrink<'a>(&mut self, items: impl Iterator<Item = (usize, &'a Item)>, most: u64) {
        let items: Vec<_> = items
            .filter(|(index, _)| !self.choice.whole.contains(index))
            .map(|(index, item)| {
                let gone = self.beginnings.get(&index).copied().unwrap_or(0);
                (index, item.room - gone, item.is_complete)
            })
            .collect();
        let sum: u64 = items.iter().map(|(_, room, _)| room).sum();
        let mut excess = sum.saturating_sub(most);
        for (index, room, _) in items.iter().filter(|(_, _, is_complete)| *is_complete) {
            if excess == 0 {
                return;
            }
            self.choice.whole.push(*index);
            excess = excess.saturating_sub(*room);
        }
        for (index, room, _) in items.iter().filter(|(_, _, is_complete)| !*is_complete) {
            let goes = excess.min(*room);
            if goes > 0 {
                *self.beginnings.entry(*index).or_default() += goes;
                excess -= goes;
            }
        }
    }

    fn choice(self) -> Choice {
        Choice {
            beginnings: self.beginnings.into_iter().collect(),
            ..self.choice
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const WIDE: AppBounds = AppBounds {
        size: u64::MAX,
        since: 0,
    };

    fn item(app: usize, room: u64, time: u64) -> Item {
        Item {
            app,
            room,
            time,
            is_complete: true,
        }
    }

    fn grows(app: usize, room: u64, time: u64) -> Item {
        Item {
            is_complete: false,
            ..item(app, room, time)
        }
    }

    #[test]
    fn within_bounds_nothing_goes() {
        let items = [item(0, 10, 1), grows(0, 5, 2)];
        assert_eq!(choose(&items, &[WIDE], 15, 0), Choice::default());
    }

    #[test]
    fn what_is_too_old_goes_and_of_what_grows_all_it_holds() {
        let items = [
            item(0, 10, 1),
            item(0, 10, 7),
            grows(0, 5, 1),
            grows(0, 5, 5),
        ];
        let app = AppBounds { since: 5, ..WIDE };
        let choice = choose(&items, &[app], 15, 0);
        assert_eq!((choice.whole, choice.aged), (vec![0], vec![2]));
        assert_eq!(choice.beginnings, []);
    }

    #[test]
    fn the_oldest_of_an_app_goes_and_another_app_keeps_older_ones() {
        let items = [
            item(1, 10, 1),
            item(0, 10, 3),
            item(0, 10, 2),
            grows(0, 5, 4),
        ];
        let app = AppBounds { size: 15, ..WIDE };
        let choice = choose(&items, &[app, WIDE], 100, 0);
        assert_eq!(choice.whole, [2]);
        assert_eq!(choice.beginnings, []);
    }

    #[test]
    fn the_oldest_of_all_apps_goes_until_the_disk_has_its_room() {
        let items = [item(1, 10, 1), item(0, 10, 2), item(1, 10, 3)];
        assert_eq!(choose(&items, &[WIDE, WIDE], 100, 11).whole, [0, 1]);
        assert_eq!(choose(&items, &[WIDE, WIDE], 20, 0).whole, [0]);
    }

    #[test]
    fn what_grows_loses_its_beginning_when_nothing_else_is_left() {
        let items = [item(0, 10, 1), grows(0, 30, 2)];
        let app = AppBounds { size: 20, ..WIDE };
        let choice = choose(&items, &[app], 100, 0);
        assert_eq!(choice.whole, [0]);
        assert_eq!(choice.beginnings, [(1, 10)]);
    }

    proptest! {
        #[test]
        fn what_stays_is_within_bounds_and_nothing_goes_in_vain(
            found in vec((0..3_usize, 1..100_u64, 0..20_u64, any::<bool>()), 0..30),
            size in 0..300_u64,
            total in 0..600_u64,
        ) {
            let items: Vec<_> = found
                .into_iter()
                .map(|(app, room, time, is_complete)| Item { app, room, time, is_complete })
                .collect();
            let apps = [AppBounds { size, since: 0 }; 3];
            let choice = choose(&items, &apps, total, 0);
            let mut rooms: Vec<_> = items.iter().map(|item| item.room).collect();
            for index in &choice.whole {
                prop_assert!(items[*index].is_complete);
                rooms[*index] = 0;
            }
            for (index, bytes) in &choice.beginnings {
                prop_assert!(!items[*index].is_complete);
                rooms[*index] -= bytes;
            }
            let of = |app: usize| -> u64 {
                let rooms = rooms.iter().zip(&items);
                rooms.filter(|(_, item)| item.app == app).map(|(room, _)| room).sum()
            };
            prop_assert!((0..3).all(|app| of(app) <= size));
            prop_assert!(rooms.iter().sum::<u64>() <= total);
            let needed = items.iter().map(|item| item.room).sum::<u64>() > total
                || (0..3).any(|app| {
                    let rooms = items.iter().filter(|item| item.app == app);
                    rooms.map(|item| item.room).sum::<u64>() > size
                });
            prop_assert_eq!(needed, choice != Choice::default());
        }
    }
}

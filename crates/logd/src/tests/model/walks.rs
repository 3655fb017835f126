//! Walks that went wrong once, and what they are about.

use super::faulty::{from, once};
use super::{Action, World};

fn walked(actions: &[Action]) {
    let mut world = World::new();
    for action in actions {
        world.act(action);
        world.settle();
        world.check();
    }
}

/// Takes a walk for each step that the disk may refuse, of the first `steps`.
fn walked_for_each(steps: usize, walk: impl Fn(usize) -> Vec<Action>) {
    for step in 0..steps {
        walked(&walk(step));
    }
}

/// A line that comes so much later than the one before.
fn line(later: u64) -> Action {
    Action::Append(b"complete\n".to_vec(), later)
}

#[test]
fn what_is_sealed_and_has_its_files_still_is_flushed_all_the_same() {
    walked_for_each(8, |step| {
        vec![
            line(0),
            Action::Rotate,
            Action::Seal(once(step)),
            Action::Flush(None),
            line(1),
            Action::Restart,
        ]
    });
}

#[test]
fn a_line_whose_beginning_a_follower_read_before_it_was_flushed_is_told_to_him_when_the_run_ends() {
    walked(&[
        Action::KillKeeper(b"begun".to_vec(), 0, 0),
        Action::Follow,
        Action::Flush(None),
        Action::Rotate,
        Action::End,
        Action::Follow,
    ]);
}

#[test]
fn what_could_not_be_deleted_goes_with_what_was_sealed_behind_it() {
    walked_for_each(12, |step| {
        vec![
            line(0),
            Action::Rotate,
            line(0),
            line(0),
            Action::DropOldest(1, once(step)),
            Action::Rotate,
            Action::Seal(None),
            Action::Flush(None),
        ]
    });
}

#[test]
fn who_follows_goes_on_behind_what_went_while_something_older_stayed() {
    walked_for_each(12, |step| {
        vec![
            line(0),
            Action::Follow,
            Action::Rotate,
            line(0),
            Action::Rotate,
            line(0),
            Action::DropOldest(1, once(step)),
            line(0),
            Action::Follow,
        ]
    });
}

#[test]
fn what_was_put_down_as_old_and_is_flushed_when_it_is_sealed_is_all_flushed() {
    walked_for_each(12, |step| {
        vec![
            line(0),
            Action::Rotate,
            line(0),
            Action::DropOldest(1, once(4)),
            Action::Rotate,
            Action::Seal(None),
            Action::Flush(once(step)),
        ]
    });
}

#[test]
fn what_is_punched_is_marked_where_it_is_also_when_another_mark_says_the_same() {
    walked_for_each(16, |step| {
        vec![
            line(0),
            Action::Rotate,
            line(0),
            Action::Rotate,
            line(0),
            Action::Rotate,
            Action::DropOldest(1, from(step)),
            Action::Drop(1, None),
            Action::Flush(None),
        ]
    });
}

#[test]
fn what_could_not_be_deleted_may_be_flushed_again() {
    walked_for_each(12, |step| {
        vec![
            line(0),
            Action::Rotate,
            line(0),
            Action::Rotate,
            Action::Seal(None),
            Action::Flush(once(step)),
            Action::Flush(None),
        ]
    });
}

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

#[test]
fn what_is_sealed_and_has_its_files_still_is_flushed_all_the_same() {
    let text = b"complete\n".to_vec();
    let written = [Action::Append(text.clone(), 0), Action::Rotate];
    for after in 0..8 {
        let rest = [
            Action::Seal(once(after)),
            Action::Flush(None),
            Action::Append(text.clone(), 1),
            Action::Restart,
        ];
        walked(&[&written[..], &rest].concat());
    }
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
    let text = b"complete\n".to_vec();
    for after in 0..12 {
        walked(&[
            Action::Append(text.clone(), 0),
            Action::Rotate,
            Action::Append(text.clone(), 0),
            Action::Append(text.clone(), 0),
            Action::DropOldest(1, once(after)),
            Action::Rotate,
            Action::Seal(None),
            Action::Flush(None),
        ]);
    }
}

#[test]
fn who_follows_goes_on_behind_what_went_while_something_older_stayed() {
    let text = b"complete\n".to_vec();
    for after in 0..12 {
        walked(&[
            Action::Append(text.clone(), 0),
            Action::Follow,
            Action::Rotate,
            Action::Append(text.clone(), 0),
            Action::Rotate,
            Action::Append(text.clone(), 0),
            Action::DropOldest(1, once(after)),
            Action::Append(text.clone(), 0),
            Action::Follow,
        ]);
    }
}

#[test]
fn what_was_put_down_as_old_and_is_flushed_when_it_is_sealed_is_all_flushed() {
    let text = b"complete\n".to_vec();
    for after in 0..12 {
        walked(&[
            Action::Append(text.clone(), 0),
            Action::Rotate,
            Action::Append(text.clone(), 0),
            Action::DropOldest(1, once(4)),
            Action::Rotate,
            Action::Seal(None),
            Action::Flush(once(after)),
        ]);
    }
}

#[test]
fn what_is_punched_is_marked_where_it_is_also_when_another_mark_says_the_same() {
    let text = b"complete\n".to_vec();
    for after in 0..16 {
        walked(&[
            Action::Append(text.clone(), 0),
            Action::Rotate,
            Action::Append(text.clone(), 0),
            Action::Rotate,
            Action::Append(text.clone(), 0),
            Action::Rotate,
            Action::DropOldest(1, from(after)),
            Action::Drop(1, None),
            Action::Flush(None),
        ]);
    }
}

#[test]
fn what_could_not_be_deleted_may_be_flushed_again() {
    let text = b"complete\n".to_vec();
    for after in 0..12 {
        walked(&[
            Action::Append(text.clone(), 0),
            Action::Rotate,
            Action::Append(text.clone(), 0),
            Action::Rotate,
            Action::Seal(None),
            Action::Flush(once(after)),
            Action::Flush(None),
        ]);
    }
}

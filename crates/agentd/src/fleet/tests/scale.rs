//! Another number of instances: who comes, who goes, and who is left alone.

use eco_config::spec::{AppName, Condition, Dependency, Kind, MOST_INSTANCES, RestartWhen};
use proptest::prelude::*;

use super::super::event::{Event, What, events};
use super::super::plan::Counts;
use super::super::scale::{Scaling, Size, Unscalable};
use super::*;
use crate::machine::Want;

/// Each of the app's instances is up in its first run.
fn up(instances: u32) -> Stage {
    let mut stage = Stage::new();
    stage.apply(many(instances));
    for instance in 0..instances {
        stage.rise(&run("api", instance, 1));
    }
    stage
}

fn bob() -> By {
    By::Person("bob".to_owned())
}

impl Stage {
    fn refuses(&self, size: Size) -> Unscalable {
        let app = self.fleet.app(&dev("api")).expect("it is known");
        Scaling::of(&dev("api"), app, size).expect_err("refused")
    }

    /// What is scaled by bob is told so.
    fn told_of(&mut self, size: Size) -> Vec<Event> {
        let before = self.fleet.clone();
        self.fleet.take_changes();
        self.scale_by(&bob(), size);
        let changes = self.fleet.take_changes();
        events(&before, &self.fleet, &changes, self.now)
    }

    fn instances(&self) -> Vec<u32> {
        let app = self.fleet.app(&dev("api")).expect("it is known");
        app.slots.keys().copied().collect()
    }

    fn want(&self, instance: u32) -> Want {
        let slot = self.fleet.slot(&dev("api").slot(instance));
        slot.expect("it is there").machine.want()
    }
}

#[test]
fn more_instances_begin_with_the_next_numbers_and_the_others_are_left_alone() {
    let mut stage = up(2);
    let outcomes = stage.scale(Size::More(2));
    assert_eq!(
        actions(&outcomes),
        [
            (0, Action::Unchanged, 0),
            (1, Action::Unchanged, 0),
            (2, Action::Created, 1),
            (3, Action::Created, 1),
        ]
    );
    let spawned = [2, 3].map(|instance| Task::Spawn(run("api", instance, 1)));
    assert_eq!(stage.tasks(), spawned);
}

#[test]
fn fewer_instances_end_those_of_the_highest_numbers_and_no_others() {
    let mut stage = up(4);
    let outcomes = stage.scale(Size::Fewer(2));
    assert_eq!(
        actions(&outcomes),
        [
            (0, Action::Unchanged, 0),
            (1, Action::Unchanged, 0),
            (2, Action::Deleted, 1),
            (3, Action::Deleted, 1),
        ]
    );
    let ended = [2, 3].map(|instance| Task::End(run("api", instance, 1)));
    assert_eq!(stage.tasks(), ended);
    for instance in [2, 3] {
        stage.end(&run("api", instance, 1), How::Signal(SIGINT), MS);
    }
    assert_eq!(stage.instances(), [0, 1]);
}

#[test]
fn the_number_is_written_with_the_app() {
    let mut stage = up(1);
    stage.scale(Size::To(3));
    assert!(stage.fleet.take_changes().apps.contains(&dev("api")));
    let app = stage.fleet.app(&dev("api")).expect("known");
    assert_eq!(*app.spec, many(3));
}

#[test]
fn the_number_that_it_has_is_nothing_to_do() {
    let mut stage = up(2);
    let outcomes = stage.scale(Size::To(2));
    let all = |outcome: &Outcome| outcome.action == Action::Unchanged;
    assert!(outcomes.iter().all(all) && outcomes.len() == 2);
    assert!(stage.tasks().is_empty());
}

#[test]
fn a_number_that_is_free_is_given_away_first_and_who_is_there_keeps_theirs() {
    let mut stage = up(3);
    stage.act(Verb::Delete, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.instances(), [1, 2]);
    stage.scale(Size::Fewer(1));
    stage.end(&run("api", 2, 1), How::Signal(SIGINT), MS);
    assert_eq!(stage.instances(), [1]);
    stage.tasks();
    stage.scale(Size::More(2));
    assert_eq!(stage.instances(), [0, 1, 2]);
    assert_eq!(
        stage.tasks(),
        [Task::Spawn(api(2)), Task::Spawn(run("api", 2, 2))]
    );
}

#[test]
fn an_instance_that_is_leaving_comes_back_in_a_new_run() {
    let mut stage = up(2);
    stage.scale(Size::To(1));
    stage.tasks();
    let outcomes = stage.scale(Size::More(1));
    assert_eq!(actions(&outcomes)[1], (1, Action::Started, 2));
    stage.end(&run("api", 1, 1), How::Signal(SIGINT), MS);
    assert!(stage.tasks().contains(&Task::Spawn(run("api", 1, 2))));
}

#[test]
fn what_comes_to_a_stopped_app_is_stopped_too() {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.tasks();
    let outcomes = stage.scale(Size::To(2));
    assert_eq!(
        actions(&outcomes),
        [(0, Action::Unchanged, 0), (1, Action::LeftDown, 0)]
    );
    assert!(stage.tasks().is_empty());
    let slot = stage.fleet.slot(&dev("api").slot(1)).expect("it is there");
    assert_eq!(slot.cause, "added by ann; its app is stopped");
    assert!(!slot.heeds_schedule());
}

#[test]
fn one_instance_that_was_stopped_stays_so_and_another_begins() {
    let mut stage = up(2);
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.tasks();
    stage.scale(Size::More(1));
    assert_eq!(stage.tasks(), [Task::Spawn(run("api", 2, 1))]);
    assert_eq!(stage.want(0), Want::Down);
}

#[test]
fn what_comes_to_an_app_at_rest_is_resurrected_with_it() {
    let mut stage = Stage::online();
    stage.fleet.hold(stage.now, &By::ann());
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.tasks();
    stage.scale(Size::To(2));
    assert!(stage.tasks().is_empty());
    assert_eq!(stage.want(1), Want::Held);
    stage.fleet.resurrect(stage.now, &By::ann());
    assert_eq!(
        stage.tasks(),
        [Task::Spawn(api(2)), Task::Spawn(run("api", 1, 1))]
    );
}

#[test]
fn what_comes_to_an_app_that_was_only_registered_is_registered() {
    let mut stage = Stage::new();
    stage.apply(AppSpec {
        autostart: false,
        ..spec("dev", "api")
    });
    let outcomes = stage.scale(Size::To(2));
    assert_eq!(actions(&outcomes)[1], (1, Action::Registered, 0));
    assert!(stage.tasks().is_empty());
}

#[test]
fn an_app_that_is_up_gets_more_instances_that_are_up_whatever_its_autostart() {
    let mut stage = Stage::new();
    stage.apply(AppSpec {
        autostart: false,
        ..spec("dev", "api")
    });
    stage.act(START, &dev("api"));
    stage.tasks();
    stage.scale(Size::To(2));
    assert_eq!(stage.tasks(), [Task::Spawn(run("api", 1, 1))]);
}

#[test]
fn a_job_that_is_done_is_not_done_again_by_those_that_did_it() {
    let mut job = AppSpec {
        kind: Kind::Oneshot,
        ..spec("dev", "api")
    };
    job.restart.when = RestartWhen::Never;
    let mut stage = Stage::new();
    stage.apply(job);
    stage.rise(&api(1));
    stage.end(&api(1), How::Code(0), 1200 * MS);
    stage.tasks();
    stage.scale(Size::To(2));
    assert_eq!(stage.tasks(), [Task::Spawn(run("api", 1, 1))]);
}

#[test]
fn what_new_instances_need_is_started_unless_nobody_is_to_wait() {
    let name = AppName::new("db").expect("a name");
    let condition = Condition::Ready;
    let needing = AppSpec {
        depends_on: vec![Dependency::App { name, condition }],
        ..spec("dev", "api")
    };
    let mut stage = Stage::new();
    let asked = Application::of(vec![needing, spec("dev", "db")]);
    stage.fleet.apply(stage.now, &By::ann(), asked);
    stage.rise(&run("db", 0, 1));
    stage.rise(&api(1));
    stage.act(Verb::Stop, &dev("db"));
    stage.end(&run("db", 0, 1), How::Signal(SIGINT), MS);
    stage.tasks();

    let mut hurried = stage.clone();
    let app = hurried.fleet.app(&dev("api")).expect("known");
    let scaling = Scaling::of(&dev("api"), app, Size::More(1)).expect("it can be");
    let (now, ann) = (hurried.now, By::ann());
    hurried.fleet.scale(now, &ann, scaling, Turn::AtOnce);
    assert_eq!(hurried.tasks(), [Task::Spawn(run("api", 1, 1))]);

    stage.scale(Size::More(1));
    assert_eq!(stage.tasks(), [Task::Spawn(run("db", 0, 2))]);
    stage.spawned(&run("db", 0, 2));
    stage.report(&run("db", 0, 2), Report::Ready(Sign::Port));
    assert!(stage.tasks().contains(&Task::Spawn(run("api", 1, 1))));
}

#[test]
fn no_instance_at_all_and_more_than_a_file_may_ask_for_are_refused() {
    let stage = up(2);
    let too_few = Unscalable::TooFew {
        app: dev("api"),
        has: 2,
    };
    for size in [Size::To(0), Size::Fewer(2), Size::Fewer(u32::MAX)] {
        assert_eq!(stage.refuses(size), too_few, "{size:?}");
    }
    let most = Size::To(MOST_INSTANCES);
    let app = stage.fleet.app(&dev("api")).expect("it is known");
    assert!(Scaling::of(&dev("api"), app, most).is_ok());
    for (size, asked) in [
        (Size::To(MOST_INSTANCES + 1), MOST_INSTANCES + 1),
        (Size::More(MOST_INSTANCES), MOST_INSTANCES + 2),
        (Size::More(u32::MAX), u32::MAX),
    ] {
        let app = dev("api");
        assert_eq!(stage.refuses(size), Unscalable::TooMany { app, asked });
    }
}

#[test]
fn the_event_names_who_scaled_and_not_who_started_the_app() {
    let scaled = |events: Vec<Event>| {
        let all = events.into_iter();
        let scaled = all.filter(|event| matches!(event.what, What::Scaled { .. }));
        scaled
            .map(|event| (event.what, event.by, event.cause))
            .collect::<Vec<_>>()
    };
    let told = |from, to| (What::Scaled { from, to }, bob(), "scaled by bob".to_owned());
    let mut stage = up(2);
    assert_eq!(scaled(stage.told_of(Size::More(1))), [told(2, 3)]);
    stage.rise(&run("api", 2, 1));
    assert_eq!(scaled(stage.told_of(Size::To(1))), [told(3, 1)]);
    assert_eq!(scaled(stage.told_of(Size::To(1))), []);
    // One that is down is gone at once.
    let mut stopped = up(2);
    let (now, second) = (stopped.now, dev("api").slot(1));
    stopped.fleet.act(now, &By::ann(), Verb::Stop, &[second]);
    stopped.end(&run("api", 1, 1), How::Signal(SIGINT), MS);
    assert_eq!(scaled(stopped.told_of(Size::To(1))), [told(2, 1)]);
}

#[test]
fn its_file_plans_the_number_that_it_says_and_goes_back_to_it() {
    let mut stage = up(2);
    stage.scale(Size::To(3));
    stage.rise(&run("api", 2, 1));
    let planned = stage.fleet.plan(&[many(2)], &[], &[]);
    let step = planned.steps.first().expect("there is a difference");
    assert_eq!(step.before, Some(many(3).bare()));
    let removed = Counts {
        removed: 1,
        ..Counts::default()
    };
    assert_eq!(step.instances, removed);
    stage.apply(many(2));
    assert_eq!(stage.tasks(), [Task::End(run("api", 2, 1))]);
}

proptest! {
    #[test]
    fn whoever_is_there_stays_as_far_as_the_number_goes(
        apart in prop::collection::btree_set(0..8_u32, 0..8),
        to in 1..12_u32,
    ) {
        let mut stage = up(8);
        let keys: Vec<_> = apart.iter().map(|instance| dev("api").slot(*instance)).collect();
        stage.fleet.act(stage.now, &By::ann(), Verb::Delete, &keys);
        let there: BTreeSet<u32> = (0..8).filter(|instance| !apart.contains(instance)).collect();
        let app = stage.fleet.app(&dev("api")).expect("it is known");
        let scaling = Scaling::of(&dev("api"), app, Size::To(to)).expect("it can be");
        prop_assert_eq!(scaling.instances.len(), to as usize);
        if scaling.adds() {
            prop_assert!(scaling.instances.is_superset(&there));
        } else {
            let lowest: BTreeSet<u32> = there.into_iter().take(to as usize).collect();
            prop_assert_eq!(&scaling.instances, &lowest);
        }
    }
}

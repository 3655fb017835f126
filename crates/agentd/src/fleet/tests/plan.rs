use std::path::Path;

use proptest::prelude::*;

use super::super::plan::{Counts, Plan, Prune, Step};
use super::*;

fn plan(stage: &Stage, specs: &[AppSpec]) -> Plan {
    stage.fleet.plan(specs, &[], &[])
}

fn prune(folder: &str) -> Prune {
    Prune {
        environment: "dev".to_owned(),
        folder: folder.into(),
    }
}

fn with_env(mode: &str) -> AppSpec {
    let mut spec = spec("dev", "api");
    spec.env.insert("MODE".to_owned(), mode.to_owned());
    spec
}

/// What applying did, counted as a plan counts.
fn counted(outcomes: &[Outcome]) -> Counts {
    let mut counts = Counts::default();
    for outcome in outcomes {
        match outcome.action {
            Action::Created => counts.created += 1,
            Action::Registered => counts.registered += 1,
            Action::Started => counts.started += 1,
            Action::Restarted => counts.restarted += 1,
            Action::Deleted => counts.removed += 1,
            Action::Unchanged | Action::LeftDown | Action::Stopped | Action::Reset => {}
        }
    }
    counts
}

#[test]
fn what_is_as_asked_is_no_step() {
    let stage = Stage::online();
    assert_eq!(plan(&stage, &[spec("dev", "api")]), Plan::default());
}

#[test]
fn the_shell_that_asks_is_no_change() {
    let stage = Stage::online();
    let mut asked = spec("dev", "api");
    asked
        .inherited_env
        .insert("LANG".to_owned(), "C".to_owned());
    asked.invoked_in = "/elsewhere".into();
    assert_eq!(plan(&stage, &[asked]), Plan::default());
}

#[test]
fn a_change_is_a_step_with_both_sides_and_touches_nothing() {
    let mut stage = Stage::online();
    let steps = plan(&stage, &[with_env("new")]).steps;
    let expected = Step {
        app: dev("api"),
        before: Some(spec("dev", "api").bare()),
        after: Some(with_env("new").bare()),
        instances: Counts {
            restarted: 1,
            ..Counts::default()
        },
    };
    assert_eq!(steps, [expected]);
    assert!(stage.fleet.take_changes().is_clean());
}

#[test]
fn more_and_fewer_instances_are_counted_and_restart_nothing() {
    let mut stage = Stage::new();
    stage.apply(many(2));
    let counts = |instances| {
        let steps = plan(&stage, &[many(instances)]).steps;
        steps[0].instances
    };
    let none = Counts::default();
    assert_eq!(counts(3), Counts { created: 1, ..none });
    assert_eq!(counts(1), Counts { removed: 1, ..none });
}

#[test]
fn an_app_that_only_registers_is_planned_as_such() {
    let mut stage = Stage::new();
    let asked = AppSpec {
        autostart: false,
        ..spec("dev", "api")
    };
    let steps = plan(&stage, std::slice::from_ref(&asked)).steps;
    assert_eq!(steps[0].instances.registered, 1);
    stage.apply(asked.clone());
    assert_eq!(plan(&stage, &[asked]), Plan::default());
}

#[test]
fn what_its_files_no_longer_name_goes_and_what_others_define_stays() {
    let mut stage = Stage::online();
    let elsewhere = AppSpec {
        defined_at: "/other/ecosystem.config.js".into(),
        ..spec("dev", "web")
    };
    let by_command = AppSpec {
        defined_at: "/srv".into(),
        ..spec("dev", "typed")
    };
    stage.apply(elsewhere);
    stage.apply(by_command);
    stage.apply(spec("production", "api"));
    let steps = stage.fleet.plan(&[], &[], &[prune("/srv")]).steps;
    let names: Vec<_> = steps.iter().map(|step| step.app.clone()).collect();
    assert_eq!(names, [dev("api")]);
    assert_eq!(steps[0].after, None);
    assert_eq!(steps[0].instances.removed, 1);
}

#[test]
fn a_folder_is_not_the_beginning_of_its_name() {
    let stage = Stage::online();
    assert!(Path::new("/srv/ecosystem.config.js").starts_with("/srv"));
    assert_eq!(stage.fleet.plan(&[], &[], &[prune("/sr")]), Plan::default());
}

#[test]
fn a_fingerprint_tells_of_a_change_on_either_side() {
    let mut stage = Stage::online();
    let first = plan(&stage, &[with_env("new")]).fingerprint();
    assert_eq!(plan(&stage, &[with_env("new")]).fingerprint(), first);
    assert_ne!(plan(&stage, &[with_env("newer")]).fingerprint(), first);
    stage.act(Verb::Stop, &dev("api"));
    assert_ne!(plan(&stage, &[with_env("new")]).fingerprint(), first);
}

#[derive(Clone, Debug)]
enum Move {
    Apply(Box<AppSpec>),
    Act(Verb, u32),
    Scale(u32),
    Rise(u32),
    Crash(u32),
}

fn asked() -> impl Strategy<Value = AppSpec> {
    (1..4_u32, 0..2_u8, any::<bool>()).prop_map(|(instances, mode, autostart)| AppSpec {
        instances,
        autostart,
        ..with_env(if mode == 0 { "old" } else { "new" })
    })
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let verb = prop_oneof![
        Just(START),
        Just(Verb::Stop),
        Just(RESTART),
        Just(Verb::Delete),
    ];
    let one = prop_oneof![
        asked().prop_map(|spec| Move::Apply(Box::new(spec))),
        (verb, 0..4_u32).prop_map(|(verb, instance)| Move::Act(verb, instance)),
        (1..5_u32).prop_map(Move::Scale),
        (0..4_u32).prop_map(Move::Rise),
        (0..4_u32).prop_map(Move::Crash),
    ];
    prop::collection::vec(one, 0..12)
}

impl Stage {
    fn walk(&mut self, step: Move) {
        let current = |fleet: &Fleet, instance| {
            let key = dev("api").slot(instance);
            let run = fleet.slot(&key)?.machine.run();
            Some(key.run(run))
        };
        match step {
            Move::Apply(spec) => drop(self.apply(*spec)),
            Move::Act(verb, instance) => {
                let key = dev("api").slot(instance);
                self.fleet.act(self.now, &By::ann(), verb, &[key]);
            }
            Move::Scale(to) => drop(self.scale(Size::To(to))),
            Move::Rise(instance) => {
                if let Some(key) = current(&self.fleet, instance) {
                    self.spawned(&key);
                    self.report(&key, Report::Ready(Sign::Port));
                }
            }
            Move::Crash(instance) => {
                if let Some(key) = current(&self.fleet, instance) {
                    self.report(&key, exited(How::Code(1), self.now, Left::Nothing));
                    self.report(&key, Report::Gone);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn applying_does_what_was_planned_and_then_nothing_is_left_to_plan(moves in moves(), asked in asked()) {
        let mut stage = Stage::new();
        for step in moves {
            stage.walk(step);
        }
        let planned = plan(&stage, std::slice::from_ref(&asked));
        let leaving: Vec<_> = stage
            .fleet
            .slots()
            .filter(|(_, _, slot)| slot.fate == Fate::Leaves)
            .map(|(key, _, _)| key)
            .collect();
        let mut outcomes = stage.apply(asked.clone());
        // Told to go before: not this request's doing.
        outcomes.retain(|outcome| outcome.action != Action::Deleted || !leaving.contains(&outcome.slot));
        let instances = planned.steps.first().map_or(Counts::default(), |step| step.instances);
        prop_assert_eq!(counted(&outcomes), instances);
        prop_assert_eq!(plan(&stage, &[asked]), Plan::default());
    }
}

//! Who waits for whom, what is brought along, and what is told of it.

use eco_config::spec::{AppName, Condition, Dependency};

use super::super::wait;
use super::*;
use crate::machine::Want;

fn on(name: &str, condition: Condition) -> Dependency {
    let name = AppName::new(name).expect("a name");
    Dependency::App { name, condition }
}

/// An app that needs the others to be ready.
fn needing(name: &str, others: &[&str]) -> AppSpec {
    AppSpec {
        depends_on: others.iter().map(|one| on(one, Condition::Ready)).collect(),
        ..spec("dev", name)
    }
}

/// `web` needs `api`, and `api` needs `db`.
fn chain() -> Vec<AppSpec> {
    vec![
        needing("web", &["api"]),
        needing("api", &["db"]),
        spec("dev", "db"),
    ]
}

fn applied(specs: Vec<AppSpec>) -> Stage {
    let mut stage = Stage::new();
    let asked = Application::of(specs);
    stage.fleet.apply(stage.now, &By::ann(), asked);
    stage
}

/// The whole chain is up, each with its first run.
fn up() -> Stage {
    let mut stage = applied(chain());
    for name in ["db", "api", "web"] {
        stage.rise(&run(name, 0, 1));
    }
    stage
}

impl Stage {
    fn act_on(&mut self, verb: Verb, names: &[&str]) -> Vec<Outcome> {
        let slots: Vec<_> = names.iter().map(|name| dev(name).slot(0)).collect();
        self.fleet.act(self.now, &By::ann(), verb, &slots)
    }

    fn gone(&mut self, name: &str, number: Run) {
        self.end(&run(name, 0, number), How::Signal(SIGINT), MS);
    }

    fn told(&self, name: &str) -> Option<String> {
        wait::told(&self.fleet.waits(&dev(name).slot(0)))
    }

    fn is_stuck(&self, name: &str) -> bool {
        let waits = self.fleet.waits(&dev(name).slot(0));
        waits.iter().any(wait::Wait::is_stuck)
    }
}

fn begun(stage: &mut Stage) -> Vec<String> {
    let tasks = stage.tasks().into_iter();
    tasks
        .filter_map(|task| match task {
            Task::Spawn(run) => Some(run.slot.app.name),
            Task::End(_) | Task::Signal(..) | Task::Forget(_) | Task::Adopt(..) => None,
        })
        .collect()
}

fn ended(stage: &mut Stage) -> Vec<String> {
    let tasks = stage.tasks().into_iter();
    tasks
        .filter_map(|task| match task {
            Task::End(run) => Some(run.slot.app.name),
            Task::Spawn(_) | Task::Signal(..) | Task::Forget(_) | Task::Adopt(..) => None,
        })
        .collect()
}

fn notes(outcomes: &[Outcome]) -> Vec<String> {
    let noted = outcomes.iter().filter(|outcome| !outcome.notes.is_empty());
    noted
        .map(|outcome| format!("{}: {}", outcome.slot.app.name, outcome.notes.join(" ")))
        .collect()
}

#[test]
fn each_begins_when_what_it_needs_is_ready() {
    let mut stage = applied(chain());
    assert_eq!(begun(&mut stage), ["db"]);
    stage.spawned(&run("db", 0, 1));
    assert!(begun(&mut stage).is_empty(), "it is not ready yet");
    stage.report(&run("db", 0, 1), Report::Ready(Sign::Port));
    assert_eq!(begun(&mut stage), ["api"]);
    stage.spawned(&run("api", 0, 1));
    stage.pass(1000 * MS);
    assert_eq!(begun(&mut stage), ["web"], "it is ready by its time");
}

#[test]
fn an_outcome_names_the_run_that_is_waited_for() {
    let mut stage = Stage::new();
    let asked = Application::of(chain());
    let outcomes = stage.fleet.apply(stage.now, &By::ann(), asked);
    let runs: Vec<_> = outcomes.iter().map(|outcome| outcome.run).collect();
    assert_eq!(runs, [1, 1, 1]);
}

#[test]
fn who_only_needs_another_to_be_started_does_not_wait_until_it_is_ready() {
    let web = AppSpec {
        depends_on: vec![on("api", Condition::Started)],
        ..spec("dev", "web")
    };
    let mut stage = applied(vec![web, spec("dev", "api")]);
    assert_eq!(begun(&mut stage), ["api"]);
    stage.spawned(&api(1));
    assert_eq!(begun(&mut stage), ["web"]);
}

#[test]
fn all_instances_of_what_is_needed_must_be_ready() {
    let mut stage = applied(vec![needing("web", &["api"]), many(2)]);
    stage.rise(&api(1));
    assert_eq!(
        stage.told("web").as_deref(),
        Some("waits for dev/api to be ready")
    );
    stage.spawned(&run("api", 1, 1));
    stage.report(&run("api", 1, 1), Report::Ready(Sign::Port));
    assert_eq!(begun(&mut stage), ["web"]);
}

#[test]
fn what_others_need_ends_after_them() {
    let mut stage = up();
    let outcomes = stage.act_on(Verb::Stop, &["api", "db", "web"]);
    assert!(notes(&outcomes).is_empty());
    assert_eq!(ended(&mut stage), ["web"]);
    assert_eq!(
        stage.told("api").as_deref(),
        Some("waits for dev/web to end, which depends on it")
    );
    stage.gone("web", 1);
    assert_eq!(ended(&mut stage), ["api"]);
    stage.gone("api", 1);
    assert_eq!(ended(&mut stage), ["db"]);
    stage.gone("db", 1);
    assert!(stage.fleet.is_at_rest());
}

#[test]
fn deleting_and_putting_to_rest_keep_the_same_order() {
    let mut stage = up();
    stage.act_on(Verb::Delete, &["api", "db", "web"]);
    assert_eq!(ended(&mut stage), ["web"]);
    stage.gone("web", 1);
    assert_eq!(ended(&mut stage), ["api"]);

    let mut stage = up();
    stage.fleet.hold(stage.now, &By::ann());
    assert_eq!(ended(&mut stage), ["web"]);
    stage.gone("web", 1);
    assert_eq!(ended(&mut stage), ["api"]);
    stage.gone("api", 1);
    stage.gone("db", 1);
    stage.tasks();
    stage.fleet.resurrect(stage.now, &By::ann());
    assert_eq!(begun(&mut stage), ["db"]);
}

#[test]
fn what_ends_by_itself_while_its_turn_has_not_come_is_stopped_and_lets_the_others_go_on() {
    let mut stage = up();
    stage.act_on(Verb::Stop, &["api", "db", "web"]);
    stage.end(&run("api", 0, 1), How::Code(1), MS);
    assert_eq!(stage.slot(&dev("api")).machine.state(), State::Stopped);
    assert_eq!(stage.slot(&dev("api")).cause, "stopped by ann");
    stage.tasks();
    // Nothing that depends on it directly is left.
    assert_eq!(stage.told("db"), None);
    assert!(matches!(
        stage.slot(&dev("db")).machine.state(),
        State::Ending { .. }
    ));
}

#[test]
fn an_app_that_a_living_one_needs_is_stopped_at_once_and_who_stays_up_is_told() {
    let mut stage = up();
    let outcomes = stage.act_on(Verb::Stop, &["api"]);
    assert_eq!(ended(&mut stage), ["api"]);
    assert_eq!(
        notes(&outcomes),
        ["api: dev/web depends on it and stays up."]
    );
}

#[test]
fn who_deletes_what_others_need_is_told_which() {
    let mut stage = up();
    let outcomes = stage.act_on(Verb::Delete, &["db", "web"]);
    assert_eq!(
        notes(&outcomes),
        ["db: dev/api depends on it, and cannot be started without it."]
    );
}

#[test]
fn a_start_calls_a_stop_off_whose_turn_has_not_come() {
    let mut stage = up();
    stage.act_on(Verb::Stop, &["api", "db", "web"]);
    stage.tasks();
    let outcomes = stage.act_on(START, &["db"]);
    assert_eq!((outcomes[0].action, outcomes[0].run), (Action::Started, 1));
    stage.gone("web", 1);
    stage.gone("api", 1);
    assert!(matches!(
        stage.slot(&dev("db")).machine.state(),
        State::Online { .. }
    ));
}

#[test]
fn a_restart_of_several_comes_up_in_order() {
    let mut stage = up();
    let outcomes = stage.act_on(RESTART, &["api", "db", "web"]);
    let runs: Vec<_> = outcomes.iter().map(|outcome| outcome.run).collect();
    assert_eq!(runs, [2, 2, 2]);
    assert_eq!(ended(&mut stage).len(), 3);
    stage.gone("web", 1);
    stage.gone("api", 1);
    assert!(begun(&mut stage).is_empty());
    stage.gone("db", 1);
    assert_eq!(begun(&mut stage), ["db"]);
    stage.spawned(&run("db", 0, 2));
    stage.report(&run("db", 0, 2), Report::Ready(Sign::Port));
    assert_eq!(begun(&mut stage), ["api"]);
}

#[test]
fn a_restart_of_one_whose_needs_are_up_waits_for_nothing() {
    let mut stage = up();
    stage.act_on(RESTART, &["web"]);
    stage.tasks();
    stage.gone("web", 1);
    assert_eq!(begun(&mut stage), ["web"]);
}

#[test]
fn a_crash_and_a_replacement_are_followed_at_once_whatever_is_up() {
    let mut stage = up();
    stage.act_on(Verb::Stop, &["db"]);
    stage.gone("db", 1);
    stage.tasks();
    stage.end(&run("api", 0, 1), How::Code(1), 5000 * MS);
    assert_eq!(begun(&mut stage), ["api"]);
    stage.rise(&run("api", 0, 2));
    let changed = "restarted: app.js changed".to_owned();
    let key = run("api", 0, 2);
    stage
        .fleet
        .replace_run(stage.now, &key, &By::Watch, changed);
    stage.gone("api", 2);
    assert_eq!(begun(&mut stage), ["api"]);
}

#[test]
fn what_waits_for_its_turn_is_not_hurried_by_a_replacement() {
    let mut stage = applied(chain());
    stage.tasks();
    let never = run("web", 0, 0);
    let why = "restarted: app.js changed".to_owned();
    stage.fleet.replace_run(stage.now, &never, &By::Watch, why);
    assert!(begun(&mut stage).is_empty());
}

fn down() -> Stage {
    let mut stage = up();
    stage.act_on(Verb::Stop, &["api", "db", "web"]);
    for name in ["web", "api", "db"] {
        stage.gone(name, 1);
    }
    stage.tasks();
    stage
}

#[test]
fn a_start_brings_along_what_is_down_and_needed_and_says_so() {
    let mut stage = down();
    let outcomes = stage.act_on(START, &["web"]);
    assert_eq!(begun(&mut stage), ["db"]);
    assert_eq!(
        notes(&outcomes),
        [
            "api: Started too: dev/web depends on it.",
            "db: Started too: dev/api depends on it."
        ]
    );
    assert_eq!(stage.slot(&dev("db")).cause, "started by ann, for dev/api");
    assert_eq!(
        stage.told("web").as_deref(),
        Some("waits for dev/api to be ready")
    );
    assert!(!stage.is_stuck("web"));
}

#[test]
fn what_is_up_is_not_brought_along_and_what_it_needs_is_not_looked_at() {
    let mut stage = up();
    stage.act_on(Verb::Stop, &["web", "db"]);
    stage.gone("web", 1);
    stage.gone("db", 1);
    stage.tasks();
    let outcomes = stage.act_on(START, &["web"]);
    assert!(notes(&outcomes).is_empty());
    assert_eq!(begun(&mut stage), ["web"]);
}

#[test]
fn an_app_that_was_applied_brings_along_others_that_are_known() {
    let mut stage = down();
    let asked = Application::of(vec![needing("top", &["api"])]);
    let outcomes = stage.fleet.apply(stage.now, &By::ann(), asked);
    assert_eq!(
        notes(&outcomes),
        [
            "api: Started too: dev/top depends on it.",
            "db: Started too: dev/api depends on it."
        ]
    );
    assert_eq!(begun(&mut stage), ["db"]);
}

#[test]
fn what_comes_with_an_application_is_used_where_it_is_needed_and_nowhere_else() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "db"));
    stage.rise(&run("db", 0, 1));
    let mut other = spec("dev", "db");
    other.script = "other.js".to_owned();
    let asked = Application {
        needed: vec![needing("api", &["db"]), other, spec("dev", "idle")],
        ..Application::of(vec![needing("web", &["api"])])
    };
    let outcomes = stage.fleet.apply(stage.now, &By::ann(), asked);
    let done: Vec<_> = outcomes
        .iter()
        .map(|outcome| (outcome.slot.app.name.as_str(), outcome.action))
        .collect();
    assert_eq!(done, [("web", Action::Created), ("api", Action::Created)]);
    assert_eq!(begun(&mut stage), ["api"]);
    assert_eq!(stage.fleet.apps()[&dev("db")].spec.script, "app.js");
}

#[test]
fn an_app_that_is_only_registered_is_started_when_another_needs_it() {
    let db = AppSpec {
        autostart: false,
        ..spec("dev", "db")
    };
    let mut stage = Stage::new();
    let asked = Application::of(vec![needing("api", &["db"]), db]);
    let planned = stage.fleet.plan(&asked.specs, &[], &[]);
    let outcomes = stage.fleet.apply(stage.now, &By::ann(), asked);
    let done: Vec<_> = outcomes.iter().map(|outcome| outcome.action).collect();
    assert_eq!(done, [Action::Created, Action::Created]);
    let created: Vec<_> = planned
        .steps
        .iter()
        .map(|step| step.instances.created)
        .collect();
    assert_eq!(created, [1, 1]);
    assert_eq!(begun(&mut stage), ["db"]);
}

#[test]
fn what_is_brought_along_is_planned() {
    let stage = down();
    let planned = stage.fleet.plan(&[needing("web", &["api"])], &[], &[]);
    let started: Vec<_> = planned
        .steps
        .iter()
        .map(|step| (step.app.name.as_str(), step.instances.started))
        .collect();
    assert_eq!(started, [("web", 1), ("api", 1), ("db", 1)]);
}

#[test]
fn without_its_needs_an_app_is_started_at_once_and_alone() {
    let mut stage = down();
    let outcomes = stage.act_on(Verb::Start(Turn::AtOnce), &["web"]);
    assert_eq!(outcomes.len(), 1);
    assert_eq!(begun(&mut stage), ["web"]);

    let mut waiting = applied(chain());
    waiting.tasks();
    waiting.act_on(Verb::Start(Turn::AtOnce), &["web"]);
    assert_eq!(begun(&mut waiting), ["web"]);
}

#[test]
fn a_wait_tells_what_is_in_the_way_and_whether_somebody_has_to_act() {
    let mut stage = applied(vec![needing("web", &["api", "db"]), spec("dev", "api")]);
    assert_eq!(
        stage.told("web").as_deref(),
        Some("waits for dev/api to be ready, and for dev/db to be ready, which eco does not know")
    );
    assert!(stage.is_stuck("web"));

    stage.apply(needing("db", &["job"]));
    stage.rise(&api(1));
    assert_eq!(
        stage.told("web").as_deref(),
        Some("waits for dev/db to be ready, which waits itself")
    );
    assert!(stage.is_stuck("web") && stage.is_stuck("db"));

    let mut once = spec("dev", "job");
    once.restart.max_unstable = 1;
    stage.apply(once);
    stage.rise(&run("job", 0, 1));
    stage.rise(&run("db", 0, 1));
    assert_eq!(stage.told("web"), None);

    let mut stage = applied(chain());
    stage.rise(&run("db", 0, 1));
    stage.act_on(Verb::Stop, &["api"]);
    assert_eq!(
        stage.told("web").as_deref(),
        Some("waits for dev/api to be ready, which is stopped (stopped by ann)")
    );
    assert!(stage.is_stuck("web"));
}

#[test]
fn who_needs_what_was_given_up_waits_and_says_why() {
    let mut once = spec("dev", "db");
    once.restart.max_unstable = 1;
    let mut stage = applied(vec![needing("api", &["db"]), once]);
    stage.rise(&run("db", 0, 1));
    stage.act_on(Verb::Stop, &["api"]);
    stage.tasks();
    stage.end(&run("db", 0, 1), How::Code(3), MS);
    let asked = Application {
        turn: Turn::InOrder,
        ..Application::of(vec![needing("top", &["db"])])
    };
    // What was given up is tried again for the one that needs it.
    stage.fleet.apply(stage.now, &By::ann(), asked);
    assert_eq!(begun(&mut stage), ["db"]);
    stage.spawned(&run("db", 0, 2));
    stage.end(&run("db", 0, 2), How::Code(3), MS);
    insta::assert_snapshot!(
        stage.told("top").unwrap_or_default(),
        @"waits for dev/db to be ready, which is errored (exited with code 3; given up after 1 short life)"
    );
    assert!(stage.is_stuck("top"));
}

#[test]
fn a_stop_of_one_that_waits_lets_it_never_begin() {
    let mut stage = applied(chain());
    stage.act_on(Verb::Stop, &["web"]);
    stage.rise(&run("db", 0, 1));
    stage.rise(&run("api", 0, 1));
    assert_eq!(stage.slot(&dev("web")).machine.run(), 0);
    assert_eq!(stage.told("web"), None);
}

#[test]
fn what_is_ready_no_more_lets_nobody_begin() {
    let web = needing("web", &["api", "db"]);
    let mut stage = applied(vec![web, spec("dev", "api"), spec("dev", "db")]);
    stage.rise(&api(1));
    stage.end(&api(1), How::Code(1), 5000 * MS);
    stage.rise(&run("db", 0, 1));
    assert_eq!(stage.slot(&dev("web")).machine.run(), 0);
    stage.spawned(&api(2));
    stage.report(&api(2), Report::Ready(Sign::Port));
    assert_eq!(begun(&mut stage), ["web"]);
}

#[test]
fn something_outside_is_waited_for_until_it_is_met_and_looked_at_anew_the_next_time() {
    let port = Dependency::Tcp("127.0.0.1:5432".to_owned());
    let asked = AppSpec {
        depends_on: vec![port.clone(), on("db", Condition::Ready)],
        ..spec("dev", "api")
    };
    let mut stage = applied(vec![asked, spec("dev", "db")]);
    let open = vec![(dev("api"), port.clone())];
    assert_eq!(stage.fleet.outside_waits(), open);
    assert_eq!(
        stage.told("api").as_deref(),
        Some("waits for tcp://127.0.0.1:5432 to answer, and for dev/db to be ready")
    );
    stage
        .fleet
        .outside(stage.now, &dev("api"), &port, Outside::Met);
    assert!(stage.fleet.outside_waits().is_empty());
    let refused = Outside::NotMet("connection refused".to_owned());
    stage.fleet.outside(stage.now, &dev("api"), &port, refused);
    assert_eq!(stage.fleet.outside_waits(), open);
    assert_eq!(
        stage.told("api").as_deref(),
        Some(
            "waits for tcp://127.0.0.1:5432 to answer: connection refused, and for dev/db to be ready"
        )
    );
    stage
        .fleet
        .outside(stage.now, &dev("api"), &port, Outside::Met);
    stage.tasks();
    stage.spawned(&run("db", 0, 1));
    stage.report(&run("db", 0, 1), Report::Ready(Sign::Port));
    assert_eq!(begun(&mut stage), ["api"]);

    stage.spawned(&api(1));
    stage.act_on(RESTART, &["api"]);
    stage.gone("api", 1);
    assert!(begun(&mut stage).is_empty());
    assert_eq!(stage.fleet.outside_waits(), open);
}

#[test]
fn after_a_boot_all_that_was_wanted_comes_up_in_order() {
    let mut stage = up();
    stage.fleet.rise_after(Loss::Host);
    stage.meet(vec![]);
    assert_eq!(begun(&mut stage), ["db"]);
    stage.spawned(&run("db", 0, 2));
    stage.report(&run("db", 0, 2), Report::Ready(Sign::Port));
    assert_eq!(begun(&mut stage), ["api"]);
    let slot = stage.slot(&dev("api"));
    assert_eq!(slot.began.as_ref().map(|began| &began.by), Some(&By::Boot));
}

#[test]
fn what_the_next_agent_finds_goes_on_in_the_same_order() {
    let mut stage = up();
    stage.act_on(Verb::Stop, &["api", "db", "web"]);
    stage.tasks();
    let last_runs = BTreeMap::new();
    stage.fleet = Fleet::restore(stage.fleet.apps().clone(), last_runs);
    let lives = |name: &str| vec![Report::Spawned(identity(&run(name, 0, 1), 10 * MS))];
    let mut over = lives("web");
    over.push(exited(How::Signal(SIGINT), stage.now, Left::Nothing));
    over.push(Report::Gone);
    stage.meet(vec![
        (run("api", 0, 1), lives("api")),
        (run("db", 0, 1), lives("db")),
        (run("web", 0, 1), over),
    ]);
    assert_eq!(ended(&mut stage), ["api"]);
    assert_eq!(stage.slot(&dev("db")).machine.want(), Want::Down);
}

fn tangled(stage: &Stage, specs: &[AppSpec]) -> Vec<(String, Vec<Tangle>)> {
    let tangles = stage.fleet.tangles(specs, &[], &[]).into_iter();
    tangles
        .map(|(spec, found)| (spec.name.to_string(), found))
        .collect()
}

fn missing(name: &str, near: &[&str]) -> Tangle {
    Tangle::Missing {
        app: dev(name),
        near: near.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn what_is_needed_must_be_known_or_come_along() {
    let stage = applied(vec![spec("dev", "database")]);
    assert_eq!(
        tangled(&stage, &[needing("api", &["datbase", "mq"])]),
        [(
            "api".to_owned(),
            vec![missing("datbase", &["dev/database"]), missing("mq", &[])]
        )]
    );
    assert!(tangled(&stage, &[needing("api", &["database"])]).is_empty());
    let both = [needing("api", &["mq"]), spec("dev", "mq")];
    assert!(tangled(&stage, &both).is_empty());
    let elsewhere = [needing("api", &["mq"]), spec("production", "mq")];
    assert_eq!(tangled(&stage, &elsewhere).len(), 1);
}

#[test]
fn what_is_about_to_go_is_not_there_any_more() {
    let mut stage = up();
    stage.act_on(Verb::Delete, &["db"]);
    assert_eq!(
        tangled(&stage, &[needing("top", &["db"])]),
        [("top".to_owned(), vec![missing("db", &[])])]
    );
}

#[test]
fn apps_that_would_wait_for_each_other_are_found_over_several_requests() {
    let stage = up();
    let circle = |names: &[&str]| Tangle::Circle(names.iter().map(ToString::to_string).collect());
    assert_eq!(
        tangled(&stage, &[needing("db", &["web"])]),
        [("db".to_owned(), vec![circle(&["db", "web", "api"])])]
    );
    assert_eq!(
        tangled(&stage, &[needing("one", &["one"])]),
        [("one".to_owned(), vec![circle(&["one"])])]
    );
}

#[test]
fn apps_that_wait_for_each_other_all_the_same_are_stuck_and_can_be_stopped() {
    let mut stage = applied(vec![needing("a", &["b"]), needing("b", &["a"])]);
    assert!(stage.is_stuck("a") && stage.is_stuck("b"));
    stage.act_on(Verb::Start(Turn::AtOnce), &["a", "b"]);
    stage.rise(&run("a", 0, 1));
    stage.rise(&run("b", 0, 1));
    stage.act_on(Verb::Stop, &["a", "b"]);
    assert_eq!(ended(&mut stage).len(), 2);
}

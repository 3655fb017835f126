use super::super::event::{Event, What, events};
use super::*;

/// A stage, and the fleet as it was told last.
struct Told {
    stage: Stage,
    before: Fleet,
}

impl Told {
    fn new() -> Self {
        let stage = Stage::new();
        let before = stage.fleet.clone();
        Self { stage, before }
    }

    fn events(&mut self) -> Vec<Event> {
        let changes = self.stage.fleet.take_changes();
        let after = self.stage.fleet.clone();
        let events = events(&self.before, &after, &changes, 1000 * MS + self.stage.now);
        self.before = after;
        events
    }

    /// Kinds, each with its run.
    fn kinds(&mut self) -> Vec<(&'static str, Run)> {
        let kind = |what: &What| match what {
            What::Registered => "registered",
            What::ConfigChanged => "config changed",
            What::Scaled { .. } => "scaled",
            What::Deleted => "deleted",
            What::Started { .. } => "started",
            What::Ready => "ready",
            What::Exited(_) => "exited",
            What::Restarted => "restarted",
            What::Stopped => "stopped",
            What::Errored => "errored",
        };
        self.events()
            .iter()
            .map(|event| (kind(&event.what), event.run))
            .collect()
    }

    fn online() -> Self {
        let mut told = Self::new();
        told.stage.apply(spec("dev", "api"));
        told.stage.spawned(&api(1));
        told.stage.report(&api(1), Report::Ready(Sign::Port));
        told.events();
        told
    }
}

#[test]
fn an_app_is_registered_its_run_starts_and_is_ready() {
    let mut told = Told::new();
    told.stage.apply(spec("dev", "api"));
    assert_eq!(told.kinds(), [("registered", 0)]);
    told.stage.spawned(&api(1));
    assert_eq!(told.kinds(), [("started", 1)]);
    told.stage.report(&api(1), Report::Ready(Sign::Port));
    assert_eq!(told.kinds(), [("ready", 1)]);
    assert_eq!(told.kinds(), []);
}

#[test]
fn a_crash_is_an_end_and_a_restart_whose_doing_is_the_apps_own() {
    let mut told = Told::online();
    told.stage.end(&api(1), How::Code(3), 5000 * MS);
    let events = told.events();
    let whats: Vec<_> = events.iter().map(|event| &event.what).collect();
    assert!(
        matches!(whats[..], [What::Exited(_), What::Restarted]),
        "{whats:?}"
    );
    assert_eq!((events[0].run, events[1].run), (1, 2));
    assert!(events.iter().all(|event| event.by == By::Itself));
    assert_eq!(events[0].cause, "exited with code 3; restarted at once");
}

#[test]
fn what_falls_into_one_turn_is_told_in_its_order() {
    let mut told = Told::online();
    told.stage.end(&api(1), How::Code(3), 5000 * MS);
    told.stage.spawned(&api(2));
    told.stage.report(&api(2), Report::Ready(Sign::Port));
    let mut kinds = told.kinds();
    kinds.sort_by_key(|(_, run)| *run);
    assert_eq!(kinds[0], ("exited", 1));
    let second: BTreeSet<_> = kinds[1..].iter().copied().collect();
    assert_eq!(
        second,
        BTreeSet::from([("ready", 2), ("restarted", 2), ("started", 2)])
    );
}

#[test]
fn a_stop_is_an_end_and_rest_by_the_person_who_asked() {
    let mut told = Told::online();
    told.stage.act(Verb::Stop, &dev("api"));
    assert_eq!(told.kinds(), []);
    told.stage.end(&api(1), How::Signal(SIGINT), 5 * MS);
    let events = told.events();
    assert!(matches!(events[0].what, What::Exited(_)));
    assert_eq!(events[1].what, What::Stopped);
    assert!(
        events.iter().all(|event| event.by == By::ann()),
        "{events:?}"
    );
}

#[test]
fn a_spent_app_is_told_as_errored_once() {
    let mut told = Told::new();
    told.stage.apply(spec("dev", "api"));
    for run in 1..=3 {
        told.stage.spawned(&api(run));
        told.stage.end(&api(run), How::Code(1), 5 * MS);
        told.stage.pass(20_000 * MS);
    }
    let kinds = told.kinds();
    let of = |wanted| kinds.iter().filter(|(kind, _)| *kind == wanted).count();
    assert_eq!((of("exited"), of("errored")), (3, 1), "{kinds:?}");
}

#[test]
fn another_specification_and_another_number_are_told_of_the_app() {
    let mut told = Told::online();
    let mut asked = many(2);
    asked.env.insert("MODE".to_owned(), "new".to_owned());
    told.stage.apply(asked);
    let events = told.events();
    let of_app: Vec<_> = events
        .iter()
        .filter(|event| event.instance.is_none())
        .collect();
    assert_eq!(of_app[0].what, What::ConfigChanged);
    assert_eq!(of_app[1].what, What::Scaled { from: 1, to: 2 });
    assert!(of_app.iter().all(|event| event.by == By::ann()));
}

#[test]
fn the_shell_that_asks_again_is_no_event() {
    let mut told = Told::online();
    told.stage.apply(spec("dev", "api"));
    assert_eq!(told.kinds(), []);
}

#[test]
fn a_deleted_app_is_told_when_nothing_of_it_is_left() {
    let mut told = Told::online();
    told.stage.act(Verb::Delete, &dev("api"));
    assert_eq!(told.kinds(), []);
    told.stage.end(&api(1), How::Signal(SIGINT), 5 * MS);
    let events = told.events();
    assert_eq!(events.last().map(|event| &event.what), Some(&What::Deleted));
    assert!(
        events
            .iter()
            .any(|event| matches!(event.what, What::Exited(_))),
        "{events:?}"
    );
}

#[test]
fn who_deletes_an_app_that_waits_for_its_next_attempt_is_told_as_the_cause() {
    let mut told = Told::online();
    told.stage.end(&api(1), How::Code(1), 5 * MS);
    // The first attempt is made at once.
    told.stage.spawned(&api(2));
    told.stage.end(&api(2), How::Code(1), 5 * MS);
    told.events();
    told.stage.act(Verb::Delete, &dev("api"));
    let events = told.events();
    let last = events.last().expect("it is told");
    assert_eq!((&last.what, &last.by), (&What::Deleted, &By::ann()));
    assert_eq!(last.cause, "deleted by ann");
}

//! What might begin by itself is put to rest and brought back: it stays down meanwhile, and is not started by that.

use eco_config::spec::{Links, RestartWhen, Schedule, WatchPolicy};

use super::*;

/// `dev/api` is begun by the clock, and by a change of its files; what it did counts as an end.
fn armed() -> AppSpec {
    let mut spec = spec("dev", "api");
    spec.schedule = Some(Schedule::new("0 3 * * *", None).expect("a pattern"));
    spec.watch = Some(WatchPolicy {
        paths: Vec::new(),
        ignore: None,
        delay: MS,
        links: Links::Followed,
        polling: None,
        depth: None,
    });
    spec.restart.when = RestartWhen::Never;
    spec
}

fn ended() -> Stage {
    let mut stage = Stage::new();
    stage.apply(armed());
    stage.rise(&api(1));
    stage.end(&api(1), How::Code(0), 1500 * MS);
    stage.tasks();
    stage
}

fn registered() -> Stage {
    let mut stage = Stage::new();
    stage.apply(AppSpec {
        autostart: false,
        ..armed()
    });
    stage.tasks();
    stage
}

impl Stage {
    fn hold(&mut self) {
        self.fleet.hold(self.now, &By::ann());
    }

    fn resurrect(&mut self) -> Vec<Outcome> {
        self.fleet.resurrect(self.now, &By::ann())
    }

    /// What the clock, or else a change of its files, begins.
    fn begun_by_itself(&self) -> [Vec<Task>; 2] {
        let mut by_clock = self.clone();
        by_clock.fleet.due(by_clock.now, &dev("api"));
        let mut by_change = self.clone();
        let cause = "restarted: a.js changed".to_owned();
        let run = api(by_change.slot(&dev("api")).machine.run());
        let now = by_change.now;
        by_change.fleet.replace_run(now, &run, &By::Watch, cause);
        [by_clock.tasks(), by_change.tasks()]
    }
}

#[test]
fn what_had_ended_is_begun_by_nothing_at_rest_and_by_its_clock_and_files_when_it_is_back() {
    let mut stage = ended();
    let (cause, by) = (stage.cause().to_owned(), By::Itself);
    let begun = || vec![Task::Spawn(api(2))];
    assert_eq!(stage.begun_by_itself(), [begun(), begun()]);
    stage.hold();
    // Told twice is told once.
    stage.hold();
    assert_eq!(stage.begun_by_itself(), [[], []]);
    assert_eq!(stage.cause(), format!("{cause}; put to rest by ann"));
    let outcomes = stage.resurrect();
    assert_eq!(actions(&outcomes), [(0, Action::Unchanged, 0)]);
    assert_eq!(stage.tasks(), []);
    assert_eq!(stage.begun_by_itself(), [begun(), begun()]);
    let slot = stage.slot(&dev("api"));
    assert_eq!((&slot.cause, &slot.by), (&cause, &by));
}

#[test]
fn what_was_only_registered_is_begun_by_nothing_at_rest_and_by_its_clock_when_it_is_back() {
    let mut stage = registered();
    let before = stage.slot(&dev("api")).clone();
    stage.hold();
    assert_eq!(stage.begun_by_itself(), [[], []]);
    stage.resurrect();
    assert_eq!(stage.tasks(), []);
    assert_eq!(*stage.slot(&dev("api")), before);
    assert_eq!(stage.begun_by_itself(), [vec![Task::Spawn(api(1))], vec![]]);
}

#[test]
fn what_somebody_stops_at_rest_or_stopped_before_is_not_brought_back() {
    for mut stage in [ended(), registered()] {
        stage.hold();
        stage.act(Verb::Stop, &dev("api"));
        stage.resurrect();
        assert_eq!(stage.begun_by_itself(), [[], []]);
        assert!(stage.cause().ends_with("; stopped by ann"));
    }
    let mut stopped = ended();
    stopped.act(Verb::Stop, &dev("api"));
    stopped.hold();
    stopped.resurrect();
    assert_eq!(stopped.begun_by_itself(), [[], []]);
}

#[test]
fn a_start_at_rest_starts_and_nothing_is_left_to_bring_back() {
    for mut stage in [ended(), registered()] {
        stage.hold();
        let outcome = stage.act(START, &dev("api"));
        assert_eq!(outcome.action, Action::Started);
        assert_eq!(stage.slot(&dev("api")).lull, Lull::None);
    }
}

#[test]
fn its_file_arms_again_what_it_does_not_start() {
    let mut stage = registered();
    stage.hold();
    let outcomes = stage.apply(AppSpec {
        autostart: false,
        ..armed()
    });
    assert_eq!(actions(&outcomes), [(0, Action::Registered, 0)]);
    assert_eq!(stage.begun_by_itself()[0], [Task::Spawn(api(1))]);

    let mut stage = ended();
    stage.hold();
    let application = Application {
        restart: Restart::Converge,
        ..Application::of(vec![armed()])
    };
    stage.fleet.apply(stage.now, &By::ann(), application);
    assert_eq!(stage.tasks(), []);
    assert_eq!(stage.begun_by_itself()[0], [Task::Spawn(api(2))]);
}

#[test]
fn an_instance_that_comes_to_those_at_rest_rests_with_them() {
    for (mut stage, run) in [(ended(), 2), (registered(), 1)] {
        stage.hold();
        stage.scale(Size::To(2));
        assert_eq!(stage.begun_by_itself(), [[], []]);
        stage.resurrect();
        stage.tasks();
        let [by_clock, _] = stage.begun_by_itself();
        assert!(by_clock.contains(&Task::Spawn(api(run))), "{by_clock:?}");
    }
    let mut stage = ended();
    stage.hold();
    stage.scale(Size::To(2));
    stage.resurrect();
    assert_eq!(stage.tasks(), [Task::Spawn(super::run("api", 1, 1))]);
}

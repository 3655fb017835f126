//! Requests and reports go in, tasks and records come out; no keeper, no clock. [`walk`] plays a keeper that loses messages.

mod act;
mod apply;
mod causes;
mod event;
mod health;
mod lull;
mod oneshot;
mod order;
mod plan;
mod reconcile;
mod report;
mod scale;
mod schedule;
mod select;
mod walk;

use std::time::Duration;

use eco_config::spec::AppSpec;

use super::apply::{Application, Restart};
use super::scale::{Scaling, Size};
use super::*;
use crate::environment::tests::spec;
use crate::machine::{Left, Turn};

const MS: Duration = Duration::from_millis(1);
const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;
const START: Verb = Verb::Start(Turn::InOrder);
const RESTART: Verb = Verb::Restart(Turn::InOrder);
const BOOT: &str = "this boot";

fn dev(name: &str) -> AppKey {
    AppKey {
        environment: "dev".to_owned(),
        name: name.to_owned(),
    }
}

fn run(name: &str, instance: u32, run: Run) -> RunKey {
    dev(name).slot(instance).run(run)
}

fn api(number: Run) -> RunKey {
    run("api", 0, number)
}

/// Several slots of `dev/api`.
fn many(instances: u32) -> AppSpec {
    AppSpec {
        instances,
        ..spec("dev", "api")
    }
}

/// The process of a run: its pid tells which.
fn identity(key: &RunKey, at: Tick) -> Identity {
    let pid = 100 * i32::try_from(key.slot.instance + 1).expect("small");
    Identity {
        pid: pid + i32::try_from(key.run).expect("small"),
        start_ticks: 5,
        boot_id: BOOT.to_owned(),
        since: at,
        since_unix: 1000 * MS + at,
    }
}

fn exited(how: How, at: Tick, left: Left) -> Report {
    Report::Exited {
        how,
        at,
        at_unix: 1000 * MS + at,
        left,
    }
}

/// A fleet and its time.
#[derive(Clone)]
struct Stage {
    fleet: Fleet,
    now: Tick,
}

impl Stage {
    fn new() -> Self {
        Self {
            fleet: Fleet::default(),
            now: 10 * MS,
        }
    }

    /// `dev/api` with one instance, whose first run is ready.
    fn online() -> Self {
        let mut stage = Self::new();
        stage.apply(spec("dev", "api"));
        stage.rise(&api(1));
        stage
    }

    fn apply(&mut self, spec: AppSpec) -> Vec<Outcome> {
        self.fleet
            .apply(self.now, &By::ann(), Application::of(vec![spec]))
    }

    /// Gives `dev/api`, if there is such an app, as many instances, if it may have them.
    fn scale(&mut self, size: Size) -> Vec<Outcome> {
        self.scale_by(&By::ann(), size)
    }

    fn scale_by(&mut self, by: &By, size: Size) -> Vec<Outcome> {
        let key = dev("api");
        let app = self.fleet.app(&key);
        let scaling = app.and_then(|app| Scaling::of(&key, app, size).ok());
        let now = self.now;
        let scale = |scaling| self.fleet.scale(now, by, scaling, Turn::InOrder);
        scaling.map_or_else(Vec::new, scale)
    }

    fn act(&mut self, verb: Verb, key: &AppKey) -> Outcome {
        self.fleet
            .act(self.now, &By::ann(), verb, &[key.slot(0)])
            .pop()
            .expect("there is such a slot")
    }

    fn report(&mut self, key: &RunKey, report: Report) {
        self.fleet.report(self.now, key, report);
    }

    fn spawned(&mut self, key: &RunKey) {
        self.report(key, Report::Spawned(identity(key, self.now)));
    }

    /// The run comes up and is ready.
    fn rise(&mut self, key: &RunKey) {
        self.spawned(key);
        self.report(key, Report::Ready(Sign::Port));
        self.fleet.take_changes();
    }

    /// The run ends with nothing left, `after` some time.
    fn end(&mut self, key: &RunKey, how: How, after: Duration) {
        self.now += after;
        self.report(key, exited(how, self.now, Left::Nothing));
        self.report(key, Report::Gone);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.fleet.wake(self.now, &Board::default());
    }

    fn meet(&mut self, runs: Vec<(RunKey, Vec<Report>)>) -> Vec<RunKey> {
        let runs = runs
            .into_iter()
            .map(|(key, reports)| (key, Known { reports }))
            .collect();
        let greeting = Greeting {
            boot_id: BOOT.to_owned(),
            runs,
        };
        self.fleet.reconcile(self.now, &greeting)
    }

    fn tasks(&mut self) -> Vec<Task> {
        self.fleet.take_changes().tasks
    }

    fn slot(&self, key: &AppKey) -> &Slot {
        self.fleet.slot(&key.slot(0)).expect("there is such a slot")
    }

    fn state(&self) -> State {
        self.slot(&dev("api")).machine.state()
    }

    fn cause(&self) -> &str {
        &self.slot(&dev("api")).cause
    }
}

/// What each outcome says was done.
fn actions(outcomes: &[Outcome]) -> Vec<(u32, Action, Run)> {
    outcomes
        .iter()
        .map(|outcome| (outcome.slot.instance, outcome.action, outcome.run))
        .collect()
}

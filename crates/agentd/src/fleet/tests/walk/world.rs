//! A keeper, its processes and a disk, as they are on a host where everything may break between two messages.

use std::collections::VecDeque;

use eco_config::spec::{AppName, Condition, Dependency, Kind, RestartWhen, Schedule};

use super::*;
use crate::machine::{Ending, Want};

/// What there is of a run, whoever knows of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alive {
    leader: bool,
    others: bool,
}

/// Whether the agent can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    HasRoom,
    Full,
}

pub(super) enum Message {
    Hello(Greeting),
    Fact(RunKey, Report),
}

pub(super) struct World {
    pub(super) stage: Stage,
    /// The states after the last step.
    seen: BTreeMap<SlotKey, State>,
    /// What is on disk.
    apps: BTreeMap<AppKey, App>,
    last_runs: BTreeMap<SlotKey, Run>,
    disk: Disk,
    /// What could not be written yet.
    unwritten: (BTreeSet<AppKey>, BTreeSet<SlotKey>),
    /// Whether an agent ended before it could write all.
    has_lost: bool,
    /// The latest run of each slot that has a folder.
    folders: BTreeMap<SlotKey, Run>,
    pub(super) processes: BTreeMap<RunKey, Alive>,
    /// What the keeper knows.
    pub(super) table: BTreeMap<RunKey, Vec<Report>>,
    is_connected: bool,
    /// Whether the agent has heard this connection's greeting.
    has_met: bool,
    orders: VecDeque<Task>,
    pub(super) messages: VecDeque<Message>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::new(),
            seen: BTreeMap::new(),
            apps: BTreeMap::new(),
            last_runs: BTreeMap::new(),
            disk: Disk::HasRoom,
            unwritten: Default::default(),
            has_lost: false,
            folders: BTreeMap::new(),
            processes: BTreeMap::new(),
            table: BTreeMap::new(),
            is_connected: false,
            has_met: false,
            orders: VecDeque::new(),
            messages: VecDeque::new(),
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        self.stage.now += MS;
        match step {
            Step::Act(verb, which) => {
                let keys = self.stage.fleet.keys();
                if let Some(key) = keys.get(which as usize % keys.len().max(1)) {
                    let now = self.stage.now;
                    self.stage
                        .fleet
                        .act(now, &By::ann(), verb, std::slice::from_ref(key));
                }
            }
            Step::Apply {
                which,
                instances,
                script,
            } => {
                let asked = AppSpec {
                    instances,
                    script: format!("app{script}.js"),
                    ..apps().swap_remove(which)
                };
                self.stage.apply(asked);
            }
            Step::Scale(to) => drop(self.stage.scale(Size::To(to))),
            Step::Hold => self.stage.fleet.hold(self.stage.now, &By::ann()),
            Step::Resurrect => drop(self.stage.fleet.resurrect(self.stage.now, &By::ann())),
            Step::Due { which } => {
                let due = apps().swap_remove(which).name;
                self.stage.fleet.due(self.stage.now, &dev(due.as_str()));
            }
            Step::Replace { which, by } => self.replace(which, &by),
            Step::Obey { fails } => self.obey(fails),
            Step::Hear => self.hear(),
            Step::Connect => self.connect(),
            Step::Break => self.disconnect(),
            Step::KillAgent => self.kill_agent(),
            Step::KillKeeper => self.kill_keeper(),
            Step::Crash {
                which,
                code,
                leaves,
            } => {
                if let Some(key) = self.nth(which) {
                    self.end_leader(&key, How::Code(code), leaves);
                }
            }
            Step::Vanish(which) => {
                if let Some(key) = self.nth(which) {
                    self.end_others(&key);
                }
            }
            Step::Pass(time) => self.stage.pass(MS * u32::from(time)),
            Step::Disk(disk) => self.disk = disk,
        }
        self.check_turns();
        self.commit();
    }

    fn replace(&mut self, which: u32, by: &By) {
        let slots = self.stage.fleet.slots();
        let runs: Vec<_> = slots
            .map(|(key, _, slot)| key.run(slot.machine.run()))
            .collect();
        if let Some(run) = runs.get(which as usize % runs.len().max(1)) {
            let (now, cause) = (self.stage.now, "replaced".to_owned());
            self.stage.fleet.replace_run(now, run, by, cause);
        }
    }

    /// Whatever begins or ends by what is wanted does so in its turn.
    pub(super) fn check_turns(&mut self) {
        let fleet = &self.stage.fleet;
        let states = || {
            fleet
                .slots()
                .map(|(key, _, slot)| (key, slot.machine.state()))
        };
        for (key, now) in states() {
            let before = self.seen.get(&key).copied().unwrap_or(State::Stopped);
            if before == State::Stopped && matches!(now, State::Spawning { .. }) {
                let open = open_needs(fleet, &key.app);
                assert!(open.is_empty(), "{key} begins before {open:?}");
            }
            let was_up = matches!(before, State::Launching { .. } | State::Online { .. });
            let goes = fleet
                .slot(&key)
                .is_some_and(|slot| slot.machine.want() != Want::Up);
            if was_up && goes && is_asked(now) {
                let first = ending_first(fleet, &key.app);
                assert!(first.is_empty(), "{key} ends before {first:?}");
            }
        }
        self.see();
    }

    fn see(&mut self) {
        let slots = self.stage.fleet.slots();
        self.seen = slots
            .map(|(key, _, slot)| (key, slot.machine.state()))
            .collect();
    }

    /// Writes, if it can, and then sends: what is decided before the greeting is heard is dropped.
    pub(super) fn commit(&mut self) {
        let changes = self.stage.fleet.take_changes();
        self.unwritten.0.extend(changes.apps);
        self.unwritten.1.extend(changes.slots);
        match self.disk {
            Disk::HasRoom => self.write(),
            Disk::Full => {}
        }
        if self.has_met {
            self.orders.extend(changes.tasks);
        }
    }

    fn write(&mut self) {
        let (apps, slots) = std::mem::take(&mut self.unwritten);
        for key in &apps {
            match self.stage.fleet.apps.get(key) {
                Some(app) => drop(self.apps.insert(key.clone(), written(app))),
                None => drop(self.apps.remove(key)),
            }
        }
        for key in &slots {
            if let Some(app) = self.stage.fleet.apps.get(&key.app) {
                self.apps.insert(key.app.clone(), written(app));
            }
            let last_runs = &self.stage.fleet.last_runs;
            if let Some(run) = last_runs.get(key) {
                self.last_runs.insert(key.clone(), *run);
            }
        }
    }

    fn nth(&self, which: u32) -> Option<RunKey> {
        let count = self.processes.len();
        let at = which as usize % count.max(1);
        self.processes.keys().nth(at).cloned()
    }

    fn disconnect(&mut self) {
        (self.is_connected, self.has_met) = (false, false);
        self.orders.clear();
        self.messages.clear();
    }

    fn connect(&mut self) {
        if self.is_connected {
            return;
        }
        self.is_connected = true;
        let known = |reports: &Vec<Report>| Known {
            reports: reports.clone(),
        };
        let runs = self
            .table
            .iter()
            .map(|(key, one)| (key.clone(), known(one)));
        let greeting = Greeting {
            boot_id: BOOT.to_owned(),
            runs: runs.collect(),
        };
        self.messages.push_back(Message::Hello(greeting));
    }

    /// A run that neither the disk nor a keeper knows is taken to end with it.
    fn kill_agent(&mut self) {
        self.disconnect();
        let (apps, slots) = std::mem::take(&mut self.unwritten);
        self.has_lost |= !apps.is_empty() || !slots.is_empty();
        self.stage.fleet = Fleet::restore(self.apps.clone(), self.last_runs.clone());
        let runs = self.folders.iter();
        let runs = runs.map(|(slot, run)| slot.run(*run));
        self.stage.fleet.pass_over(runs);
        let (fleet, table) = (&self.stage.fleet, &self.table);
        self.processes
            .retain(|key, _| table.contains_key(key) || has_process(fleet, key));
        self.see();
    }

    /// A run whose beginning the keeper had no time to tell is taken to end with it: on a real host it would live on, and
    /// nobody here could know of it.
    fn kill_keeper(&mut self) {
        self.disconnect();
        self.table.clear();
        let fleet = &self.stage.fleet;
        self.processes.retain(|key, _| has_process(fleet, key));
    }

    fn hear(&mut self) {
        match self.messages.pop_front() {
            Some(Message::Hello(greeting)) => {
                self.has_met = true;
                let strangers = self.stage.fleet.reconcile(self.stage.now, &greeting);
                assert!(
                    strangers.is_empty() || self.has_lost,
                    "runs that nobody asked for: {strangers:?}"
                );
                if self.has_lost {
                    // What follows the end of a run that was not known has no turn.
                    self.see();
                }
                // Somebody sees them, and has them end.
                for stranger in strangers {
                    self.processes.remove(&stranger);
                    self.table.remove(&stranger);
                }
            }
            Some(Message::Fact(key, report)) => self.stage.report(&key, report),
            None => {}
        }
    }

    fn obey(&mut self, fails: bool) {
        let now = self.stage.now;
        match self.orders.pop_front() {
            Some(Task::Spawn(key)) => {
                let others = self.processes.keys().filter(|one| one.slot == key.slot);
                assert_eq!(others.count(), 0, "a second life of {key}");
                assert!(!self.table.contains_key(&key), "{key} for the second time");
                self.table.insert(key.clone(), Vec::new());
                let last = self.folders.insert(key.slot.clone(), key.run);
                assert!(
                    last < Some(key.run),
                    "a folder of {key} for the second time"
                );
                if fails {
                    let why = "start it".to_owned();
                    self.tell(&key, Report::SpawnFailed { why, at_unix: now });
                    self.tell(&key, Report::Gone);
                } else {
                    let alive = Alive {
                        leader: true,
                        others: false,
                    };
                    self.processes.insert(key.clone(), alive);
                    self.tell(&key, Report::Spawned(identity(&key, now)));
                }
            }
            Some(Task::End(key)) => self.end_leader(&key, How::Signal(SIGINT), true),
            Some(Task::Signal(key, signal)) => {
                self.end_leader(&key, How::Signal(signal), signal != SIGKILL);
                if signal == SIGKILL {
                    self.end_others(&key);
                }
            }
            Some(Task::Forget(key)) => {
                let reports = self.table.remove(&key);
                let is_over = reports.is_none_or(|all| all.contains(&Report::Gone));
                assert!(is_over, "{key} lives and is forgotten");
            }
            Some(Task::Adopt(key, process)) => {
                self.table
                    .insert(key.clone(), vec![Report::Spawned(process)]);
                match self.processes.get(&key).copied() {
                    Some(Alive { leader: true, .. }) => {}
                    Some(_) => self.tell(&key, exited(How::Unknown, now, Left::Processes)),
                    None => {
                        self.tell(&key, exited(How::Unknown, now, Left::Nothing));
                        self.tell(&key, Report::Gone);
                    }
                }
            }
            None => {}
        }
    }

    fn end_leader(&mut self, key: &RunKey, how: How, leaves: bool) {
        let Some(alive) = self.processes.get_mut(key) else {
            return;
        };
        if std::mem::replace(&mut alive.leader, false) {
            alive.others = leaves;
            let left = if leaves {
                Left::Processes
            } else {
                Left::Nothing
            };
            self.tell(key, exited(how, self.stage.now, left));
        }
        self.bury(key);
    }

    fn end_others(&mut self, key: &RunKey) {
        if let Some(alive) = self.processes.get_mut(key) {
            alive.others = false;
            self.bury(key);
        }
    }

    fn bury(&mut self, key: &RunKey) {
        let is_over = |alive: &Alive| !alive.leader && !alive.others;
        if self.processes.get(key).is_some_and(is_over) {
            self.processes.remove(key);
            self.tell(key, Report::Gone);
        }
    }

    /// Only what the keeper knows can it tell.
    fn tell(&mut self, key: &RunKey, report: Report) {
        if let Some(reports) = self.table.get_mut(key) {
            reports.push(report.clone());
            if self.is_connected {
                self.messages.push_back(Message::Fact(key.clone(), report));
            }
        }
    }

    /// The agent hears all that there is to know of the runs: what was adopted may be over, and tells so only then.
    pub(super) fn meet(&mut self) {
        self.step(Step::Connect);
        let adopts = |task: &Task| matches!(task, Task::Adopt(..));
        while !self.messages.is_empty() || self.orders.iter().any(adopts) {
            if self.messages.is_empty() {
                self.step(Step::Obey { fails: false });
            }
            self.step(Step::Hear);
        }
    }

    /// Nothing breaks any more, and time goes by.
    pub(super) fn rest(&mut self) {
        self.step(Step::Disk(Disk::HasRoom));
        self.step(Step::Connect);
        for _ in 0..40 {
            while !self.orders.is_empty() || !self.messages.is_empty() {
                self.step(Step::Hear);
                self.step(Step::Obey { fails: false });
            }
            self.step(Step::Pass(1000));
            let jobs: Vec<_> = self.processes.keys().cloned().collect();
            for key in jobs.iter().filter(|key| key.slot.app == dev("job")) {
                self.end_leader(key, How::Code(0), false);
            }
        }
    }
}

/// All are due by some clock. `top` needs `web` to be ready and `job` to be done, and both need `api`.
fn apps() -> Vec<AppSpec> {
    let on = |name: &str, condition| Dependency::App {
        name: AppName::new(name).expect("a name"),
        condition,
    };
    let needing = |name, depends_on| AppSpec {
        depends_on,
        ..spec("dev", name)
    };
    let mut job = needing("job", vec![on("api", Condition::Started)]);
    job.kind = Kind::Oneshot;
    job.restart.when = RestartWhen::OnFailure;
    let of_both = vec![on("web", Condition::Ready), on("job", Condition::Completed)];
    let mut all = vec![
        spec("dev", "api"),
        needing("web", vec![on("api", Condition::Ready)]),
        job,
        needing("top", of_both),
    ];
    for app in &mut all {
        app.schedule = Some(Schedule::new("0 3 * * *", None).expect("a pattern"));
    }
    all
}

/// What an app needs and what is not there, told from the states alone.
fn open_needs(fleet: &Fleet, app: &AppKey) -> Vec<String> {
    let spec = &fleet.app(app).expect("it is there").spec;
    let is_open = |dependency: &&Dependency| {
        let Dependency::App { name, condition } = dependency else {
            return false;
        };
        let on = fleet.app(&dev(name.as_str()));
        let mut slots = on.into_iter().flat_map(|on| on.slots.values());
        let holds = |slot: &Slot| match (condition, slot.machine.state()) {
            (Condition::Started, State::Launching { .. } | State::Online { .. })
            | (Condition::Ready, State::Online { .. }) => slot.machine.want() == Want::Up,
            (Condition::Completed, State::Stopped) => slot.cause.starts_with("completed"),
            _ => false,
        };
        on.is_none() || !slots.all(|slot| slot.fate == Fate::Leaves || holds(slot))
    };
    let open = spec.depends_on.iter().filter(is_open);
    open.map(|one| format!("{one:?}")).collect()
}

/// The instances that need the app, live, and are to end.
fn ending_first(fleet: &Fleet, app: &AppKey) -> Vec<SlotKey> {
    let needs = |spec: &AppSpec| {
        let mut all = spec.depends_on.iter();
        all.any(|one| matches!(one, Dependency::App { name, .. } if name.as_str() == app.name))
    };
    let lives = |slot: &Slot| {
        !matches!(
            slot.machine.state(),
            State::Stopped | State::Waiting { .. } | State::Errored
        )
    };
    fleet
        .slots()
        .filter(|(_, app, slot)| needs(&app.spec) && lives(slot))
        .filter(|(_, _, slot)| slot.machine.want() != Want::Up)
        .map(|(key, _, _)| key)
        .collect()
}

fn is_asked(state: State) -> bool {
    matches!(
        state,
        State::Ending {
            ending: Ending::Asked(_),
            ..
        }
    )
}

/// Whether the fleet knows the run's process.
fn has_process(fleet: &Fleet, key: &RunKey) -> bool {
    fleet
        .slot(&key.slot)
        .is_some_and(|slot| slot.machine.run() == key.run && slot.identity.is_some())
}

/// An app as it comes back from disk.
fn written(app: &App) -> App {
    let slot = |slot: &Slot| {
        Slot::restore(
            slot.id,
            slot.machine.clone(),
            slot.identity.clone(),
            slot.fate,
            History {
                cause: slot.cause.clone(),
                by: slot.by.clone(),
                lull: slot.lull,
                began: slot.began.clone(),
                exits: slot.exits.clone(),
            },
        )
    };
    App {
        spec: Arc::clone(&app.spec),
        slots: app
            .slots
            .iter()
            .map(|(key, one)| (*key, slot(one)))
            .collect(),
    }
}

//! Our own types to the agent's messages, and back.

use std::collections::BTreeMap;

use eco_config::spec::{AppSpec, ExecMode, Keeping, Kind};
use eco_home::clock;
use eco_home::clock::nanos;
use eco_proto::agent::v1 as pb;

use super::health;
use crate::fleet::scale::Size;
use crate::fleet::select::{Reach, Selection};
use crate::fleet::wait::{self, Wait};
use crate::fleet::{Action, App, Board, Exit, Fleet, Outcome, Slot, SlotKey, Verb};
use crate::limits::{self, Groups, Kept};
use crate::machine::{Machine, Pending, State, Turn};
use crate::resolve::{self, Resolved, Script};
use crate::sample::Usage;
use crate::store::{of_begun, of_by, of_exit};
use crate::supervisor::Scaled;

/// Whose message asks for everything at once may reach everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// To see.
    ToLook,
    /// To change something.
    ToTouch,
}

pub(super) fn selection(selection: Option<pb::Selection>, asks: Asks) -> Selection {
    let selection = selection.unwrap_or_default();
    let looks_at_all = asks == Asks::ToLook && selection.selectors.is_empty();
    let reach = if selection.every_environment || looks_at_all {
        Reach::EveryEnvironment
    } else {
        Reach::OneEnvironment
    };
    Selection {
        selectors: selection.selectors,
        environment: selection.environment,
        reach,
    }
}

/// `None`: a verb of a later version.
pub(super) const fn verb(verb: pb::Verb, turn: Turn) -> Option<Verb> {
    match verb {
        pb::Verb::Start => Some(Verb::Start(turn)),
        pb::Verb::Stop => Some(Verb::Stop),
        pb::Verb::Restart => Some(Verb::Restart(turn)),
        pb::Verb::Delete => Some(Verb::Delete),
        pb::Verb::Reset => Some(Verb::Reset),
        pb::Verb::Unspecified => None,
    }
}

/// `None`: nobody said how many, or a later version says it in another way.
pub(super) const fn size(size: Option<pb::scale_request::Size>) -> Option<Size> {
    match size {
        Some(pb::scale_request::Size::To(to)) => Some(Size::To(to)),
        Some(pb::scale_request::Size::More(more)) => Some(Size::More(more)),
        Some(pb::scale_request::Size::Fewer(fewer)) => Some(Size::Fewer(fewer)),
        None => None,
    }
}

/// Whether what is started waits for what it depends on.
pub(super) const fn turn(no_dependencies: bool) -> Turn {
    if no_dependencies {
        Turn::AtOnce
    } else {
        Turn::InOrder
    }
}

/// Outcomes, with what is worth knowing about each app's specification at its first one.
pub(super) fn outcomes(
    outcomes: Vec<Outcome>,
    notes: &BTreeMap<crate::fleet::AppKey, Vec<String>>,
) -> Vec<pb::Outcome> {
    let mut notes = notes.clone();
    outcomes
        .into_iter()
        .map(|outcome| pb::Outcome {
            notes: {
                let of_app = notes.remove(&outcome.slot.app).unwrap_or_default();
                outcome.notes.into_iter().chain(of_app).collect()
            },
            environment: outcome.slot.app.environment,
            name: outcome.slot.app.name,
            instance: outcome.slot.instance,
            id: outcome.id,
            action: action(outcome.action).into(),
            run: outcome.run,
        })
        .collect()
}

pub(super) fn scaled(scaled: Scaled) -> pb::ScaleReply {
    let Scaled {
        app,
        from,
        to,
        outcomes,
    } = scaled;
    pb::ScaleReply {
        outcomes: self::outcomes(outcomes, &BTreeMap::new()),
        environment: app.environment,
        name: app.name,
        from,
        to,
    }
}

const fn action(action: Action) -> pb::Action {
    match action {
        Action::Created => pb::Action::Created,
        Action::Registered => pb::Action::Registered,
        Action::Started => pb::Action::Started,
        Action::Restarted => pb::Action::Restarted,
        Action::Unchanged => pb::Action::Unchanged,
        Action::Stopped => pb::Action::Stopped,
        Action::Deleted => pb::Action::Deleted,
        Action::Reset => pb::Action::Reset,
        Action::LeftDown => pb::Action::LeftDown,
    }
}

/// What a specification asks for that this version does not do.
pub(super) fn notes(spec: &AppSpec, groups: &Groups) -> Vec<String> {
    let mut notes = limits::notes(&kept(spec, groups));
    notes.extend(
        resolve::resolve(spec)
            .into_iter()
            .flat_map(|resolved| resolved.notes),
    );
    if spec.exec_mode == ExecMode::Cluster {
        notes.push(
            "Cluster mode is not available yet: the instances run as processes of their own and share no port; \
             `exec_mode: 'fork'` with `increment_var: 'PORT'` gives each its own."
                .to_owned(),
        );
    }
    if spec.ready.wait_ready && spec.ready.probe.is_some() {
        notes.push(
            "wait_ready is not waited for: the app is ready when its readiness probe says so."
                .to_owned(),
        );
    }
    let files = resolve::log_files(spec);
    notes.extend(files.iter().filter_map(|file| file.problem(0)));
    let roots = resolve::watched(spec).map_or_else(Vec::new, |watched| watched.roots);
    for root in roots.iter().filter(|root| !root.path.exists()) {
        notes.push(format!(
            "{:?}, which is to be watched, is not there yet: a change is seen once {} is there.",
            root.written,
            root.path.display()
        ));
    }
    notes
}

/// What keeps the limits of an app; nothing for one that cannot be run here.
pub(super) fn kept(spec: &AppSpec, groups: &Groups) -> Vec<Kept> {
    if spec.limits.is_none() {
        return Vec::new();
    }
    let owner = resolve::resolve(spec).map(|resolved| resolved.owner());
    owner.map_or_else(
        |_| Vec::new(),
        |owner| limits::kept(&spec.limits, groups, owner),
    )
}

pub(super) fn kept_limits(kept: Vec<Kept>) -> Vec<pb::KeptLimit> {
    let limit = |kept: Kept| pb::KeptLimit {
        name: kept.name.to_owned(),
        value: kept.value,
        how: kept.by.how().to_owned(),
        is_kept: kept.by != limits::Keeper::Nothing,
    };
    kept.into_iter().map(limit).collect()
}

/// The instances of `slots`, with what their processes use and what their probes say.
pub(super) fn instances(
    fleet: &Fleet,
    slots: &[SlotKey],
    usages: &BTreeMap<i32, Usage>,
    board: &Board,
) -> Vec<pb::Instance> {
    slots
        .iter()
        .filter_map(|key| {
            let app = fleet.app(&key.app)?;
            let slot = app.slots.get(&key.instance)?;
            let told = pb::Instance {
                health: health::of(key, app, slot, board),
                ..instance(key, app, slot, usages)
            };
            Some(with_waits(told, slot, &fleet.waits(key)))
        })
        .collect()
}

fn instance(key: &SlotKey, app: &App, slot: &Slot, usages: &BTreeMap<i32, Usage>) -> pb::Instance {
    let now = clock::since_boot();
    let living = living(slot);
    let pid = living.map(|(pid, _)| pid);
    let usage = pid.and_then(|pid| usages.get(&pid));
    let measured = usage.map(|usage| usage.measured).unwrap_or_default();
    let spec = &app.spec;
    pb::Instance {
        id: slot.id,
        environment: key.app.environment.clone(),
        name: key.app.name.clone(),
        instance: key.instance,
        namespace: spec.namespace.clone(),
        status: status(&slot.machine).into(),
        pid,
        run: slot.machine.run(),
        restarts: slot.machine.restarts(),
        unstable_restarts: slot.machine.strikes(),
        uptime_ms: living.map(|(_, since)| millis(now.saturating_sub(since))),
        cpu_percent: usage.map(|usage| usage.cpu_percent),
        memory_bytes: usage.map(|usage| usage.memory_bytes),
        // What it runs as, whatever was asked for.
        exec_mode: pb::ExecMode::Fork.into(),
        watch: spec.watch.is_some(),
        cause: slot.cause.clone(),
        started_ns: slot
            .identity
            .as_ref()
            .filter(|_| pid.is_some())
            .map(|it| nanos(it.since_unix)),
        restart_in_ms: match slot.machine.state() {
            State::Waiting { until } => Some(millis(until.saturating_sub(now))),
            State::Stopped
            | State::Spawning { .. }
            | State::Launching { .. }
            | State::Online { .. }
            | State::Ending { .. }
            | State::Errored => None,
        },
        pss_bytes: measured.proportional_bytes,
        fds: measured.descriptors,
        threads: measured.threads,
        last_exit: slot.exits.front().map(of_exit),
        began: slot.began.as_ref().map(of_begun),
        by: Some(of_by(&slot.by)),
        health: None,
        waits: Vec::new(),
        oneshot: spec.kind == Kind::Oneshot,
        discards: spec.logs.keeping == Keeping::Nothing,
    }
}

/// What it waits for is the cause of its being where it is.
fn with_waits(instance: pb::Instance, slot: &Slot, waits: &[Wait]) -> pb::Instance {
    let Some((pending, told)) = slot.machine.pending().zip(wait::told(waits)) else {
        return instance;
    };
    pb::Instance {
        cause: match pending {
            Pending::Begin => told,
            Pending::End => format!("{}; {told}", slot.cause),
        },
        waits: waits.iter().map(of_wait).collect(),
        ..instance
    }
}

fn of_wait(wait: &Wait) -> pb::Wait {
    pb::Wait {
        on: wait.on(),
        text: wait.to_string(),
        stuck: wait.is_stuck(),
    }
}

/// The first process of a living run, and when it was spawned.
pub(super) fn living(slot: &Slot) -> Option<(i32, std::time::Duration)> {
    match slot.machine.state() {
        State::Launching { pid, since } | State::Online { pid, since } => Some((pid, since)),
        State::Ending { pid, .. } => Some((pid, slot.identity.as_ref()?.since)),
        State::Stopped | State::Spawning { .. } | State::Waiting { .. } | State::Errored => None,
    }
}

/// What is wanted and waits for its turn is shown as on its way.
const fn status(machine: &Machine) -> pb::Status {
    match machine.pending() {
        Some(Pending::Begin) => return pb::Status::Launching,
        Some(Pending::End) => return pb::Status::Stopping,
        None => {}
    }
    match machine.state() {
        State::Stopped => pb::Status::Stopped,
        State::Spawning { .. } | State::Launching { .. } => pb::Status::Launching,
        State::Online { .. } => pb::Status::Online,
        State::Ending { .. } => pb::Status::Stopping,
        State::Waiting { .. } => pb::Status::WaitingRestart,
        State::Errored => pb::Status::Errored,
    }
}

pub(super) fn resolved(resolved: Resolved) -> pb::Resolved {
    pb::Resolved {
        script: match resolved.script {
            Script::File(path) => path.display().to_string(),
            Script::CommandLine(line) => line,
        },
        cwd: resolved.cwd.display().to_string(),
        interpreter: resolved
            .interpreter
            .map_or(String::new(), |path| path.display().to_string()),
    }
}

pub(super) fn exits<'a>(exits: impl IntoIterator<Item = &'a Exit>) -> Vec<pb::Exit> {
    exits.into_iter().map(of_exit).collect()
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::environment::tests::spec;
    use crate::fleet::apply::{Application, policy};
    use crate::fleet::{AppKey, By, Identity, Report};
    use crate::sample::Measured;

    fn fleet() -> (Fleet, SlotKey) {
        let mut fleet = Fleet::default();
        let asked = spec("dev", "api");
        let key = AppKey::of(&asked).slot(0);
        fleet.apply(
            clock::since_boot(),
            &By::ann(),
            Application::of(vec![asked]),
        );
        (fleet, key)
    }

    fn shown(fleet: &Fleet, key: &SlotKey) -> pb::Instance {
        let usage = Usage {
            cpu_percent: 1.5,
            memory_bytes: 7,
            measured: Measured {
                threads: Some(3),
                ..Measured::default()
            },
        };
        instances(
            fleet,
            std::slice::from_ref(key),
            &BTreeMap::from([(42, usage)]),
            &Board::default(),
        )
        .remove(0)
    }

    fn spawn(fleet: &mut Fleet, key: &SlotKey) {
        let now = clock::since_boot();
        let identity = Identity {
            pid: 42,
            start_ticks: 1,
            boot_id: "boot".to_owned(),
            since: now,
            since_unix: Duration::from_secs(9),
        };
        fleet.report(now, &key.run(1), Report::Spawned(identity));
    }

    #[test]
    fn an_instance_without_a_process_shows_no_pid_and_nothing_that_a_process_has() {
        let (fleet, key) = fleet();
        let shown = shown(&fleet, &key);
        assert_eq!(shown.status(), pb::Status::Launching);
        assert_eq!(
            (shown.pid, shown.uptime_ms, shown.started_ns),
            (None, None, None)
        );
        assert_eq!((shown.cpu_percent, shown.memory_bytes), (None, None));
    }

    #[test]
    fn a_living_instance_shows_its_process_until_it_is_over() {
        let (mut fleet, key) = fleet();
        spawn(&mut fleet, &key);
        let living = shown(&fleet, &key);
        assert_eq!((living.pid, living.memory_bytes), (Some(42), Some(7)));
        assert_eq!((living.threads, living.fds), (Some(3), None));
        assert_eq!(living.started_ns, Some(9_000_000_000));
        fleet.act(
            clock::since_boot(),
            &By::ann(),
            Verb::Stop,
            std::slice::from_ref(&key),
        );
        let ending = shown(&fleet, &key);
        assert_eq!(
            (ending.status(), ending.pid),
            (pb::Status::Stopping, Some(42))
        );
        assert!(ending.uptime_ms.is_some());
        fleet.report(clock::since_boot(), &key.run(1), Report::Gone);
        let over = shown(&fleet, &key);
        assert_eq!((over.status(), over.pid), (pb::Status::Stopped, None));
        assert_eq!((over.started_ns, over.uptime_ms), (None, None));
    }

    #[test]
    fn every_state_has_the_status_that_people_know() {
        use crate::machine::{Ending, Replace, Saved, Want};
        let shown = |want, state| {
            let (run, strikes, attempts, restarts) = (1, 0, 0, 0);
            let saved = Saved {
                want,
                state,
                run,
                strikes,
                attempts,
                restarts,
            };
            status(&Machine::restore(policy(&spec("dev", "api"), None), saved))
        };
        let (pid, since) = (1, Duration::ZERO);
        let spawning = State::Spawning {
            replace: Replace::No,
        };
        let (launching, online) = (
            State::Launching { pid, since },
            State::Online { pid, since },
        );
        let ending = State::Ending {
            pid,
            ending: Ending::Asked(Turn::InOrder),
            kill_at: since,
        };
        assert_eq!(shown(Want::Down, State::Stopped), pb::Status::Stopped);
        assert_eq!(shown(Want::Held, State::Stopped), pb::Status::Stopped);
        assert_eq!(shown(Want::Up, spawning), pb::Status::Launching);
        assert_eq!(shown(Want::Up, launching), pb::Status::Launching);
        assert_eq!(shown(Want::Up, online), pb::Status::Online);
        assert_eq!(shown(Want::Down, ending), pb::Status::Stopping);
        let waiting = State::Waiting { until: since };
        assert_eq!(shown(Want::Up, waiting), pb::Status::WaitingRestart);
        assert_eq!(shown(Want::Up, State::Errored), pb::Status::Errored);
        // Its turn has not come.
        assert_eq!(shown(Want::Up, State::Stopped), pb::Status::Launching);
        assert_eq!(shown(Want::Down, online), pb::Status::Stopping);
        assert_eq!(shown(Want::Held, launching), pb::Status::Stopping);
    }

    #[test]
    fn who_looks_at_everything_sees_every_environment_and_who_touches_does_not() {
        let nothing = || Some(pb::Selection::default());
        let reach = |asked, asks| selection(asked, asks).reach;
        assert_eq!(reach(nothing(), Asks::ToLook), Reach::EveryEnvironment);
        assert_eq!(reach(None, Asks::ToLook), Reach::EveryEnvironment);
        assert_eq!(reach(nothing(), Asks::ToTouch), Reach::OneEnvironment);
        let named = pb::Selection {
            selectors: vec!["api".to_owned()],
            ..pb::Selection::default()
        };
        assert_eq!(
            reach(Some(named.clone()), Asks::ToLook),
            Reach::OneEnvironment
        );
        let everywhere = pb::Selection {
            every_environment: true,
            ..named
        };
        assert_eq!(
            reach(Some(everywhere), Asks::ToTouch),
            Reach::EveryEnvironment
        );
    }

    #[test]
    fn an_apps_notes_come_with_its_first_outcome_only() {
        let app = AppKey::of(&spec("dev", "api"));
        let outcome = |instance| Outcome {
            slot: app.slot(instance),
            id: instance,
            action: Action::Created,
            run: 1,
            notes: vec!["another".to_owned()],
        };
        let notes = BTreeMap::from([(app.clone(), vec!["a note".to_owned()])]);
        let told = outcomes(vec![outcome(0), outcome(1)], &notes);
        assert_eq!(told[0].notes, ["another", "a note"]);
        assert_eq!(told[1].notes, ["another"]);
    }

    #[test]
    fn a_verb_of_a_later_version_is_no_verb() {
        assert_eq!(verb(pb::Verb::Unspecified, Turn::InOrder), None);
        assert_eq!(verb(pb::Verb::Delete, Turn::InOrder), Some(Verb::Delete));
    }
}

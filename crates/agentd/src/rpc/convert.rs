//! Our own types to the agent's messages, and back.

use std::collections::BTreeMap;

use eco_config::spec::{AppSpec, ExecMode};
use eco_home::clock;
use eco_home::clock::nanos;
use eco_proto::agent::v1 as pb;

use crate::fleet::select::{Reach, Selection};
use crate::fleet::{Action, App, Exit, Fleet, Outcome, Slot, SlotKey, Verb};
use crate::machine::State;
use crate::resolve::{self, Resolved, Script};
use crate::sample::Usage;
use crate::store::of_exit;

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
pub(super) const fn verb(verb: pb::Verb) -> Option<Verb> {
    match verb {
        pb::Verb::Start => Some(Verb::Start),
        pb::Verb::Stop => Some(Verb::Stop),
        pb::Verb::Restart => Some(Verb::Restart),
        pb::Verb::Delete => Some(Verb::Delete),
        pb::Verb::Unspecified => None,
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
            notes: notes.remove(&outcome.slot.app).unwrap_or_default(),
            environment: outcome.slot.app.environment,
            name: outcome.slot.app.name,
            instance: outcome.slot.instance,
            id: outcome.id,
            action: action(outcome.action).into(),
            run: outcome.run,
        })
        .collect()
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
    }
}

/// What a specification asks for that this version does not do.
pub(super) fn notes(spec: &AppSpec) -> Vec<String> {
    let mut notes = Vec::new();
    if spec.exec_mode == ExecMode::Cluster {
        notes.push(
            "Cluster mode is not available yet: the instances run as processes of their own and share no port; \
             `exec_mode: 'fork'` with `increment_var: 'PORT'` gives each its own."
                .to_owned(),
        );
    }
    for path in resolve::watched(spec).missing {
        notes.push(format!(
            "{path:?}, which is to be watched, is not there and is left out."
        ));
    }
    if spec.ready.wait_ready {
        notes.push(
            "wait_ready is not available yet: the app counts as ready when it listens on its PORT, or after listen_timeout."
                .to_owned(),
        );
    }
    notes
}

/// The instances of `slots`, with what their processes use.
pub(super) fn instances(
    fleet: &Fleet,
    slots: &[SlotKey],
    usages: &BTreeMap<i32, Usage>,
) -> Vec<pb::Instance> {
    slots
        .iter()
        .filter_map(|key| {
            let app = fleet.app(&key.app)?;
            Some(instance(key, app, app.slots.get(&key.instance)?, usages))
        })
        .collect()
}

fn instance(key: &SlotKey, app: &App, slot: &Slot, usages: &BTreeMap<i32, Usage>) -> pb::Instance {
    let now = clock::since_boot();
    let living = living(slot);
    let pid = living.map(|(pid, _)| pid);
    let usage = pid.and_then(|pid| usages.get(&pid));
    let spec = &app.spec;
    pb::Instance {
        id: slot.id,
        environment: key.app.environment.clone(),
        name: key.app.name.clone(),
        instance: key.instance,
        namespace: spec.namespace.clone(),
        status: status(slot.machine.state()).into(),
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
        last_exit: slot.exits.front().map(of_exit),
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

const fn status(state: State) -> pb::Status {
    match state {
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

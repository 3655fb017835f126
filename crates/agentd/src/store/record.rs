//! The form of each record, in and out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::AppSpec;
use eco_home::clock::nanos;
use eco_proto::agent::v1 as agent;
use eco_proto::state::v1 as pb;
use eco_proto::state::v1::state::State as PbState;
use prost::Message;

use crate::environment::expected_port;
use crate::fleet::apply::policy;
use crate::fleet::{
    App, AppKey, Armed, Begun, By, Exit, Fate, History, How, Identity, Lull, Slot, SlotKey,
};
use crate::machine::{Ended, Ending, Machine, Replace, Run, Saved, State, Turn, Want};

/// The version that is written.
const VERSION: u8 = 1;

/// A record that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the record {key}: {problem}")]
pub struct BadRecord {
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

impl BadRecord {
    pub(super) fn new(key: &[u8], problem: &(impl ToString + ?Sized)) -> Self {
        Self {
            key: String::from_utf8_lossy(key).into_owned(),
            problem: problem.to_string(),
        }
    }

    /// A slot whose app is not there.
    pub(super) fn orphan(key: &SlotKey) -> Self {
        Self::new(key.to_string().as_bytes(), "its app is not there")
    }
}

pub(super) fn of_app(app: &App) -> Vec<u8> {
    versioned(&pb::App {
        spec: Some(app.spec.as_ref().into()),
    })
}

pub(super) fn app(key: &[u8], value: &[u8]) -> Result<App, BadRecord> {
    let record: pb::App = decode(key, value)?;
    let spec = record
        .spec
        .ok_or_else(|| BadRecord::new(key, "it is empty"))?;
    let spec = AppSpec::try_from(spec).map_err(|error| BadRecord::new(key, &error))?;
    Ok(App {
        spec: Arc::new(spec),
        slots: BTreeMap::new(),
    })
}

pub(super) fn of_run_number(run: Run) -> Vec<u8> {
    let mut value = vec![VERSION];
    value.extend(run.to_le_bytes());
    value
}

pub(super) fn run_number(key: &[u8], value: &[u8]) -> Result<(SlotKey, Run), BadRecord> {
    let name = slot_key(key)?;
    let number = value
        .strip_prefix(&[VERSION])
        .and_then(|rest| rest.try_into().ok());
    let number = number.ok_or_else(|| BadRecord::new(key, "it is no number of version 1"))?;
    Ok((name, Run::from_le_bytes(number)))
}

/// Undoes the key's `Display`. An environment's name holds no slash; an app's may hold anything.
pub(super) fn slot_key(key: &[u8]) -> Result<SlotKey, BadRecord> {
    let parse = || {
        let text = std::str::from_utf8(key).ok()?;
        let (app, instance) = text.rsplit_once('#')?;
        let (environment, name) = app.split_once('/')?;
        let app = AppKey {
            environment: environment.to_owned(),
            name: name.to_owned(),
        };
        Some(app.slot(instance.parse().ok()?))
    };
    parse().ok_or_else(|| BadRecord::new(key, "its key is no slot's"))
}

pub(super) fn of_slot(slot: &Slot) -> Vec<u8> {
    let Saved {
        want,
        state,
        run,
        strikes,
        attempts,
        restarts,
    } = slot.machine.saved();
    versioned(&pb::Slot {
        id: slot.id,
        want: of_want(want).into(),
        state: Some(pb::State {
            state: Some(of_state(state)),
        }),
        run,
        strikes,
        attempts,
        restarts,
        cause: slot.cause.clone(),
        exits: slot.exits.iter().map(of_exit).collect(),
        process: slot.identity.as_ref().map(of_identity),
        leaving: slot.fate == Fate::Leaves,
        by: Some(of_by(&slot.by)),
        lull: of_lull(slot.lull).into(),
        began: slot.began.as_ref().map(of_begun),
        port: slot.port.map(u32::from),
    })
}

pub(super) fn slot(key: &SlotKey, value: &[u8], spec: &AppSpec) -> Result<Slot, BadRecord> {
    let name = key.to_string();
    let record: pb::Slot = decode(name.as_bytes(), value)?;
    let want = record.want();
    let state = record.state.and_then(|state| state.state);
    let saved = Saved {
        want: match want {
            pb::Want::Up => Want::Up,
            pb::Want::Held => Want::Held,
            pb::Want::Down | pb::Want::Unspecified => Want::Down,
        },
        state: state
            .map(to_state)
            .ok_or_else(|| BadRecord::new(name.as_bytes(), "it has no state"))?,
        run: record.run,
        strikes: record.strikes,
        attempts: record.attempts,
        restarts: record.restarts,
    };
    let history = History {
        lull: to_lull(record.lull(), &record.cause),
        cause: record.cause,
        by: to_by(record.by),
        began: record.began.map(to_begun),
        exits: record.exits.into_iter().map(to_exit).collect(),
    };
    let fate = if record.leaving {
        Fate::Leaves
    } else {
        Fate::Stays
    };
    let port = record.port.and_then(|port| u16::try_from(port).ok());
    let port = port.or_else(|| expected_port(spec, key.instance));
    let machine = Machine::restore(policy(spec, port), saved);
    let identity = record.process.map(to_identity);
    let mut slot = Slot::restore(record.id, machine, identity, fate, history);
    slot.port = port;
    Ok(slot)
}

pub(super) fn versioned(record: &impl Message) -> Vec<u8> {
    let mut value = vec![VERSION];
    value.extend(record.encode_to_vec());
    value
}

pub(super) fn decode<M: Message + Default>(key: &[u8], value: &[u8]) -> Result<M, BadRecord> {
    match value.split_first() {
        Some((&VERSION, record)) => M::decode(record).map_err(|error| BadRecord::new(key, &error)),
        Some((version, _)) => Err(BadRecord::new(
            key,
            &format!("its version {version} is not known"),
        )),
        None => Err(BadRecord::new(key, "it is empty")),
    }
}

const fn of_lull(lull: Lull) -> pb::Lull {
    match lull {
        Lull::None => pb::Lull::None,
        Lull::Registered => pb::Lull::Registered,
        Lull::Rested(Armed::Ended) => pb::Lull::RestedEnded,
        Lull::Rested(Armed::Registered) => pb::Lull::RestedRegistered,
    }
}

fn to_lull(lull: pb::Lull, cause: &str) -> Lull {
    match lull {
        pb::Lull::Unspecified => Lull::of_cause(cause),
        pb::Lull::None => Lull::None,
        pb::Lull::Registered => Lull::Registered,
        pb::Lull::RestedEnded => Lull::Rested(Armed::Ended),
        pb::Lull::RestedRegistered => Lull::Rested(Armed::Registered),
    }
}

const fn of_want(want: Want) -> pb::Want {
    match want {
        Want::Up => pb::Want::Up,
        Want::Down => pb::Want::Down,
        Want::Held => pb::Want::Held,
    }
}

fn of_state(state: State) -> PbState {
    match state {
        State::Stopped => PbState::Stopped(pb::Stopped {}),
        State::Errored => PbState::Errored(pb::Errored {}),
        State::Spawning { replace } => PbState::Spawning(pb::Spawning {
            replace: replace != Replace::No,
            at_once: replace == Replace::Yes(Turn::AtOnce),
        }),
        State::Launching { pid, since } => PbState::Launching(pb::Living {
            pid,
            since: nanos(since),
        }),
        State::Online { pid, since } => PbState::Online(pb::Living {
            pid,
            since: nanos(since),
        }),
        State::Ending {
            pid,
            ending,
            kill_at,
        } => PbState::Ending(pb::Ending {
            pid,
            kill_at: nanos(kill_at),
            at_once: ending == Ending::Asked(Turn::AtOnce),
            by_itself: match ending {
                Ending::Asked(_) => None,
                Ending::ByItself { how, lived } => Some(of_ended(how, lived)),
            },
        }),
        State::Waiting { until } => PbState::Waiting(pb::Waiting {
            until: nanos(until),
        }),
    }
}

fn to_state(state: PbState) -> State {
    match state {
        PbState::Stopped(_) => State::Stopped,
        PbState::Errored(_) => State::Errored,
        PbState::Spawning(pb::Spawning { replace, at_once }) => State::Spawning {
            replace: if replace {
                Replace::Yes(to_turn(at_once))
            } else {
                Replace::No
            },
        },
        PbState::Launching(pb::Living { pid, since }) => State::Launching {
            pid,
            since: Duration::from_nanos(since),
        },
        PbState::Online(pb::Living { pid, since }) => State::Online {
            pid,
            since: Duration::from_nanos(since),
        },
        PbState::Ending(pb::Ending {
            pid,
            kill_at,
            by_itself,
            at_once,
        }) => State::Ending {
            pid,
            kill_at: Duration::from_nanos(kill_at),
            ending: by_itself.map_or(Ending::Asked(to_turn(at_once)), to_ended),
        },
        PbState::Waiting(pb::Waiting { until }) => State::Waiting {
            until: Duration::from_nanos(until),
        },
    }
}

const fn to_turn(at_once: bool) -> Turn {
    if at_once { Turn::AtOnce } else { Turn::InOrder }
}

fn of_ended(how: Ended, lived: Duration) -> pb::Ended {
    use pb::ended::How as Pb;
    let how = match how {
        Ended::Code(code) => Pb::Code(code),
        Ended::Signal(signal) => Pb::Signal(signal),
        Ended::Unknown => Pb::Unknown(true),
        Ended::NotSpawned => Pb::NotSpawned(true),
        Ended::NotReady => Pb::NotReady(true),
        Ended::Ill => Pb::Ill(true),
    };
    pb::Ended {
        how: Some(how),
        lived: nanos(lived),
    }
}

fn to_ended(ended: pb::Ended) -> Ending {
    use pb::ended::How as Pb;
    let how = match ended.how {
        Some(Pb::Code(code)) => Ended::Code(code),
        Some(Pb::Signal(signal)) => Ended::Signal(signal),
        Some(Pb::NotSpawned(_)) => Ended::NotSpawned,
        Some(Pb::NotReady(_)) => Ended::NotReady,
        Some(Pb::Ill(_)) => Ended::Ill,
        Some(Pb::Unknown(_)) | None => Ended::Unknown,
    };
    Ending::ByItself {
        how,
        lived: Duration::from_nanos(ended.lived),
    }
}

fn of_identity(identity: &Identity) -> pb::Process {
    pb::Process {
        pid: identity.pid,
        start_ticks: identity.start_ticks,
        boot_id: identity.boot_id.clone(),
        boot_ns: nanos(identity.since),
        unix_ns: nanos(identity.since_unix),
    }
}

fn to_identity(process: pb::Process) -> Identity {
    Identity {
        pid: process.pid,
        start_ticks: process.start_ticks,
        boot_id: process.boot_id,
        since: Duration::from_nanos(process.boot_ns),
        since_unix: Duration::from_nanos(process.unix_ns),
    }
}

/// An end as it is kept, and as it is told.
#[must_use]
pub(crate) fn of_exit(exit: &Exit) -> agent::Exit {
    use agent::exit::How as Pb;
    let (how, out_of_memory) = match &exit.how {
        How::OutOfMemory { how, limit } => (
            how.as_ref(),
            Some(agent::OutOfMemory {
                limit_bytes: *limit,
            }),
        ),
        how @ (How::Code(_) | How::Signal(_) | How::Unknown | How::NotSpawned(_)) => (how, None),
    };
    agent::Exit {
        run: exit.run,
        out_of_memory,
        how: Some(match how {
            How::Code(code) => Pb::Code(*code),
            How::Signal(signal) => Pb::Signal(*signal),
            How::Unknown | How::OutOfMemory { .. } => Pb::Unknown(true),
            How::NotSpawned(why) => Pb::SpawnFailed(why.clone()),
        }),
        at_ns: nanos(exit.at_unix),
        lived_ms: u64::try_from(exit.lived.as_millis()).unwrap_or(u64::MAX),
        cause: exit.cause.clone(),
        began: exit.began.as_ref().map(of_begun),
        by: Some(of_by(&exit.by)),
        completed: exit.is_completion,
    }
}

pub(super) fn to_exit(exit: agent::Exit) -> Exit {
    use agent::exit::How as Pb;
    let how = match exit.how {
        Some(Pb::Code(code)) => How::Code(code),
        Some(Pb::Signal(signal)) => How::Signal(signal),
        Some(Pb::SpawnFailed(why)) => How::NotSpawned(why),
        Some(Pb::Unknown(_)) | None => How::Unknown,
    };
    Exit {
        run: exit.run,
        how: match exit.out_of_memory {
            Some(agent::OutOfMemory { limit_bytes }) => How::OutOfMemory {
                how: Box::new(how),
                limit: limit_bytes,
            },
            None => how,
        },
        at_unix: Duration::from_nanos(exit.at_ns),
        lived: Duration::from_millis(exit.lived_ms),
        cause: exit.cause,
        by: to_by(exit.by),
        began: exit.began.map(to_begun),
        is_completion: exit.completed,
    }
}

/// Why a run began, as it is kept, and as it is told.
#[must_use]
pub(crate) fn of_begun(begun: &Begun) -> agent::Beginning {
    agent::Beginning {
        cause: begun.cause.clone(),
        by: Some(of_by(&begun.by)),
        at_ns: nanos(begun.at_unix),
    }
}

fn to_begun(begun: agent::Beginning) -> Begun {
    Begun {
        cause: begun.cause,
        by: to_by(begun.by),
        at_unix: Duration::from_nanos(begun.at_ns),
    }
}

/// Who asked, as it is kept, and as it is told.
#[must_use]
pub(crate) fn of_by(by: &By) -> agent::By {
    use agent::by::Who;
    let (who, person) = match by {
        By::Person(name) => (Who::Person, name.clone()),
        By::Watch => (Who::Watch, String::new()),
        By::Memory => (Who::Memory, String::new()),
        By::Schedule => (Who::Schedule, String::new()),
        By::Probe => (Who::Probe, String::new()),
        By::Boot => (Who::Boot, String::new()),
        By::Itself => (Who::Itself, String::new()),
        By::Unknown => (Who::Unspecified, String::new()),
    };
    agent::By {
        who: who.into(),
        person,
    }
}

pub(super) fn to_by(by: Option<agent::By>) -> By {
    use agent::by::Who;
    let Some(by) = by else { return By::Unknown };
    match by.who() {
        Who::Person => By::Person(by.person),
        Who::Watch => By::Watch,
        Who::Memory => By::Memory,
        Who::Schedule => By::Schedule,
        Who::Probe => By::Probe,
        Who::Boot => By::Boot,
        Who::Itself => By::Itself,
        Who::Unspecified => By::Unknown,
    }
}

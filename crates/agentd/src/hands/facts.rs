//! What happened to a run so far, and the messages that tell it: pure.
//!
//! ```text
//!   Spawned ──▶ Exited ──▶ Gone         the usual life
//!   SpawnFailed ─────────▶ Gone         it never began
//!               Exited ──▶ Gone         adopted too late
//! ```
//!
//! Each fact is told once; what is remembered of it goes into every Hello until the agent forgets the run.

use eco_home::clock;
use eco_proto::keeper::v1::from_keeper::Message;
use eco_proto::keeper::v1::{
    ChannelClosed, Exited, Gone, Grown, Moment, Notified, OutOfMemory, RunKey, RunState, Said,
    SpawnFailed, Spawned, exited,
};

use super::channel::Channel;
use crate::os::exit::Exit;
use crate::os::process::Identity;

/// Reads both clocks.
pub(super) fn now() -> Moment {
    Moment {
        boot_ns: clock::nanos(clock::since_boot()),
        unix_ns: clock::nanos(clock::unix()),
    }
}

/// The facts of one run.
#[derive(Debug)]
pub(super) struct Facts {
    key: RunKey,
    state: RunState,
}

impl Facts {
    pub(super) fn new(key: RunKey) -> Self {
        let state = RunState {
            key: Some(key.clone()),
            ..RunState::default()
        };
        Self { key, state }
    }

    pub(super) const fn key(&self) -> &RunKey {
        &self.key
    }

    pub(super) const fn state(&self) -> &RunState {
        &self.state
    }

    pub(super) const fn is_gone(&self) -> bool {
        self.state.gone
    }

    pub(super) const fn has_exited(&self) -> bool {
        self.state.exited.is_some()
    }

    /// `channel`: whether it was given one.
    pub(super) fn spawned(
        &mut self,
        process: Identity,
        boot_id: &str,
        at: Moment,
        channel: Option<&Channel>,
    ) -> Message {
        self.state.channel = channel.is_some();
        let fact = Spawned {
            key: Some(self.key.clone()),
            pid: process.pid,
            start_ticks: process.start_ticks,
            boot_id: boot_id.to_owned(),
            at: Some(at),
            channel: channel.is_some(),
        };
        self.state.spawned = Some(fact.clone());
        Message::Spawned(fact)
    }

    pub(super) fn spawn_failed(&mut self, attempt: String, errno: i32, at: Moment) -> Message {
        let fact = SpawnFailed {
            key: Some(self.key.clone()),
            attempt,
            errno,
            at: Some(at),
        };
        self.state.spawn_failed = Some(fact.clone());
        Message::SpawnFailed(fact)
    }

    pub(super) fn exited(
        &mut self,
        exit: Exit,
        left: usize,
        shortage: Option<OutOfMemory>,
        at: Moment,
    ) -> Message {
        let how = match exit {
            Exit::Code(code) => exited::How::Code(code),
            Exit::Signal(signal) => exited::How::Signal(signal),
            Exit::Unknown => exited::How::Unknown(true),
        };
        let fact = Exited {
            key: Some(self.key.clone()),
            at: Some(at),
            left: u32::try_from(left).unwrap_or(u32::MAX),
            how: Some(how),
            out_of_memory: shortage,
        };
        self.state.exited = Some(fact.clone());
        Message::Exited(fact)
    }

    /// Its channel is closed: by the app, or with its last process.
    pub(super) fn channel_closed(&mut self) -> Message {
        self.state.channel = false;
        Message::ChannelClosed(ChannelClosed {
            key: Some(self.key.clone()),
        })
    }

    pub(super) fn said(&self, line: Vec<u8>, number: u64) -> Message {
        Message::Said(Said {
            key: Some(self.key.clone()),
            line,
            number,
        })
    }

    pub(super) fn notified(&self, datagram: Vec<u8>, number: u64) -> Message {
        Message::Notified(Notified {
            key: Some(self.key.clone()),
            datagram,
            number,
        })
    }

    pub(super) fn gone(&mut self, at: Moment) -> Message {
        self.state.gone = true;
        self.state.channel = false;
        Message::Gone(Gone {
            key: Some(self.key.clone()),
            at: Some(at),
        })
    }

    pub(super) fn grown(&self, stream: u32, size: u64) -> Message {
        Message::Grown(Grown {
            key: Some(self.key.clone()),
            stream,
            size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_remembered() {
        let mut facts = Facts::new(RunKey::default());
        let process = Identity {
            pid: 7,
            start_ticks: 70,
        };
        facts.spawned(process, "boot", Moment::default(), None);
        facts.exited(Exit::Signal(9), 2, None, Moment::default());
        assert!(facts.has_exited() && !facts.is_gone());
        facts.gone(Moment::default());
        let state = facts.state();
        assert_eq!(state.spawned.as_ref().map(|fact| fact.pid), Some(7));
        let exited = state.exited.as_ref().expect("told");
        assert_eq!((exited.how, exited.left), (Some(exited::How::Signal(9)), 2));
        assert!(state.gone);
    }
}

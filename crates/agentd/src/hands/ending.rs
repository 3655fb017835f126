//! How a run ends: the leader is reaped, the others are waited for, the last bytes are drained.
//!
//! - One look at the table of processes serves all leaders that ended together.
//! - Whoever is left is waited for by its own descriptor, so that a daemon that an app leaves behind for days costs
//!   nothing; only where no descriptor could be had is the table looked at again and again.

use std::os::fd::AsFd as _;

use eco_home::clock;
use eco_home::runs::{STDIN, Stream};
use eco_proto::keeper::v1::Moment;

use super::cgroup::Cgroup;
use super::facts;
use super::fifo;
use super::keeper::Keeper;
use super::notices::Notices;
use super::output::End;
use super::poll::Token;
use super::run::Phase;
use super::say;
use crate::os::exit::{self, Exit};
use crate::os::pidfd;
use crate::os::process::{self, Identity, Process};

impl Keeper {
    /// Reaps all that ended, orphans included.
    pub(super) fn children_ended(&mut self) {
        let mut leaders = Vec::new();
        while let Some((pid, exit)) = exit::reap() {
            leaders.extend(self.table.child_ended(pid).map(|serial| (serial, exit)));
        }
        if leaders.is_empty() {
            return;
        }
        let at = facts::now();
        let all = process::scan();
        for (serial, exit) in leaders {
            self.leader_ended(serial, exit, at, &all);
        }
    }

    /// Looks what became of a run of which we are told by descriptors.
    pub(super) fn look_at_run(&mut self, serial: u64) {
        let Some(run) = self.table.get(serial) else {
            return;
        };
        match &run.phase {
            Phase::Living => {
                let Some(leader) = run.tree.as_ref().map(super::tree::Tree::leader) else {
                    return;
                };
                let descriptor = run.pidfd.as_ref().map(|one| one.as_fd());
                let has_ended = descriptor.map_or_else(
                    || {
                        !process::read(leader.pid)
                            .is_some_and(|one| one.identity() == leader && one.is_alive())
                    },
                    pidfd::has_ended,
                );
                // A child's status comes by waitpid.
                if run.is_child || !has_ended {
                    return self.look_if_needed(serial);
                }
                let exit = exit::of_stranger(leader, descriptor);
                self.leader_ended(serial, exit, facts::now(), &process::scan());
            }
            Phase::Leaving(_) => {
                let others = self.others(serial, &process::scan());
                self.await_others(serial, others);
            }
            Phase::Draining | Phase::Gone => {}
        }
    }

    /// The run's first process ended.
    pub(super) fn leader_ended(&mut self, serial: u64, exit: Exit, at: Moment, all: &[Process]) {
        self.hear_last(serial);
        let others = self.others(serial, all);
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        run.pidfd = None;
        let shortage = run.cgroup.as_ref().and_then(Cgroup::shortage);
        let exited = run.facts.exited(exit, others.len(), shortage, at);
        self.tell(exited);
        self.await_others(serial, others);
    }

    /// The living processes of a run whose leader ended.
    fn others(&mut self, serial: u64, all: &[Process]) -> Vec<Identity> {
        let Some(run) = self.table.get(serial) else {
            return Vec::new();
        };
        let Some(tree) = run.tree.as_ref().filter(|tree| tree.is_whole()) else {
            return Vec::new();
        };
        let leader = tree.leader();
        let mut members = self.table.members(serial, all, self.pid);
        members.retain(|member| *member != leader);
        members
    }

    /// Waits for whoever is left, or ends the run.
    fn await_others(&mut self, serial: u64, others: Vec<Identity>) {
        if others.is_empty() {
            return self.finish(serial);
        }
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        let mut awaited = match std::mem::replace(&mut run.phase, Phase::Gone) {
            Phase::Leaving(awaited) => awaited,
            Phase::Living | Phase::Draining | Phase::Gone => Vec::new(),
        };
        awaited.retain(|(identity, _)| others.contains(identity));
        for identity in others {
            if awaited.iter().any(|(known, _)| *known == identity) {
                continue;
            }
            // One that ended since the look has no descriptor, and the next look does not find it.
            let descriptor = pidfd::open_exactly(identity).ok().flatten();
            let descriptor = descriptor.filter(|one| {
                let token = Token::Process(serial);
                self.poll.add_control(one, token).is_ok()
            });
            awaited.push((identity, descriptor));
        }
        run.phase = Phase::Leaving(awaited);
        self.look_if_needed(serial);
    }

    /// Looks again soon where nothing else tells.
    pub(super) fn look_if_needed(&mut self, serial: u64) {
        let run = self.table.get(serial);
        if run.is_some_and(super::run::Run::needs_looking) {
            self.look_soon();
        }
    }

    /// Drains what the run wrote last; says `Gone` once that is stored.
    pub(super) fn finish(&mut self, serial: u64) {
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        run.phase = Phase::Draining;
        let mut ends = Vec::new();
        for output in &mut run.outputs {
            let before = output.size();
            ends.push((output.stream(), output.drain_all()));
            if output.size() > before {
                self.growth
                    .note(serial, output.stream(), clock::since_boot());
            }
        }
        for (stream, end) in &ends {
            self.settle(serial, *stream, *end);
        }
        if ends.iter().any(|(_, end)| matches!(end, End::Held(_))) {
            return;
        }
        for stream in self.growth.take_run(serial) {
            self.tell_grown(serial, stream);
        }
        self.hear_last(serial);
        self.bury(serial);
    }

    fn bury(&mut self, serial: u64) {
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        run.outputs.clear();
        let named = Stream::BOTH.map(Stream::fifo);
        for name in named.iter().map(String::as_str).chain([STDIN]) {
            if let Err(error) = fifo::remove(&run.folder.join(name)) {
                say::failed(&run.folder.display(), &error);
            }
        }
        if let Some(Err(error)) = run.notices.take().map(Notices::remove) {
            say::failed(&run.folder.display(), &error);
        }
        run.channel = None;
        if let Some(cgroup) = run.cgroup.take() {
            cgroup.remove();
        }
        run.phase = Phase::Gone;
        run.tree = None;
        run.pidfd = None;
        let gone = run.facts.gone(facts::now());
        self.tell(gone);
    }
}

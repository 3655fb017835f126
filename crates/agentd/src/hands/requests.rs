//! What the agent asks for.

use std::os::fd::AsFd as _;
use std::rc::Rc;
use std::time::Duration;

use eco_home::clock;
use eco_proto::keeper::v1::to_keeper::Message as Request;
use eco_proto::keeper::v1::{Adopt, RunKey, Signal, SignalReach, Spawn, ToKeeper};
use nix::libc;

use super::adopt::{self, Leader};
use super::facts;
use super::keeper::Keeper;
use super::mark::{mark, name};
use super::poll::Token;
use super::run::{Phase, Run};
use super::say::{self, say};
use super::spawn::{Grounds, path, spawn};
use super::tree::Tree;
use crate::os::exit::Exit;
use crate::os::pidfd;
use crate::os::process::{self, Identity, Process};

/// How often SIGKILL looks for processes that were forked meanwhile.
const KILL_ROUNDS: usize = 16;

/// How long a look at all processes serves those who are only asked to end.
pub(super) const RECENT: Duration = Duration::from_millis(5);

impl Keeper {
    /// Does what the agent asks for. What makes no sense is logged, and changes nothing.
    pub(super) fn perform(&mut self, request: ToKeeper) {
        match request.message {
            Some(Request::Spawn(spawn)) => self.spawn(&spawn),
            Some(Request::Signal(signal)) => self.signal(&signal),
            Some(Request::Forget(forget)) => self.forget(forget.key.as_ref()),
            Some(Request::Adopt(adopt)) => self.adopt(&adopt),
            Some(Request::Shutdown(_)) => self.is_closing = true,
            Some(Request::Say(line)) => self.say_to_run(&line),
            Some(Request::Heard(heard)) => self.unheard.heard(heard.number),
            None => say(format_args!("ignores a request it does not know")),
        }
    }

    fn spawn(&mut self, request: &Spawn) {
        let Some(key) = self.new_key(request.key.as_ref()) else {
            return;
        };
        self.is_closing = false;
        // Who looked before it was there did not see it.
        self.look = None;
        let folder = path(&request.run_dir);
        let mark = mark(&key, &request.run_dir, &self.boot_id);
        let mut run = Run::new(key, folder);
        let grounds = Grounds {
            file_limit: self.file_limit,
            segment_bytes: self.segment_bytes,
            notices: &self.notices,
            boot_id: &self.boot_id,
            cgroups: self.cgroups.as_ref(),
        };
        match spawn(request, &mark, grounds) {
            Ok(started) => {
                // It cannot have been reaped yet, so that the pid is still its own.
                let found = process::read(started.pid);
                let leader = Identity {
                    pid: started.pid,
                    start_ticks: found.map_or(0, |found| found.start_ticks),
                };
                run.is_child = true;
                run.pidfd = pidfd::open(leader.pid).ok();
                run.tree = Some(Tree::new(leader, mark, request.tree));
                run.outputs = started.gear.outputs;
                run.channel = started.gear.channel;
                run.notices = started.gear.notices;
                run.cgroup = started.cgroup;
                run.phase = Phase::Living;
                let (at, channel) = (facts::now(), run.channel.as_ref());
                let spawned = run.facts.spawned(leader, &self.boot_id, at, channel);
                self.enter(run);
                self.tell(spawned);
            }
            Err(error) => {
                say::failed(&"a spawn", &error);
                let at = facts::now();
                let told = run.facts.spawn_failed(error.to_string(), error.errno(), at);
                let gone = run.facts.gone(at);
                self.enter(run);
                self.tell(told);
                self.tell(gone);
            }
        }
    }

    fn adopt(&mut self, request: &Adopt) {
        let Some(key) = self.new_key(request.key.as_ref()) else {
            return;
        };
        self.is_closing = false;
        let folder = path(&request.run_dir);
        let mark = mark(&key, &request.run_dir, &request.boot_id);
        let leader = adopt::identity(request);
        let is_this_boot = request.boot_id == self.boot_id;
        let mut run = Run::new(key, folder);
        let cgroups = self.cgroups.as_ref().filter(|_| is_this_boot);
        run.cgroup = cgroups.and_then(|all| all.find_group(&run.folder, leader.pid));
        run.outputs = adopt::outputs(&run.folder, self.segment_bytes);
        run.notices = adopt::notices(request, &self.notices);
        run.phase = Phase::Living;
        match adopt::find(request, &self.boot_id) {
            Leader::Living(descriptor) => {
                run.tree = Some(Tree::new(leader, mark, request.tree));
                let at = request.spawned_at.unwrap_or_else(facts::now);
                let spawned = run.facts.spawned(leader, &self.boot_id, at, None);
                run.pidfd = descriptor;
                let serial = self.enter(run);
                self.tell(spawned);
                self.await_leader(serial);
            }
            Leader::Ended(exit) => {
                // Nothing of another boot is left, whatever has its numbers now.
                run.tree = is_this_boot.then(|| Tree::new(leader, mark, request.tree));
                let serial = self.enter(run);
                self.adopted_too_late(serial, exit);
            }
        }
    }

    fn adopted_too_late(&mut self, serial: u64, exit: Exit) {
        self.leader_ended(serial, exit, facts::now(), &process::scan());
    }

    /// Has the end of an adopted leader told by its descriptor.
    fn await_leader(&mut self, serial: u64) {
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        let poll = &self.poll;
        run.pidfd = run
            .pidfd
            .take()
            .filter(|descriptor| poll.add_control(descriptor, Token::Process(serial)).is_ok());
        self.look_if_needed(serial);
    }

    /// Takes a run into the table, and begins to wait for its output and for what it says.
    fn enter(&mut self, run: Run) -> u64 {
        let serial = self.table.insert(run);
        let Some(run) = self.table.get(serial) else {
            return serial;
        };
        for output in &run.outputs {
            let token = Token::Output(serial, output.stream());
            if let Err(errno) = self.poll.add_output(output, token) {
                say::failed(&"waiting for output", &errno);
            }
        }
        let channel = run
            .channel
            .iter()
            .map(|one| (one.as_fd(), Token::Channel(serial)));
        let notices = run
            .notices
            .iter()
            .map(|one| (one.as_fd(), Token::Notices(serial)));
        for (socket, token) in channel.chain(notices) {
            if let Err(errno) = self.poll.add_speech(socket, token) {
                say::failed(&"waiting for what an app says", &errno);
            }
        }
        serial
    }

    /// The key of a run that is to be new.
    fn new_key(&self, key: Option<&RunKey>) -> Option<RunKey> {
        let Some(key) = key else {
            say(format_args!("ignores a run without a key"));
            return None;
        };
        if self.table.find(key).is_some() {
            say(format_args!("ignores a second {}", name(key)));
            return None;
        }
        Some(key.clone())
    }

    /// The run of that key, if there is one.
    pub(super) fn known(&self, key: Option<&RunKey>) -> Option<u64> {
        let found = key.and_then(|key| self.table.find(key));
        if found.is_none() {
            let name = key.map_or_else(|| "a run without a key".to_owned(), name);
            say(format_args!("knows nothing of {name}"));
        }
        found
    }

    fn signal(&mut self, request: &Signal) {
        let Some(serial) = self.known(request.key.as_ref()) else {
            return;
        };
        if !(1..=64).contains(&request.signal) {
            return say(format_args!("ignores signal {}", request.signal));
        }
        let is_kill = request.signal == libc::SIGKILL;
        if is_kill {
            self.kill_group(serial, request.reach());
        }
        let mut reached = Vec::new();
        for _ in 0..if is_kill { KILL_ROUNDS } else { 1 } {
            let all = if is_kill {
                process::scan().into()
            } else {
                self.recent_look()
            };
            let members = self.members(serial, request.reach(), &all);
            let fresh: Vec<Identity> = members
                .into_iter()
                .filter(|member| !reached.contains(member))
                .collect();
            if fresh.is_empty() {
                break;
            }
            for member in fresh {
                if let Err(errno) = pidfd::signal(member, request.signal) {
                    say::failed(&format_args!("signalling {}", member.pid), &errno);
                }
                reached.push(member);
            }
        }
    }

    /// All processes, as they were a moment ago: many runs are mostly asked to end together, and a look costs as much as
    /// there are processes. It is none for whoever has to know that nobody is left.
    fn recent_look(&mut self) -> Rc<[Process]> {
        let now = clock::since_boot();
        let recent = self.look.as_ref().filter(|(at, _)| now < *at + RECENT);
        if let Some((_, all)) = recent {
            return Rc::clone(all);
        }
        let all: Rc<[Process]> = process::scan().into();
        // What the look took counts: nobody is signalled who is not there when it is done, as pid and start time tell.
        self.look = Some((clock::since_boot(), Rc::clone(&all)));
        all
    }

    /// The living processes of a run that are meant, as they are now.
    fn members(&mut self, serial: u64, reach: SignalReach, all: &[Process]) -> Vec<Identity> {
        let Some(run) = self.table.get(serial) else {
            return Vec::new();
        };
        let Some(tree) = &run.tree else {
            return Vec::new();
        };
        if is_whole(tree, reach) {
            self.table.everybody(serial, all, self.pid)
        } else if run.facts.has_exited() {
            Vec::new()
        } else {
            vec![tree.leader()]
        }
    }

    /// Kills all at once where that can be done: whoever forks faster than we look does not escape.
    fn kill_group(&self, serial: u64, reach: SignalReach) {
        let run = self.table.get(serial);
        let is_meant = |run: &&Run| run.tree.as_ref().is_some_and(|tree| is_whole(tree, reach));
        if let Some(cgroup) = run.filter(is_meant).and_then(|run| run.cgroup.as_ref()) {
            cgroup.kill();
        }
    }

    fn forget(&mut self, key: Option<&RunKey>) {
        let Some(serial) = self.known(key) else {
            return;
        };
        match self.table.get(serial) {
            Some(run) if !run.facts.is_gone() => {
                say(format_args!(
                    "does not forget {}: it lives",
                    name(run.facts.key())
                ));
            }
            Some(_) | None => self.table.remove(serial),
        }
    }
}

/// Whether all processes of a run are meant.
const fn is_whole(tree: &Tree, reach: SignalReach) -> bool {
    match reach {
        SignalReach::Unspecified => tree.is_whole(),
        SignalReach::Leader => false,
        SignalReach::Tree => true,
    }
}

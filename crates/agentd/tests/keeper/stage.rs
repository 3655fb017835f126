//! A home with a keeper in it, and an agent that asks and waits.

use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use eco_agentd::os::process::{self, Identity};
use eco_home::notes::{self, Note};
use eco_home::runs::Stream;
use eco_home::{Daemon, Home};
use eco_proto::frame::{self, Frames};
use eco_proto::keeper::v1::from_keeper::Message as Fact;
use eco_proto::keeper::v1::to_keeper::Message as Request;
use eco_proto::keeper::v1::{
    Adopt, Exited, Forget, FromKeeper, Heard, Hello, RunKey, RunState, Say, Signal, SignalReach,
    Spawn, SpawnFailed, Spawned, ToKeeper, exited::How,
};

/// What the keeper says before the folder of its cgroups.
const GROUPS: &str = " groups are in ";

/// Longer than anything takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain until {what}");
        pause(Duration::from_millis(2));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "between two looks at a condition"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// A home, its keeper, and all processes that were started in it.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    keeper: Option<Child>,
    started: Vec<Identity>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut stage = Self {
            folder: tempfile::tempdir().expect("a folder"),
            keeper: None,
            started: Vec::new(),
        };
        stage.start_keeper();
        stage
    }

    pub(crate) fn home(&self) -> Home {
        Home::find(Some(self.folder.path()), None).expect("a home")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn keeper_pid(&self) -> i32 {
        let keeper = self.keeper.as_ref().expect("there is one");
        i32::try_from(keeper.id()).expect("pids are small")
    }

    pub(crate) fn keeper_command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eco-keeper"));
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("keeper.log"));
        command
            .env("ECO_HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"));
        command
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("keeper.log")).expect("a log")
    }

    pub(crate) fn start_keeper(&mut self) {
        self.keeper = Some(self.keeper_command().spawn().expect("the keeper starts"));
        let socket = self.home().socket(Daemon::Keeper);
        wait_until("the keeper listens", || {
            UnixStream::connect(&socket).is_ok()
        });
    }

    pub(crate) fn kill_keeper(&mut self) {
        let mut keeper = self.keeper.take().expect("there is one");
        keeper.kill().expect("killed");
        keeper.wait().expect("reaped");
    }

    /// Waits for the keeper to end by itself.
    pub(crate) fn keeper_ends(&mut self) -> bool {
        let mut keeper = self.keeper.take().expect("there is one");
        let mut status = None;
        wait_until("the keeper ends", || {
            status = keeper.try_wait().expect("ours");
            status.is_some()
        });
        status.is_some_and(|status| status.success())
    }

    pub(crate) fn agent(&self) -> Agent {
        let socket = self.home().socket(Daemon::Keeper);
        let stream = UnixStream::connect(socket).expect("the keeper listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let mut agent = Agent {
            stream,
            frames: Frames::default(),
            hello: Hello::default(),
        };
        match agent.next() {
            Fact::Hello(hello) => agent.hello = hello,
            other => panic!("the keeper speaks first, and said {other:?}"),
        }
        agent
    }

    pub(crate) fn run_dir(&self, key: &RunKey) -> PathBuf {
        let RunKey { app, run, .. } = key;
        self.home().runs().join(app).join(run.to_string())
    }

    /// A spawn of `sh -c script`, with its whole tree.
    pub(crate) fn script(&self, app: &str, script: &str) -> Spawn {
        let key = key(app);
        Spawn {
            run_dir: bytes(&self.run_dir(&key)),
            key: Some(key),
            program: b"/bin/sh".to_vec(),
            arguments: vec![b"sh".to_vec(), b"-c".to_vec(), script.into()],
            environment: vec![b"PATH=/usr/local/bin:/usr/bin:/bin".to_vec()],
            cwd: bytes(self.folder.path()),
            tree: true,
            ..Spawn::default()
        }
    }

    /// Spawns, and sees to it that nothing outlives the test.
    pub(crate) fn spawn(&mut self, agent: &mut Agent, request: Spawn) -> Spawned {
        agent.ask(Request::Spawn(request));
        let spawned = agent.spawned();
        self.started.push(Identity {
            pid: spawned.pid,
            start_ticks: spawned.start_ticks,
        });
        spawned
    }

    /// Sees to it that `pid` does not outlive the test.
    pub(crate) fn remember(&mut self, pid: i32) -> Identity {
        let identity = process::read(pid).expect("it is there").identity();
        self.started.push(identity);
        identity
    }

    pub(crate) fn adopt(&self, spawned: &Spawned) -> Adopt {
        let key = spawned.key.clone().expect("a key");
        Adopt {
            run_dir: bytes(&self.run_dir(&key)),
            key: Some(key),
            pid: spawned.pid,
            start_ticks: spawned.start_ticks,
            boot_id: spawned.boot_id.clone(),
            tree: true,
            spawned_at: spawned.at,
        }
    }

    /// All bytes of a stream, checked against the notes about them.
    pub(crate) fn stored(&self, app: &str, stream: Stream) -> Vec<u8> {
        let folder = self.run_dir(&key(app));
        let mut all = Vec::new();
        for number in 1.. {
            let Ok(bytes) = std::fs::read(folder.join(stream.segment(number))) else {
                break;
            };
            let times = std::fs::read(folder.join(stream.times(number))).expect("times");
            let mut records = times
                .chunks_exact(notes::SIZE)
                .map(|record| record.try_into().expect("whole"));
            let base = notes::base(records.next().expect("a head")).expect("sound");
            assert_eq!(base, u64::try_from(all.len()).expect("small"));
            all.extend(bytes);
            let ends: Vec<u64> = records.map(|record| Note::decode(record).end).collect();
            assert!(ends.is_sorted(), "{ends:?}");
            let end = ends.last().copied().unwrap_or(base);
            assert_eq!(end, u64::try_from(all.len()).expect("small"));
        }
        all
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the keeper said:\n{}", self.log());
        }
        for identity in &self.started {
            let found = process::scan();
            for member in process::tree(&found, identity.pid) {
                let is_ours = found.iter().any(|one| one.identity() == *identity)
                    && member.start_ticks >= identity.start_ticks;
                if is_ours {
                    eco_agentd::os::pidfd::signal(member.identity(), 9).unwrap_or_default();
                }
            }
        }
        if let Some(mut keeper) = self.keeper.take() {
            keeper.kill().expect("killed");
            keeper.wait().expect("reaped");
        }
        self.remove_groups();
    }
}

impl Stage {
    /// A killed keeper leaves its cgroups to the next one of its home, which does not come any more.
    fn remove_groups(&self) {
        let log = std::fs::read_to_string(self.path("keeper.log")).unwrap_or_default();
        let grounds = log.lines().filter_map(|line| line.split_once(GROUPS));
        for (_, ground) in grounds {
            let ground = Path::new(ground);
            // Whoever was just killed is in one until the kernel has done with it.
            for _ in 0..1000 {
                remove_groups(ground);
                if !ground.exists() {
                    break;
                }
                pause(Duration::from_millis(2));
            }
        }
    }
}

/// Ends all that is left in the groups, so that they can be removed.
fn remove_groups(ground: &Path) {
    let entries = std::fs::read_dir(ground).into_iter().flatten().flatten();
    let groups = entries.map(|entry| entry.path());
    for group in groups.filter(|path| path.is_dir()) {
        std::fs::write(group.join("cgroup.kill"), "1").unwrap_or_default();
        std::fs::remove_dir(group).unwrap_or_default();
    }
    std::fs::remove_dir(ground).unwrap_or_default();
}

/// The other end of the conversation.
pub(crate) struct Agent {
    pub(crate) stream: UnixStream,
    frames: Frames,
    pub(crate) hello: Hello,
}

impl Agent {
    pub(crate) fn ask(&mut self, request: Request) {
        assert!(self.asks(request), "the keeper reads");
    }

    /// Whether the keeper still takes what we ask.
    pub(crate) fn asks(&mut self, request: Request) -> bool {
        let request = ToKeeper {
            message: Some(request),
        };
        let mut bytes = Vec::new();
        frame::append(&request, &mut bytes).expect("short");
        self.stream.write_all(&bytes).is_ok()
    }

    pub(crate) fn signal(&mut self, app: &str, signal: i32) {
        let key = Some(key(app));
        let reach = SignalReach::Unspecified.into();
        self.ask(Request::Signal(Signal { key, signal, reach }));
    }

    pub(crate) fn say(&mut self, app: &str, line: &str) {
        let key = Some(key(app));
        let line = line.as_bytes().to_vec();
        self.ask(Request::Say(Say { key, line }));
    }

    /// Tells the keeper that all up to `number` was acted upon.
    pub(crate) fn heard(&mut self, number: u64) {
        self.ask(Request::Heard(Heard { number }));
    }

    /// The next fact, which is a line that a run said.
    pub(crate) fn said(&mut self) -> String {
        match self.fact() {
            Fact::Said(said) => String::from_utf8(said.line).expect("text"),
            other => panic!("nothing said: {other:?}"),
        }
    }

    /// The next fact, which is a notice that a run sent.
    pub(crate) fn notified(&mut self) -> String {
        match self.fact() {
            Fact::Notified(notified) => String::from_utf8(notified.datagram).expect("text"),
            other => panic!("no notice: {other:?}"),
        }
    }

    pub(crate) fn channel_closed(&mut self) {
        match self.fact() {
            Fact::ChannelClosed(_) => {}
            other => panic!("no channel closed: {other:?}"),
        }
    }

    pub(crate) fn forget(&mut self, app: &str) {
        let key = Some(key(app));
        self.ask(Request::Forget(Forget { key }));
    }

    /// The next fact, hints included.
    pub(crate) fn next(&mut self) -> Fact {
        loop {
            if let Some(fact) = self.frames.take::<FromKeeper>().expect("sound") {
                return fact.message.expect("known");
            }
            let mut bytes = [0; 65536];
            let read = self.stream.read(&mut bytes).expect("an answer in time");
            assert!(read > 0, "the keeper hung up");
            self.frames.push(&bytes[..read]);
        }
    }

    /// The next fact that is no hint.
    pub(crate) fn fact(&mut self) -> Fact {
        loop {
            match self.next() {
                Fact::Grown(_) => {}
                fact => return fact,
            }
        }
    }

    pub(crate) fn spawned(&mut self) -> Spawned {
        match self.fact() {
            Fact::Spawned(spawned) => spawned,
            other => panic!("not spawned: {other:?}"),
        }
    }

    pub(crate) fn failed(&mut self) -> SpawnFailed {
        let failed = match self.fact() {
            Fact::SpawnFailed(failed) => failed,
            other => panic!("not failed: {other:?}"),
        };
        self.gone();
        failed
    }

    pub(crate) fn exited(&mut self) -> Exited {
        match self.fact() {
            Fact::Exited(exited) => exited,
            other => panic!("not exited: {other:?}"),
        }
    }

    pub(crate) fn gone(&mut self) {
        match self.fact() {
            Fact::Gone(_) => {}
            other => panic!("not gone: {other:?}"),
        }
    }

    /// How the run ended, when it ended with all its processes.
    pub(crate) fn ended(&mut self) -> How {
        let exited = self.exited();
        assert_eq!(exited.left, 0);
        self.gone();
        exited.how.expect("told")
    }

    /// What Hello told of a run.
    pub(crate) fn known(&self, app: &str) -> Option<&RunState> {
        let key = Some(key(app));
        self.hello.runs.iter().find(|run| run.key == key)
    }

    /// Whether the keeper hung up, whatever it said before.
    pub(crate) fn is_hung_up(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

pub(crate) fn key(app: &str) -> RunKey {
    RunKey {
        environment: "test".to_owned(),
        app: app.to_owned(),
        instance: 0,
        run: 1,
    }
}

pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// Waits for a file to hold something, and reads it.
pub(crate) fn contents(path: &Path) -> String {
    let mut text = String::new();
    wait_until("a file is written", || {
        text = std::fs::read_to_string(path).unwrap_or_default();
        text.ends_with('\n')
    });
    text.trim().to_owned()
}

/// Whether a process lives.
pub(crate) fn is_alive(pid: i32) -> bool {
    process::read(pid).is_some_and(|found| found.is_alive())
}

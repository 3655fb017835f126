//! The loop: waits, does what is there to do, and says what came of it.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use eco_home::lock::Held;
use eco_home::runs::{SEGMENT_BYTES, Stream};
use eco_home::{Daemon, Home, HomeError, clock, lock, open_files, own_log, socket};
use eco_proto::keeper::v1::from_keeper::Message;
use eco_proto::keeper::v1::{FromKeeper, Hello};
use nix::errno::Errno;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::geteuid;

use super::cgroups::Cgroups;
use super::connection::{Connection, ConnectionError};
use super::exec::FileLimit;
use super::growth::Growth;
use super::notices;
use super::poll::{Poll, Token};
use super::requests::RECENT;
use super::rest::Rest;
use super::run::Table;
use super::say::{self, say};
use super::unheard::Unheard;
use crate::os::process::Process;

/// Version of the protocol, raised when an older agent would misread it.
const PROTOCOL: u32 = 1;

/// How long bytes that the disk refused wait for the next attempt.
const HELD_FOR: Duration = Duration::from_millis(500);

/// How often runs are looked at whose end nothing tells.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Why the keeper could not begin, or go on.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// There is no home to keep.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The lock cannot be taken.
    #[error("take the keeper's lock")]
    Lock(#[source] io::Error),
    /// The socket cannot be bound.
    #[error("listen on the keeper's socket")]
    Listen(#[source] io::Error),
    /// How many files may be open is not told.
    #[error("ask for the limit of open files")]
    Files(#[source] io::Error),
    /// The kernel refuses what the keeper is made of.
    #[error("{what}")]
    Kernel {
        /// What was asked of it.
        what: &'static str,
        /// Why.
        #[source]
        source: Errno,
    },
}

/// Attaches what was asked of the kernel to its answer.
fn asked<T>(what: &'static str, answer: nix::Result<T>) -> Result<T, KeeperError> {
    answer.map_err(|source| KeeperError::Kernel { what, source })
}

/// All the keeper has.
pub(super) struct Keeper {
    pub(super) poll: Poll,
    pub(super) table: Table,
    pub(super) rest: Rest,
    pub(super) growth: Growth,
    pub(super) unheard: Unheard,
    /// Streams whose bytes the disk refused, and when to try again.
    pub(super) held: BTreeSet<(u64, Stream)>,
    pub(super) retry_at: Option<Duration>,
    /// When to look at runs whose end nothing tells.
    pub(super) look_at: Option<Duration>,
    /// The last look at all processes, and when it was done.
    pub(super) look: Option<(Duration, Rc<[Process]>)>,
    /// Whether to end once the table is empty.
    pub(super) is_closing: bool,
    /// Whether to end now.
    is_done: bool,
    pub(super) connection: Option<(u64, Connection)>,
    connections: u64,
    pub(super) boot_id: String,
    pub(super) pid: i32,
    pub(super) file_limit: FileLimit,
    /// Absent where no cgroup can be made.
    pub(super) cgroups: Option<Cgroups>,
    pub(super) segment_bytes: u64,
    /// Where sockets for notices are.
    pub(super) notices: PathBuf,
    signals: SignalFd,
    listener: UnixListener,
    _lock: Held,
}

impl Keeper {
    /// Takes the lock, the socket and the orphans. `None`: another keeper has them.
    pub(super) fn begin(home: &Home) -> Result<Option<Self>, KeeperError> {
        home.prepare()?;
        let lock = lock::take(&home.lock(Daemon::Keeper)).map_err(KeeperError::Lock)?;
        let Some(lock) = lock else {
            return Ok(None);
        };
        own_log::begin(home, Daemon::Keeper);
        let signals = asked("take signals", take_signals())?;
        let orphans = nix::sys::prctl::set_child_subreaper(true);
        asked("become the parent of orphans", orphans)?;
        let file_limit = raise_file_limit().map_err(KeeperError::Files)?;
        let listener = socket::bind(&home.socket(Daemon::Keeper)).map_err(KeeperError::Listen)?;
        listener
            .set_nonblocking(true)
            .map_err(KeeperError::Listen)?;
        let poll = asked("make an epoll", Poll::new())?;
        asked("await signals", poll.add_control(&signals, Token::Signals))?;
        asked("await agents", poll.add_control(&listener, Token::Listener))?;
        notices::sweep(
            &home.notices(),
            clock::unix().saturating_sub(clock::since_boot()),
        );
        Ok(Some(Self {
            poll,
            table: Table::default(),
            rest: Rest::default(),
            growth: Growth::default(),
            unheard: Unheard::default(),
            held: BTreeSet::new(),
            retry_at: None,
            look_at: None,
            look: None,
            is_closing: false,
            is_done: false,
            connection: None,
            connections: 0,
            boot_id: clock::boot_id(),
            pid: nix::unistd::getpid().as_raw(),
            file_limit,
            cgroups: Cgroups::find(home),
            segment_bytes: SEGMENT_BYTES,
            notices: home.notices(),
            signals,
            listener,
            _lock: lock,
        }))
    }

    /// Keeps until it is told to end.
    pub(super) fn run(mut self, home: &Home) -> Result<(), KeeperError> {
        say(format_args!("keeps {}", home.root().display()));
        let mut ready = Vec::new();
        while !self.is_done {
            let now = clock::since_boot();
            let resting = self.rest.left(now);
            let until = self.next_deadline(now).into_iter().chain(resting).min();
            let waited = self.poll.wait(resting.is_some(), until, &mut ready);
            asked("wait for events", waited)?;
            self.serve(&ready);
            self.catch_up(clock::since_boot());
            if self.is_closing && self.table.is_empty() {
                self.is_done = true;
            }
        }
        say(format_args!("ends"));
        if let Some(cgroups) = &self.cgroups {
            cgroups.leave();
        }
        match std::fs::remove_file(home.socket(Daemon::Keeper)) {
            Ok(()) => {}
            Err(error) => say::failed(&"the socket", &error),
        }
        Ok(())
    }

    fn serve(&mut self, ready: &[Token]) {
        let mut outputs = Vec::new();
        for token in ready {
            match *token {
                Token::Control => {}
                Token::Signals => self.signals_came(),
                Token::Listener => self.accept(),
                Token::Connection(serial) => self.converse(serial),
                Token::Process(serial) => self.look_at_run(serial),
                Token::Output(serial, stream) => outputs.push((serial, stream)),
                Token::Speech => {}
                Token::Channel(serial) => self.hear_channel(serial),
                Token::Room(serial) => self.pass_on(serial),
                Token::Notices(serial) => self.hear_notices(serial),
            }
        }
        if !outputs.is_empty() {
            self.drain_round(&outputs);
        }
    }

    /// Does what became due, and sends what is there to send.
    fn catch_up(&mut self, now: Duration) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.retry_held();
        }
        if self.look_at.is_some_and(|at| at <= now) {
            self.look_at = None;
            for serial in self.table.to_look_at() {
                self.look_at_run(serial);
            }
        }
        if self
            .look
            .as_ref()
            .is_some_and(|(at, _)| *at + RECENT <= now)
        {
            self.look = None;
        }
        if self.is_heard() && self.growth.is_due(now) {
            self.tell_growth();
        }
        self.flush();
        self.lend_an_ear();
    }

    fn next_deadline(&self, now: Duration) -> Option<Duration> {
        let growth = self
            .is_heard()
            .then(|| self.growth.due_at())
            .into_iter()
            .flatten();
        let due = growth.chain(self.retry_at).chain(self.look_at).min();
        due.map(|due| due.saturating_sub(now))
    }

    /// Whether there is an agent that takes what we say.
    pub(super) fn is_heard(&self) -> bool {
        self.connection
            .as_ref()
            .is_some_and(|(_, connection)| connection.is_idle())
    }

    /// Tries held bytes again, soon.
    pub(super) fn retry_soon(&mut self) {
        let at = clock::since_boot() + HELD_FOR;
        self.retry_at.get_or_insert(at);
    }

    /// Looks at the table of processes, soon.
    pub(super) fn look_soon(&mut self) {
        let at = clock::since_boot() + LOOK_EVERY;
        self.look_at.get_or_insert(at);
    }

    fn signals_came(&mut self) {
        let mut has_ended = false;
        while let Ok(Some(came)) = self.signals.read_signal() {
            match i32::try_from(came.ssi_signo).map(Signal::try_from) {
                Ok(Ok(Signal::SIGCHLD)) => has_ended = true,
                Ok(Ok(Signal::SIGTERM)) => self.asked_to_end(),
                Ok(Ok(_) | Err(_)) | Err(_) => {
                    say(format_args!("ignores signal {}", came.ssi_signo));
                }
            }
        }
        if has_ended {
            self.children_ended();
        }
    }

    /// Apps are not to be orphaned by a stray signal.
    fn asked_to_end(&mut self) {
        match self.table.living() {
            0 => self.is_done = true,
            living => say(format_args!(
                "stays in spite of SIGTERM: {living} runs live"
            )),
        }
    }

    fn accept(&mut self) {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => return say::failed(&"accepting", &error),
            };
            match Connection::new(stream) {
                Ok(connection) => self.greet(connection),
                Err(error) => say::failed(&"accepting", &error),
            }
        }
    }

    /// The newest agent takes over.
    fn greet(&mut self, connection: Connection) {
        // What the one before asked for last counts.
        if let Some((before, _)) = &self.connection {
            let before = *before;
            self.converse(before);
        }
        self.connections += 1;
        let token = Token::Connection(self.connections);
        if let Err(errno) = self.poll.add_control(&connection, token) {
            return say::failed(&"accepting", &errno);
        }
        if self
            .connection
            .replace((self.connections, connection))
            .is_some()
        {
            say(format_args!("a new agent takes over"));
        }
        // What an agent that is gone wanted to end, this one may want to use.
        self.is_closing = false;
        let hello = Hello {
            protocol: PROTOCOL,
            version: eco_proto::VERSION.to_owned(),
            pid: self.pid,
            runs: self.table.states(),
            groups: self.cgroups.as_ref().map(Cgroups::told),
        };
        self.tell(Message::Hello(hello));
        for message in self.unheard.again() {
            self.tell(message);
        }
    }

    fn converse(&mut self, serial: u64) {
        let Some((current, connection)) = &mut self.connection else {
            return;
        };
        if *current != serial {
            return;
        }
        let mut requests = Vec::new();
        let heard = connection.receive(&mut requests);
        for request in requests {
            self.perform(request);
        }
        if let Err(error) = heard {
            self.hang_up(&error);
        }
    }

    /// Says something to the agent, if there is one.
    pub(super) fn tell(&mut self, message: Message) {
        let message = FromKeeper {
            message: Some(message),
        };
        if let Some((_, connection)) = &mut self.connection
            && let Err(error) = connection.send(&message)
        {
            self.hang_up(&error);
        }
    }

    fn flush(&mut self) {
        let Some((serial, connection)) = &mut self.connection else {
            return;
        };
        let mut done = connection.flush();
        let wants_room = !connection.is_idle();
        if done.is_ok() && wants_room != connection.wants_room {
            connection.wants_room = wants_room;
            let token = Token::Connection(*serial);
            let awaited = self.poll.want_room(&*connection, token, wants_room);
            done = awaited.map_err(|errno| ConnectionError::Socket(errno.into()));
        }
        if let Err(error) = done {
            self.hang_up(&error);
        }
    }

    fn hang_up(&mut self, error: &ConnectionError) {
        if self.connection.take().is_some() {
            say::failed(&"the agent", error);
        }
    }
}

/// Blocks the signals that mean something to us, and reads them from a descriptor; ignores those that would end us.
#[expect(unsafe_code, reason = "dispositions of signals have no safe call")]
fn take_signals() -> nix::Result<SignalFd> {
    // SAFETY: no handler is set. A SIGCHLD that was ignored by whoever started us would take every exit code.
    unsafe {
        signal(Signal::SIGCHLD, SigHandler::SigDfl)?;
        signal(Signal::SIGXFSZ, SigHandler::SigIgn)?;
        signal(Signal::SIGPIPE, SigHandler::SigIgn)?;
    }
    let mask = SigSet::from_iter([
        Signal::SIGCHLD,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
    ]);
    mask.thread_block()?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}

/// A run takes nine descriptors at the most. Returns the limit that was, which is the apps' own.
fn raise_file_limit() -> io::Result<FileLimit> {
    let before = open_files::limit()?;
    let most_of_all = std::fs::read_to_string("/proc/sys/fs/nr_open").ok();
    let most = most_of_all
        .filter(|_| geteuid().is_root())
        .and_then(|text| text.trim().parse().ok());
    if let Err(error) = open_files::raise(before) {
        say::failed(&"the limit of open files", &error);
    }
    Ok(FileLimit {
        soft: before.soft,
        hard: before.hard,
        most: most.unwrap_or(before.hard),
    })
}

//! The agent's end of the conversation with the keeper.
//!
//! ```text
//!  supervisor ──Order{epoch}──▶ ┌────────┐ ──frames──▶ eco-keeper
//!             ◀──News────────── │ client │ ◀─frames───
//!  log feed   ◀──Growth──────── └────────┘
//! ```
//!
//! Every connection is an **epoch**. It begins with the keeper's greeting, and the supervisor compares the whole fleet with
//! it; so an order given before the supervisor had heard that greeting is out of date, and is dropped by its epoch
//! number. What was swallowed by a broken connection is asked for again by that comparison, and nothing is asked for twice.

mod convert;

pub(crate) use convert::of_key;

use std::collections::BTreeSet;
use std::time::Duration;

use eco_home::runs::Stream;
use eco_home::{Daemon, Home, launch};
use eco_proto::frame::{self, FrameError, Frames};
use eco_proto::keeper::v1 as pb;
use eco_proto::keeper::v1::from_keeper::Message as From;
use eco_proto::keeper::v1::to_keeper::Message as To;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use crate::fleet::{Greeting, Identity, Report, RunKey};
use crate::limits::Groups;
use crate::message::Message;
use crate::notification::Notification;
use crate::resolve::Launch;
use crate::voices::Channel;

/// The version of the conversation that this agent speaks.
const PROTOCOL: u32 = 1;
/// Between two attempts to reach a keeper.
const RETRY: Duration = Duration::from_millis(20);
/// Attempts after a launch before another one is made.
const PATIENCE: u32 = 100;

/// What the supervisor asks of the keeper.
#[derive(Debug)]
pub enum Order {
    /// Begin a run.
    Spawn {
        /// Which.
        key: RunKey,
        /// With what.
        launch: Box<Launch>,
        /// Where its output goes.
        run_dir: std::path::PathBuf,
        /// What belongs to it.
        reach: eco_config::spec::StopReach,
    },
    /// Send a signal to a run.
    Signal(RunKey, i32, Reach),
    /// Say one line to a run over its channel.
    Say(RunKey, Vec<u8>),
    /// Drop a run that is over.
    Forget(RunKey),
    /// Drop what was said up to this number: it was acted upon, and that is on disk.
    Heard(u64),
    /// Take over a run of an earlier keeper.
    Adopt {
        /// Which.
        key: RunKey,
        /// The process it was.
        identity: Identity,
        /// Where its output goes.
        run_dir: std::path::PathBuf,
        /// What belongs to it.
        reach: eco_config::spec::StopReach,
    },
    /// End once nothing runs.
    Shutdown,
}

impl Order {
    /// The run that would not begin without it.
    fn subject(&self) -> Option<RunKey> {
        match self {
            Self::Spawn { key, .. } => Some(key.clone()),
            Self::Signal(..)
            | Self::Say(..)
            | Self::Forget(_)
            | Self::Heard(_)
            | Self::Adopt { .. }
            | Self::Shutdown => None,
        }
    }
}

/// Which processes of a run are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that the run was begun to end with.
    AsBegun,
    /// The first one.
    Leader,
    /// All.
    Tree,
}

/// What the supervisor hears.
#[derive(Debug)]
pub enum News {
    /// A keeper is there.
    Met {
        /// The number of the connection.
        epoch: u64,
        /// What it knows.
        greeting: Greeting,
        /// The runs that can be spoken to.
        open: BTreeSet<RunKey>,
    },
    /// A run has news.
    Report(RunKey, Report),
    /// A run can be spoken to, or not any more.
    Channel(RunKey, Channel),
    /// A run said something over its channel.
    Said(RunKey, Message),
    /// A run sent a notice.
    Notified(RunKey, Notification),
    /// All that runs said up to this number was told by now.
    Spoken(u64),
}

/// A run's output has grown to this size.
#[derive(Clone, Debug)]
pub struct Growth {
    /// Which.
    pub key: RunKey,
    /// Which of its outputs.
    pub stream: Stream,
    /// Bytes.
    pub size: u64,
}

/// Who the keeper is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeper {
    /// 0 while there is none.
    pub pid: i32,
    /// Its version.
    pub version: String,
    /// Where runs have cgroups of their own.
    pub groups: Groups,
}

/// The ends that [`run`] needs.
#[derive(Debug)]
pub struct Lines {
    /// What to ask, with the epoch in which it was decided.
    pub orders: mpsc::Receiver<(u64, Order)>,
    /// Where news go.
    pub news: mpsc::Sender<News>,
    /// Where growth goes; it is dropped when nobody takes it in time.
    pub growth: mpsc::Sender<Growth>,
    /// Who the keeper is.
    pub keeper: tokio::sync::watch::Sender<Keeper>,
}

/// Why a conversation ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("talk to the keeper")]
    Io(#[from] std::io::Error),
    #[error("understand the keeper")]
    Frame(#[from] FrameError),
    #[error("hear the keeper's greeting first")]
    NoGreeting,
    #[error("talk to a keeper of protocol {0}: this agent speaks {PROTOCOL}")]
    Protocol(u32),
    #[error("go on: the conversation is over")]
    Over,
}

/// Holds the conversation, launching a keeper wherever none is there. Ends with the agent.
pub async fn run(home: Home, mut lines: Lines) {
    for epoch in 1.. {
        let Some(stream) = reach(&home, &mut lines).await else {
            return;
        };
        match converse(stream, epoch, &mut lines).await {
            Err(Broken::Over) => return,
            Err(broken @ Broken::Protocol(_)) => {
                tracing::error!(
                    error = &broken as &dyn std::error::Error,
                    "no use for the keeper"
                );
                tokio::time::sleep(RETRY * PATIENCE).await;
            }
            Err(broken) => {
                tracing::warn!(error = &broken as &dyn std::error::Error, "lost the keeper");
            }
            Ok(()) => tracing::warn!("the keeper closed the conversation"),
        }
        lines.keeper.send_replace(Keeper::default());
        tokio::time::sleep(RETRY).await;
    }
}

/// Connects, launching a keeper first if nobody answers. `None`: the agent ends.
async fn reach(home: &Home, lines: &mut Lines) -> Option<UnixStream> {
    for attempt in 0.. {
        if lines.news.is_closed() {
            return None;
        }
        if let Ok(stream) = UnixStream::connect(home.socket(Daemon::Keeper)).await {
            return Some(stream);
        }
        if attempt % PATIENCE == 0 {
            match launch::launch(home, Daemon::Keeper) {
                Ok(child) => launch::reap(child),
                // Said once: it is tried again every few seconds, for as long as it takes.
                Err(error) if attempt == 0 => {
                    tracing::error!(error = &error as &dyn std::error::Error, "no keeper");
                }
                Err(_) => {}
            }
        }
        tokio::time::sleep(RETRY).await;
    }
    None
}

async fn converse(mut stream: UnixStream, epoch: u64, lines: &mut Lines) -> Result<(), Broken> {
    let mut frames = Frames::default();
    let mut bytes = vec![0; 64 << 10];
    let mut has_met = false;
    let mut is_ending = false;
    loop {
        tokio::select! {
            read = stream.read(&mut bytes) => {
                let read = read?;
                if read == 0 && is_ending {
                    return Err(Broken::Over);
                }
                if read == 0 {
                    return Ok(());
                }
                frames.push(bytes.get(..read).unwrap_or_default());
                let mut spoken = None;
                while let Some(message) = frames.take::<pb::FromKeeper>()? {
                    spoken = convert::spoken(&message).or(spoken);
                    hear(message, epoch, &mut has_met, lines).await?;
                }
                if let Some(number) = spoken {
                    tell(lines, News::Spoken(number)).await?;
                }
            }
            order = lines.orders.recv() => {
                let (decided_in, order) = order.ok_or(Broken::Over)?;
                if has_met && decided_in == epoch {
                    // It goes as it was told to: another one is not wanted.
                    is_ending |= matches!(order, Order::Shutdown);
                    let mut frame = Vec::new();
                    let subject = order.subject();
                    match frame::append(&pb::ToKeeper { message: Some(To::from(order)) }, &mut frame) {
                        Ok(()) => stream.write_all(&frame).await?,
                        Err(error) => refuse(subject, &error, lines).await?,
                    }
                }
            }
        }
    }
}

/// What cannot be said to the keeper comes back as its failure.
async fn refuse(subject: Option<RunKey>, error: &FrameError, lines: &Lines) -> Result<(), Broken> {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "an order was not given"
    );
    let Some(key) = subject else { return Ok(()) };
    let why = format!("hand its variables and arguments to the keeper: failed to {error}");
    let report = Report::SpawnFailed {
        why,
        at_unix: eco_home::clock::unix(),
    };
    tell(lines, News::Report(key, report)).await
}

async fn hear(
    message: pb::FromKeeper,
    epoch: u64,
    has_met: &mut bool,
    lines: &Lines,
) -> Result<(), Broken> {
    match message.message {
        Some(From::Hello(hello)) => {
            if hello.protocol != PROTOCOL {
                return Err(Broken::Protocol(hello.protocol));
            }
            *has_met = true;
            lines.keeper.send_replace(Keeper {
                pid: hello.pid,
                version: hello.version.clone(),
                groups: convert::groups(hello.groups.as_ref()),
            });
            let open = convert::open(&hello);
            let greeting = convert::greeting(hello);
            let met = News::Met {
                epoch,
                greeting,
                open,
            };
            tell(lines, met).await
        }
        Some(_) if !*has_met => Err(Broken::NoGreeting),
        Some(From::Grown(grown)) => {
            // A hint: who is too slow for it looks by himself.
            if let Some(growth) = convert::growth(grown) {
                drop(lines.growth.try_send(growth));
            }
            Ok(())
        }
        None => Ok(()),
        Some(fact) => {
            for news in convert::news(fact) {
                tell(lines, news).await?;
            }
            Ok(())
        }
    }
}

/// Waits for room: an app that says too much is read from no faster than what it says is taken in.
async fn tell(lines: &Lines, news: News) -> Result<(), Broken> {
    lines.news.send(news).await.map_err(|_| Broken::Over)
}

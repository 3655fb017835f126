//! The agent from its start to its end.
//!
//! Up: home, lock, store, supervisor, keeper and log daemon, socket. Who finds the socket finds an agent that knows its apps.
//!
//! Down, in this order, apps untouched unless they were put to rest first:
//! 1. rpc takes nothing new and finishes what it has, for a moment;
//! 2. the supervisor takes what is queued, and writes it;
//! 3. asked for by `eco kill`: keeper and log daemon end too;
//! 4. pid files of what has ended are taken away;
//! 5. the store is flushed, the lock is let go.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use eco_home::{
    Daemon, Home, HomeError, clock, connect, host_name, lock, open_files, own_log, socket,
};
use eco_proto::agent::v1::agent_server::AgentServer;
use eco_proto::log::v1::ShutdownRequest;
use eco_proto::log::v1::log_client::LogClient;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::feed::{self, LogDaemon};
use crate::fleet::event;
use crate::fleet::{Board, Fleet, Loss};
use crate::keeper::{self, Keeper};
use crate::lifelines;
use crate::lost;
use crate::memory;
use crate::pid_files::{self, Wanted};
use crate::probe::{self, Surroundings, outside, port};
use crate::rpc::{Peers, Service};
use crate::schedule;
use crate::store::{Loaded, Store, StoreError};
use crate::supervisor::{Ends, Input, Request, Supervisor};
use crate::voices;
use crate::watch_files::{self, Statuses};

/// How long open requests may take when the agent ends.
const GRACE: Duration = Duration::from_millis(500);
/// How long a keeper may take to be there.
const PATIENCE: Duration = Duration::from_secs(5);
/// Inputs that wait for the supervisor.
const INPUTS: usize = 1024;
/// Orders that wait for the keeper: several for each of thousands of instances.
const ORDERS: usize = 65_536;
/// Growth and beginnings that wait for the log daemon.
const NEWS: usize = 1024;
/// The largest request: an environment's specifications with every app's inherited variables.
const LARGEST_REQUEST: usize = 64 << 20;

/// Supervises the apps of this host. Started by `eco` when it is needed.
#[derive(Debug, Parser)]
#[command(name = "eco-agentd", version = eco_proto::VERSION)]
pub struct Args {
    /// The folder where eco lives; ~/.eco if not given
    #[arg(long, env = "ECO_HOME")]
    home: Option<PathBuf>,
    /// The name this host goes by; the kernel's if not given
    #[arg(long, env = "ECO_HOST")]
    host: Option<String>,
}

/// Why the agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The home cannot be used.
    #[error("use the home")]
    Home(#[from] HomeError),
    /// The lock cannot be taken.
    #[error("take the lock {path}")]
    Lock {
        /// The lock.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The state cannot be had.
    #[error("have the state")]
    Store(#[from] StoreError),
    /// The socket cannot be had.
    #[error("listen on {path}")]
    Listen {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nothing can be run at all.
    #[error("begin")]
    Runtime(#[source] std::io::Error),
    /// Signals cannot be heard.
    #[error("hear signals")]
    Signals(#[source] std::io::Error),
}

/// Whether keeper and log daemon end with the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// They go on.
    #[default]
    GoOn,
    /// They do.
    EndToo,
}

/// Runs the agent until it is told to end. Another agent of this home: says so and ends well.
pub async fn run(args: Args) -> Result<(), DaemonError> {
    let user_home = std::env::var_os("HOME").map(PathBuf::from);
    let home = Home::find(args.home.as_deref(), user_home.as_deref())?;
    home.prepare()?;
    let path = home.lock(Daemon::Agent);
    let held = lock::take(&path).map_err(|source| DaemonError::Lock { path, source })?;
    let Some(_held) = held else {
        tracing::info!("another agent serves this home");
        return Ok(());
    };
    own_log::begin(&home, Daemon::Agent);
    if let Err(error) = open_files::limit().and_then(open_files::raise) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    let store = Store::open(&home.state())?;
    serve(&home, host_name(args.host.as_deref()), &store).await?;
    store.flush()?;
    tracing::info!("ended");
    Ok(())
}

async fn serve(home: &Home, host: String, store: &Store) -> Result<(), DaemonError> {
    let (fleet, pids_before) = load(store, home, &host)?;
    let listener = listen(home)?;
    let end = CancellationToken::new();
    end_on_signals(&end)?;

    let (inputs, taken) = mpsc::channel(INPUTS);
    let (published, seen) = watch::channel(Arc::new(fleet.clone()));
    let (end_others, others) = watch::channel(Others::GoOn);
    let (board, shown) = watch::channel(Board::default());
    let (ends, peers, talks) = talk(home, &host, (published, shown.clone()), &inputs);
    let about = Surroundings {
        home: home.clone(),
        runs: home.runs(),
        host: host.clone(),
        voices: ends.voices.clone(),
        inputs: inputs.clone(),
        board,
    };
    let (watches, watches_seen) = watch::channel(Arc::default());
    let probes = probe(&seen, about, watches);
    let (problems, pid_problems) = watch::channel(Arc::default());
    let pid_files = tokio::spawn(pid_files::run(seen.clone(), pids_before, problems));
    let supervisor = Supervisor::new(fleet, store.clone(), home.runs(), host.clone(), ends);
    // An agent without its supervisor is none: whatever ends the one ends the other.
    let gone = end.clone().drop_guard();
    let supervising = tokio::spawn(async move {
        supervisor.run(taken).await;
        drop(gone);
    });

    meet_the_keeper(&mut peers.keeper.clone(), &mut seen.clone()).await;
    let service = Service {
        inputs: inputs.clone(),
        published: seen,
        events: store.events(),
        board: shown,
        watches: watches_seen,
        pid_files: pid_problems,
        home: home.root().to_owned(),
        peers,
        sampler: Arc::default(),
        host,
        runs: home.runs(),
        end: end.clone(),
        end_others,
    };
    tracing::info!(version = eco_proto::VERSION, home = %home.root().display(), "serving");
    answer(listener, service, &end).await;
    // Before anything else who would launch another log daemon in place of one that is told to end.
    talks.feeding.abort();
    drop(talks.feeding.await);
    if *others.borrow() == Others::EndToo {
        end_the_others(home, &inputs).await;
    }
    probes.iter().for_each(JoinHandle::abort);
    // The supervisor ends when nobody can send it anything any more.
    drop(inputs);
    talks.keeping.abort();
    await_the_last(supervising, pid_files).await;
    Ok(())
}

/// Waits for what must have done its work before the agent ends.
async fn await_the_last(supervising: JoinHandle<()>, pid_files: JoinHandle<()>) {
    if tokio::time::timeout(GRACE * 4, supervising).await.is_err() {
        tracing::error!("the supervisor did not end in time");
    }
    // They end with the supervisor's last word, which may be that apps have ended.
    if tokio::time::timeout(GRACE, pid_files).await.is_err() {
        tracing::warn!("not all pid files are taken away");
    }
}

/// The conversations with the other daemons.
struct Talks {
    keeping: JoinHandle<()>,
    feeding: JoinHandle<()>,
}

/// Begins the conversations with keeper and log daemon.
fn talk(
    home: &Home,
    host: &str,
    (published, board): (watch::Sender<Arc<Fleet>>, watch::Receiver<Board>),
    inputs: &mpsc::Sender<Input>,
) -> (Ends, Peers, Talks) {
    let (orders, given) = mpsc::channel(ORDERS);
    let (news, heard) = mpsc::channel(INPUTS);
    let (feed, runs) = mpsc::channel(NEWS);
    let (growth, grown) = mpsc::channel(NEWS);
    let (keeper, keeper_seen) = watch::channel(Keeper::default());
    let (log, log_seen) = watch::channel(LogDaemon::default());
    let keeping = keeper::Lines {
        orders: given,
        news,
        growth,
        keeper,
    };
    let feeding = feed::Lines {
        growth: grown,
        runs,
        fleet: published.subscribe(),
        daemon: log,
    };
    let (listener, ears) = voices::listen(heard, inputs.clone());
    tokio::spawn(listener.run());
    let talks = Talks {
        keeping: tokio::spawn(keeper::run(home.clone(), keeping)),
        feeding: tokio::spawn(feed::run(home.clone(), host.to_owned(), feeding)),
    };
    (
        Ends {
            orders,
            feed,
            published,
            board,
            voices: ears.voices.clone(),
        },
        Peers {
            keeper: keeper_seen,
            log: log_seen,
            ears,
        },
        talks,
    )
}

/// Begins to look at what no one tells us: answers of apps, open ports, changed files, memory; and to hold what the keeper
/// may let go of.
fn probe(
    seen: &watch::Receiver<Arc<Fleet>>,
    about: Surroundings,
    watches: watch::Sender<Arc<Statuses>>,
) -> Vec<JoinHandle<()>> {
    let (home, inputs) = (about.home.root().to_owned(), about.inputs.clone());
    let (host, runs) = (about.host.clone(), about.runs.clone());
    vec![
        tokio::spawn(schedule::run(seen.clone(), inputs.clone())),
        tokio::spawn(lifelines::run(seen.clone(), host, runs)),
        tokio::spawn(port::run(seen.clone(), inputs.clone())),
        tokio::spawn(outside::run(seen.clone(), inputs.clone())),
        tokio::spawn(watch_files::run(
            seen.clone(),
            home,
            inputs.clone(),
            watches,
        )),
        tokio::spawn(memory::run(seen.clone(), inputs)),
        tokio::spawn(probe::run(seen.clone(), about)),
    ]
}

/// Serves until the end is asked for, and then for as long as open requests take, within [`GRACE`].
async fn answer(listener: UnixListener, service: Service, end: &CancellationToken) {
    let service = AgentServer::new(service).max_decoding_message_size(LARGEST_REQUEST);
    let served = Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(
            UnixListenerStream::new(listener),
            end.clone().cancelled_owned(),
        );
    let too_late = async {
        end.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::error!(error = &error as &dyn std::error::Error, "the service failed");
        },
        () = too_late => {}
    }
}

/// Waits until what is shown has been compared with what runs, so that nobody is told of the living as they were when the
/// last agent died. Without a keeper the agent serves all the same, and says so to whoever starts something.
async fn meet_the_keeper(
    keeper: &mut watch::Receiver<Keeper>,
    fleet: &mut watch::Receiver<Arc<Fleet>>,
) {
    fleet.mark_unchanged();
    let met = async {
        let is_there = |keeper: &Keeper| keeper.pid != 0;
        keeper.wait_for(is_there).await.is_ok() && fleet.changed().await.is_ok()
    };
    if tokio::time::timeout(PATIENCE, met).await.is_err() {
        tracing::error!("serving without a keeper");
    }
}

/// Reads the fleet, and lets it know what is lost. Tells also which pid files an earlier agent had written.
fn load(store: &Store, home: &Home, host: &str) -> Result<(Fleet, Wanted), DaemonError> {
    let Loaded {
        mut fleet,
        boot_id,
        bad,
    } = store.load()?;
    for record in bad {
        tracing::error!(
            error = &record as &dyn std::error::Error,
            "left a record where it is"
        );
    }
    fleet.pass_over(lost::runs(&home.runs(), host));
    let pids_before = Wanted::of(&fleet);
    let boot_now = clock::boot_id();
    let loss = if boot_id == boot_now {
        lost::processes(&fleet, home, host, &boot_now)
    } else {
        Some(Loss::Host)
    };
    if let Some(loss) = loss {
        let before = fleet.clone();
        fleet.rise_after(loss);
        let changes = fleet.take_changes();
        let events = event::events(&before, &fleet, &changes, clock::unix());
        store.commit(&fleet, &changes, &events)?;
        store.set_boot(&boot_now)?;
    }
    fleet.take_up(clock::since_boot());
    Ok((fleet, pids_before))
}

fn listen(home: &Home) -> Result<UnixListener, DaemonError> {
    let path = home.socket(Daemon::Agent);
    let bound = socket::bind(&path).and_then(|listener| {
        listener.set_nonblocking(true)?;
        UnixListener::from_std(listener)
    });
    bound.map_err(|source| DaemonError::Listen { path, source })
}

fn end_on_signals(end: &CancellationToken) -> Result<(), DaemonError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(DaemonError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DaemonError::Signals)?;
    let end = end.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        end.cancel();
    });
    Ok(())
}

/// Nothing runs any more: tells the keeper and the log daemon to end.
async fn end_the_others(home: &Home, inputs: &mpsc::Sender<Input>) {
    drop(inputs.send(Input::Request(Request::EndKeeper)).await);
    if let Ok(channel) = connect::unix(home.socket(Daemon::Log)).await {
        let mut log = LogClient::new(channel);
        let told = tokio::time::timeout(GRACE * 4, log.shutdown(ShutdownRequest {})).await;
        if told.is_err() {
            tracing::warn!("the log daemon does not answer");
        }
    }
    // Whoever still holds the keeper's lock has not taken the order yet.
    let gone = async {
        while matches!(lock::take(&home.lock(Daemon::Keeper)), Ok(None)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(GRACE * 4, gone).await.is_err() {
        tracing::warn!("the keeper has not ended");
    }
}

//! The daemon's life, in order:
//!
//! 1. the home's folders, and its lock: one log daemon per home, a second one leaves at once;
//! 2. the socket, and the port if one was asked for;
//! 3. serve, seal and bound what is there, copy lines to the files that were asked for, and ship where that is set up, until
//!    a signal or the Shutdown call; SIGUSR2 has those files opened again;
//! 4. the bell is closed, so that followers end; connections get [`GRACE`] to take what is left, and nobody waits for them
//!    any longer;
//! 5. the socket goes, then the lock.
//!
//! The files are the state: killed at any point, nothing is lost.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::Parser;
use eco_home::{Daemon, Home, HomeError, host_name, lock, own_log, socket};
use eco_proto::log::v1::log_server::LogServer;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::eco_toml::LastGood;
use crate::mirror::{self, Mirrors};
use crate::replica::{Durability, Receiver};
use crate::rpc::{Courier, Door, Service, THREADS};
use crate::tail::Bell;
use crate::upkeep::{self, Upkeep};

/// How long connections may take to end.
pub const GRACE: Duration = Duration::from_secs(1);
/// How long a silent connection from elsewhere is believed in.
const BEAT: Duration = Duration::from_secs(10);

/// Serve the output of the apps of this home
#[derive(Debug, Parser)]
#[command(name = "eco-logd", version)]
pub struct Args {
    /// Folder where eco lives [default: ~/.eco]
    #[arg(long, env = "ECO_HOME", value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// Name this host goes by [default: the kernel's]
    #[arg(long, env = "ECO_HOST", value_name = "NAME")]
    host: Option<String>,
    /// Serve queries and keep what other log daemons ship at this address of this machine, such as 127.0.0.1:7470. Whoever
    /// runs something on this machine can read and write there; other machines come when there are certificates
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// When something that was shipped here counts as kept
    #[arg(long, value_enum, value_name = "WHAT")]
    durability: Option<Durability>,
}

/// How to serve, besides where. What is `None` is as `eco.toml` says.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The name of this host.
    pub host: String,
    /// Where to listen too.
    pub listen: Option<SocketAddr>,
    /// When something counts as kept.
    pub durability: Option<Durability>,
}

impl Default for Manner {
    /// Under the kernel's name.
    fn default() -> Self {
        Self {
            host: host_name(None),
            listen: None,
            durability: None,
        }
    }
}

/// How a daemon's life ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It served until it was told to end.
    Served,
    /// Another one serves this home.
    Taken,
}

/// Why it could not serve.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The lock cannot be had.
    #[error("lock {path}")]
    Lock {
        /// The lock.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The socket cannot be bound.
    #[error("listen at {path}")]
    Listen {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The port cannot be had.
    #[error("listen at {address}")]
    Port {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The port is not this machine's own.
    #[error(
        "listen at {0}: others than this machine could come in there, and nothing would be encrypted. Certificates come with a \
         later version; until then take an address such as 127.0.0.1:7470, and forward it, for instance by `ssh -R`"
    )]
    Open(SocketAddr),
    /// The runtime or the signals cannot be set up.
    #[error("set up the runtime")]
    Runtime(#[source] io::Error),
    /// Serving failed.
    #[error("serve")]
    Serve(#[source] tonic::transport::Error),
}

/// Serves the home that `args` name until a signal comes.
pub fn main(args: &Args) -> Result<Ended, DaemonError> {
    let user_home = std::env::var_os("HOME");
    let home = Home::find(args.home.as_deref(), user_home.as_deref().map(Path::new))?;
    let manner = Manner {
        host: host_name(args.host.as_deref()),
        listen: args.listen,
        durability: args.durability,
    };
    raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .build()
        .map_err(DaemonError::Runtime)?;
    let ended = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(DaemonError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(DaemonError::Runtime)?;
        let told = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        run(&home, &manner, told).await
    });
    // Connections that outlived their grace go here, and with them what their threads wait for.
    runtime.shutdown_timeout(GRACE);
    ended
}

/// Serves `home` until `told` or the Shutdown call.
pub async fn run(
    home: &Home,
    manner: &Manner,
    told: impl Future<Output = ()>,
) -> Result<Ended, DaemonError> {
    home.prepare()?;
    let path = home.lock(Daemon::Log);
    let held = match lock::take(&path) {
        Ok(Some(held)) => held,
        Ok(None) => {
            tracing::info!(home = %home.root().display(), "another log daemon serves this home");
            return Ok(Ended::Taken);
        }
        Err(source) => return Err(DaemonError::Lock { path, source }),
    };
    own_log::begin(home, Daemon::Log);
    let file = Arc::new(LastGood::new(home.root()));
    let outside = outside(manner, &file)?;
    let path = home.socket(Daemon::Log);
    let listener = listen(&path).map_err(|source| DaemonError::Listen {
        path: path.clone(),
        source,
    })?;
    tracing::info!(socket = %path.display(), version = eco_proto::VERSION, "serving");
    let served = serve_all(home, manner, file, listener, outside, told).await;
    if let Err(error) = std::fs::remove_file(&path) {
        tracing::warn!(%error, socket = %path.display(), "the socket stays");
    }
    drop(held);
    served?;
    tracing::info!("ended");
    Ok(Ended::Served)
}

/// Serves at the socket and, where that is asked for, at the port; copies and ships meanwhile.
async fn serve_all(
    home: &Home,
    manner: &Manner,
    file: Arc<LastGood>,
    listener: UnixListener,
    outside: Option<TcpListener>,
    told: impl Future<Output = ()>,
) -> Result<(), DaemonError> {
    let shutdown = CancellationToken::new();
    let bell = Arc::new(Bell::default());
    let mirrors = Mirrors::load(home.mirrors(), home.runs());
    let mirrors = Arc::new(Mutex::new(mirrors));
    reopen_on_signal(&mirrors).map_err(DaemonError::Runtime)?;
    let copying = copy(&mirrors, &bell);
    let wanted = file.read();
    let upkeep = look_after(home, manner, &file, &mirrors, &bell);
    let receiver = Receiver::new(
        home.runs(),
        manner.host.clone(),
        manner
            .durability
            .or(wanted.guests.durability)
            .unwrap_or_default(),
        Arc::clone(&bell),
    );
    let mut service = Service::new(
        home.runs(),
        Arc::clone(&bell),
        mirrors,
        Arc::new(receiver),
        Arc::clone(&file),
        shutdown.clone(),
    );
    let mut others = JoinSet::new();
    if let Some(ship) = wanted.ship {
        let courier = Courier {
            runs: home.runs(),
            host: manner.host.clone(),
            to: ship.to.clone(),
            bell: Arc::new(Bell::default()),
            file,
        };
        service = service.shipping(ship, Arc::clone(&courier.bell));
        others.spawn(courier.run(shutdown.clone()));
    }
    if let Some(outside) = outside {
        let service = service.clone().at(Door::Port);
        others.spawn(serve_outside(outside, service, shutdown.clone()));
    }
    let served = serve(listener, service, &bell, shutdown.clone(), told).await;
    shutdown.cancel();
    if tokio::time::timeout(GRACE, others.join_all())
        .await
        .is_err()
    {
        tracing::warn!("connections of other hosts are broken off");
    }
    if upkeep.join().is_err() {
        tracing::error!("segments were not sealed any more, and nothing old went");
    }
    if copying.join().is_err() {
        tracing::error!("lines were not copied to files any more");
    }
    served.map_err(DaemonError::Serve)
}

/// Where others are listened to, if that was asked for. What `eco.toml` asks for and cannot be had is no reason to serve
/// nobody.
fn outside(manner: &Manner, file: &LastGood) -> Result<Option<TcpListener>, DaemonError> {
    if let Some(address) = manner.listen {
        return listen_outside(address).map(Some);
    }
    let Some(address) = file.read().guests.listen else {
        return Ok(None);
    };
    Ok(listen_outside(address)
        .inspect_err(|error| {
            let cause = error.source().map(|cause| format!(": {cause}"));
            file.fail(format!(
                "failed to {error}{}, as `logs.listen` of eco.toml says: nobody can ship to this host; free the address or \
                 write another one, and start the log daemon again",
                cause.unwrap_or_default()
            ));
        })
        .ok())
}

fn listen_outside(address: SocketAddr) -> Result<TcpListener, DaemonError> {
    if !address.ip().is_loopback() {
        return Err(DaemonError::Open(address));
    }
    std::net::TcpListener::bind(address)
        .and_then(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        })
        .map_err(|source| DaemonError::Port { address, source })
}

/// Serves whoever comes from this machine, until `shutdown`.
async fn serve_outside(listener: TcpListener, service: Service, shutdown: CancellationToken) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "serving others on this machine too");
    }
    let served = Server::builder()
        .http2_keepalive_interval(Some(BEAT))
        .http2_keepalive_timeout(Some(BEAT))
        .add_service(LogServer::new(service))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            shutdown.cancelled_owned(),
        );
    if let Err(error) = served.await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "nobody is served outside of the socket any more"
        );
    }
}

fn copy(mirrors: &Arc<Mutex<Mirrors>>, bell: &Arc<Bell>) -> JoinHandle<()> {
    let (mirrors, bell) = (Arc::clone(mirrors), Arc::clone(bell));
    thread::spawn(move || mirror::run(&mirrors, &bell))
}

fn look_after(
    home: &Home,
    manner: &Manner,
    file: &Arc<LastGood>,
    mirrors: &Mutex<Mirrors>,
    bell: &Arc<Bell>,
) -> JoinHandle<()> {
    let told = mirror::hold(mirrors).told();
    let upkeep = Upkeep::new(home.runs(), manner.host.clone(), Arc::clone(file), told);
    let bell = Arc::clone(bell);
    thread::spawn(move || upkeep::run(upkeep, &bell))
}

/// As PM2 has it.
fn reopen_on_signal(mirrors: &Arc<Mutex<Mirrors>>) -> io::Result<()> {
    let mut asked = signal(SignalKind::user_defined2())?;
    let mirrors = Arc::clone(mirrors);
    tokio::spawn(async move {
        while asked.recv().await.is_some() {
            let mirrors = Arc::clone(&mirrors);
            let reopened = tokio::task::spawn_blocking(move || mirror::hold(&mirrors).reopen());
            if let Ok(files) = reopened.await {
                tracing::info!(files = files.len(), "opened log files again");
            }
        }
    });
    Ok(())
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = socket::bind(path)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Serves at `listener` until `told` or `shutdown`, and a little longer.
pub async fn serve(
    listener: UnixListener,
    service: Service,
    bell: &Bell,
    shutdown: CancellationToken,
    told: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let answering = service.clone();
    let serving = Server::builder()
        .add_service(LogServer::new(service))
        .serve_with_incoming_shutdown(
            UnixListenerStream::new(listener),
            shutdown.clone().cancelled_owned(),
        );
    let ending = async {
        tokio::select! {
            () = told => {}
            () = shutdown.cancelled() => {}
        }
        shutdown.cancel();
        bell.close();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => {
            // Also when serving failed, and nobody told us to end.
            bell.close();
            served
        }
        () = ending => {
            answering.hang_up();
            Ok(())
        }
    }
}

/// Followers hold a descriptor per stream they follow. What cannot be had is not needed by most.
fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "the descriptor limit stays as it is");
    }
}

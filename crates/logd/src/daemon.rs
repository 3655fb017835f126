//! The daemon's life, in order:
//!
//! 1. the home's folders, and its lock: one log daemon per home, a second one leaves at once;
//! 2. the socket;
//! 3. serve, seal and bound what is there, and copy lines to the files that were asked for, until a signal or the Shutdown call; SIGUSR2 has those files
//!    opened again;
//! 4. the bell is closed, so that followers end; connections get [`GRACE`] to take what is left, and nobody waits for them
//!    any longer;
//! 5. the socket goes, then the lock.
//!
//! The files are the state: killed at any point, nothing is lost.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::Parser;
use eco_home::{Daemon, Home, HomeError, lock, own_log, socket};
use eco_proto::log::v1::log_server::LogServer;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::mirror::{self, Mirrors};
use crate::rpc::{Service, THREADS};
use crate::tail::Bell;
use crate::upkeep::{self, Upkeep};

/// How long connections may take to end.
pub const GRACE: Duration = Duration::from_secs(1);

/// Serve the output of the apps of this home
#[derive(Debug, Parser)]
#[command(name = "eco-logd", version)]
pub struct Args {
    /// Folder where eco lives [default: ~/.eco]
    #[arg(long, env = "ECO_HOME", value_name = "FOLDER")]
    home: Option<PathBuf>,
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
        run(&home, told).await
    });
    // Connections that outlived their grace go here, and with them what their threads wait for.
    runtime.shutdown_timeout(GRACE);
    ended
}

/// Serves `home` until `told` or the Shutdown call.
pub async fn run(home: &Home, told: impl Future<Output = ()>) -> Result<Ended, DaemonError> {
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
    let path = home.socket(Daemon::Log);
    let listener = listen(&path).map_err(|source| DaemonError::Listen {
        path: path.clone(),
        source,
    })?;
    let shutdown = CancellationToken::new();
    let bell = Arc::new(Bell::default());
    let mirrors = Mirrors::load(home.mirrors(), home.runs());
    let mirrors = Arc::new(Mutex::new(mirrors));
    reopen_on_signal(&mirrors).map_err(DaemonError::Runtime)?;
    let copying = copy(&mirrors, &bell);
    let upkeep = look_after(home, &mirrors, &bell);
    let service = Service::new(home.runs(), Arc::clone(&bell), mirrors, shutdown.clone());
    tracing::info!(socket = %path.display(), version = eco_proto::VERSION, "serving");
    let served = serve(listener, service, &bell, shutdown, told).await;
    if upkeep.join().is_err() {
        tracing::error!("segments were not sealed any more, and nothing old went");
    }
    if copying.join().is_err() {
        tracing::error!("lines were not copied to files any more");
    }
    if let Err(error) = std::fs::remove_file(&path) {
        tracing::warn!(%error, socket = %path.display(), "the socket stays");
    }
    drop(held);
    served.map_err(DaemonError::Serve)?;
    tracing::info!("ended");
    Ok(Ended::Served)
}

fn copy(mirrors: &Arc<Mutex<Mirrors>>, bell: &Arc<Bell>) -> JoinHandle<()> {
    let (mirrors, bell) = (Arc::clone(mirrors), Arc::clone(bell));
    thread::spawn(move || mirror::run(&mirrors, &bell))
}

fn look_after(home: &Home, mirrors: &Mutex<Mirrors>, bell: &Arc<Bell>) -> JoinHandle<()> {
    let told = mirror::hold(mirrors).told();
    let upkeep = Upkeep::new(home.root(), home.runs(), told);
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

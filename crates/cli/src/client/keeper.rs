//! Ending everything by the keeper alone, for a person whose agent cannot be had: the state may be damaged, and the apps run
//! on.
//!
//! ```text
//!  keeper ─── Hello: its runs ──▶ command ─── Signal ─▶ … Gone ─▶ Forget … nothing left ─▶ Shutdown ─▶ gone
//! ```
//!
//! How each app is to be ended stands in the state, so that all are ended as one is that says nothing of it.

use std::io;
use std::time::Duration;

use eco_config::spec::StopPolicy;
use eco_home::{Daemon, Home, clock};
use eco_proto::frame::{self, FrameError, Frames};
use eco_proto::keeper::v1 as pb;
use eco_proto::keeper::v1::from_keeper::Message as From;
use eco_proto::keeper::v1::to_keeper::Message as To;
use nix::libc::SIGKILL;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::connect;
use crate::error::CliError;

/// The version of the conversation that is spoken here.
const PROTOCOL: u32 = 1;
/// How long the keeper may take to say who it is, and to end.
const ANSWER: Duration = Duration::from_secs(10);
/// How long runs may take to be gone when they are killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two signals.
const AGAIN: Duration = Duration::from_secs(1);

/// A keeper that this command speaks with.
#[derive(Debug)]
pub(crate) struct Keeper {
    home: Home,
    stream: UnixStream,
    frames: Frames,
    hello: pb::Hello,
}

/// Why it cannot be spoken with.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("talk to the keeper")]
    Io(#[from] io::Error),
    #[error("understand the keeper")]
    Frame(#[from] FrameError),
    #[error("it closed the conversation")]
    Closed,
}

impl Keeper {
    /// Connects, when one runs. An agent that spoke with it would be put out.
    pub(crate) async fn find(home: &Home) -> Result<Option<Self>, CliError> {
        let Ok(stream) = UnixStream::connect(home.socket(Daemon::Keeper)).await else {
            return Ok(None);
        };
        let mut keeper = Self {
            home: home.clone(),
            stream,
            frames: Frames::default(),
            hello: pb::Hello::default(),
        };
        let tried = "ask the keeper which apps run";
        let heard = timeout(ANSWER, keeper.hear()).await;
        let heard = heard.map_err(|_| connect::silent(home, Daemon::Keeper, tried, ANSWER))?;
        match heard.map_err(|broken| keeper.failed(tried, broken))? {
            From::Hello(hello) if hello.protocol == PROTOCOL => {
                keeper.hello = hello;
                Ok(Some(keeper))
            }
            From::Hello(hello) => Err(CliError::daemon(tried).because(format!(
                "it speaks version {} of the conversation, and this eco {PROTOCOL}",
                hello.protocol
            ))),
            From::Spawned(_)
            | From::SpawnFailed(_)
            | From::Exited(_)
            | From::Gone(_)
            | From::Grown(_)
            | From::Said(_)
            | From::ChannelClosed(_)
            | From::Notified(_) => {
                Err(CliError::daemon(tried).because("it did not say first who it is"))
            }
        }
    }

    /// Its process.
    pub(crate) const fn pid(&self) -> i32 {
        self.hello.pid
    }

    /// Ends all its runs, and then the keeper; returns how many there were.
    pub(crate) async fn end_all(mut self) -> Result<u32, CliError> {
        let tried = "end the apps";
        let (ended, mut left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.hello.runs)
            .into_iter()
            .partition(|run| run.gone);
        let count = u32::try_from(left.len()).unwrap_or(u32::MAX);
        for run in &ended {
            let order = forget(run.key.as_ref());
            self.order(order)
                .await
                .map_err(|it| self.failed(tried, it))?;
        }
        self.end_runs(&mut left)
            .await
            .map_err(|broken| self.failed(tried, broken))?;
        if !left.is_empty() {
            return Err(self.remain(tried, &left));
        }
        self.end()
            .await
            .map_err(|broken| self.failed("end the keeper", broken))?;
        Ok(count)
    }

    /// Signals `runs` until all are gone; those that are left after some time stay in it.
    async fn end_runs(&mut self, runs: &mut Vec<pb::RunState>) -> Result<(), Broken> {
        let policy = StopPolicy::default();
        self.signal(runs, policy.signal).await?;
        let mut next = clock::since_boot() + policy.kill_timeout;
        let until = next + PATIENCE;
        while !runs.is_empty() && next < until {
            let rest = next.saturating_sub(clock::since_boot());
            let Ok(heard) = timeout(rest, self.hear()).await else {
                self.signal(runs, SIGKILL).await?;
                next = clock::since_boot() + AGAIN;
                continue;
            };
            if let From::Gone(gone) = heard? {
                runs.retain(|run| run.key != gone.key);
                self.order(forget(gone.key.as_ref())).await?;
            }
        }
        Ok(())
    }

    async fn signal(&mut self, runs: &[pb::RunState], signal: i32) -> Result<(), Broken> {
        for run in runs {
            let signal = pb::Signal {
                key: run.key.clone(),
                signal,
                reach: pb::SignalReach::Unspecified.into(),
            };
            self.order(To::Signal(signal)).await?;
        }
        Ok(())
    }

    /// Has it end, and waits until it closes the conversation.
    async fn end(&mut self) -> Result<(), Broken> {
        self.order(To::Shutdown(pb::Shutdown {})).await?;
        let closed = async {
            loop {
                match self.hear().await {
                    Ok(_) => {}
                    Err(Broken::Closed | Broken::Io(_)) => return Ok(()),
                    Err(broken @ Broken::Frame(_)) => return Err(broken),
                }
            }
        };
        // Who waits for its end sees whether it has come.
        timeout(ANSWER, closed).await.unwrap_or(Ok(()))
    }

    async fn order(&mut self, order: To) -> Result<(), Broken> {
        let mut bytes = Vec::new();
        let message = pb::ToKeeper {
            message: Some(order),
        };
        frame::append(&message, &mut bytes)?;
        Ok(self.stream.write_all(&bytes).await?)
    }

    /// The next message that this version knows. A caller may give up waiting for it, and nothing is lost.
    async fn hear(&mut self) -> Result<From, Broken> {
        loop {
            while let Some(message) = self.frames.take::<pb::FromKeeper>()? {
                if let Some(message) = message.message {
                    return Ok(message);
                }
            }
            let mut bytes = [0; 4096];
            let read = self.stream.read(&mut bytes).await?;
            if read == 0 {
                return Err(Broken::Closed);
            }
            self.frames.push(bytes.get(..read).unwrap_or_default());
        }
    }

    fn failed(&self, tried: &str, broken: Broken) -> CliError {
        let log = self.home.log(Daemon::Keeper);
        CliError::daemon(tried)
            .because(broken)
            .hinted(format!("see {}", log.display()))
    }

    fn remain(&self, tried: &str, runs: &[pb::RunState]) -> CliError {
        let told = runs.iter().map(|run| {
            let key = run.key.clone().unwrap_or_default();
            let pid = run.spawned.as_ref().map_or(0, |spawned| spawned.pid);
            format!(
                "{}/{}#{} (pid {pid})",
                key.environment, key.app, key.instance
            )
        });
        CliError::daemon(tried)
            .because(format!(
                "they are still there {} s after SIGKILL",
                PATIENCE.as_secs()
            ))
            .detailed(told)
            .hinted(format!(
                "see why they do not end, and {}; then: eco kill",
                self.home.log(Daemon::Keeper).display()
            ))
    }
}

fn forget(key: Option<&pb::RunKey>) -> To {
    To::Forget(pb::Forget { key: key.cloned() })
}

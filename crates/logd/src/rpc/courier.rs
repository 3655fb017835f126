//! Ships the runs of this host to another log daemon: one call after the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eco_proto::log::v1 as pb;
use eco_proto::log::v1::log_client::LogClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use super::convert::chain;
use super::shipping;
use crate::eco_toml::LastGood;
use crate::ship::{Mailbox, Over, Work};
use crate::tail::Bell;

/// Chunks on their way to the connection.
const AHEAD: usize = 2;
/// Between two calls, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long an unanswered connection is believed in.
const CONNECT: Duration = Duration::from_secs(5);
const BEAT: Duration = Duration::from_secs(10);

/// Who ships what to whom.
#[derive(Debug)]
pub struct Courier {
    /// Where the runs are.
    pub runs: PathBuf,
    /// The host whose runs these are.
    pub host: String,
    /// The other log daemon, `http://HOST:PORT`.
    pub to: String,
    /// Rung when there may be something to ship.
    pub bell: Arc<Bell>,
    /// Where it is told that shipping rests.
    pub file: Arc<LastGood>,
}

impl Courier {
    /// Ships until `shutdown`, whatever happens to the other one.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        let mut told = String::new();
        loop {
            let mut was_heard = false;
            let failure = tokio::select! {
                failure = self.call(&mut was_heard) => failure,
                () = shutdown.cancelled() => break,
            };
            if was_heard {
                pause = FIRST_PAUSE;
                told.clear();
            }
            let message = failure.message();
            if told != message {
                let to = &self.to;
                let what = format!(
                    "shipping to {to} rests, and what apps write waits in its files: {message}"
                );
                tracing::warn!("{what}");
                self.file.rests(Some(what));
                message.clone_into(&mut told);
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => break,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.bell.close();
    }

    /// Makes one call; returns why it ended. `was_heard` tells whether the other one answered.
    async fn call(&self, was_heard: &mut bool) -> Status {
        match self.try_call(was_heard).await {
            Ok(()) => Status::unavailable("the other log daemon has ended the call"),
            Err(status) if status.code() == Code::Unimplemented => Status::unimplemented(format!(
                "the log daemon at {} is too old to keep what others ship: {}",
                self.to,
                status.message()
            )),
            Err(status) => status,
        }
    }

    async fn try_call(&self, was_heard: &mut bool) -> Result<(), Status> {
        let unreachable = |error: tonic::transport::Error| {
            Status::unavailable(format!("failed to reach {}: {}", self.to, chain(&error)))
        };
        let channel = Endpoint::from_shared(self.to.clone())
            .map_err(unreachable)?
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(BEAT)
            .keep_alive_timeout(BEAT)
            .keep_alive_while_idle(true)
            .connect()
            .await
            .map_err(unreachable)?;
        let (chunks, outgoing) = mpsc::channel::<pb::Chunk>(AHEAD);
        let answer = LogClient::new(channel)
            .ship(ReceiverStream::new(outgoing))
            .await?;
        let mut acks = answer.into_inner();
        let mailbox = Arc::new(Mailbox::default());
        let letters = Arc::clone(&mailbox);
        let (runs, host, to) = (self.runs.clone(), self.host.clone(), self.to.clone());
        let mut work = Work::new(runs, host, to, Arc::clone(&self.bell));
        let working = tokio::task::spawn_blocking(move || {
            work.run(&letters, |chunk| {
                chunks.blocking_send(shipping::wire_chunk(chunk)).is_ok()
            })
        });
        let ended = loop {
            match acks.message().await {
                Ok(Some(ack)) => match shipping::ack(ack) {
                    Ok(ack) => {
                        if !std::mem::replace(was_heard, true) {
                            tracing::info!(to = self.to, "shipping");
                            self.file.rests(None);
                        }
                        mailbox.put(ack, &self.bell);
                    }
                    Err(invalid) => break Err(Status::invalid_argument(invalid.to_string())),
                },
                Ok(None) => break Ok(()),
                Err(status) => break Err(status),
            }
        };
        mailbox.close(&self.bell);
        // The connection goes first, so that nobody waits for it.
        drop(acks);
        match working.await {
            Ok(Over::Call | Over::Daemon) => ended,
            Err(panic) => Err(Status::internal(panic.to_string())),
        }
    }
}

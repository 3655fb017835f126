//! What another log daemon ships, taken in.
//!
//! ```text
//!   call ──▶ intake, a task ──channel: a few chunks──▶ session, a thread ──channel: acks──▶ call
//! ```
//!
//! A disk that is slow fills the first channel, and so holds up its sender and nobody else.

use std::sync::Arc;

use eco_proto::log::v1 as pb;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::shipping;
use crate::chunk::Chunk;
use crate::replica::{ReceiveError, Receiver, Session};

/// Chunks that wait for the disk before their sender does.
const AHEAD: usize = 4;
/// Acks that wait for the sender before its thread does.
const ACKS: usize = 256;

/// What the sender receives.
pub(super) type Acks = mpsc::Receiver<Result<pb::ChunkAck, Status>>;

/// Takes in what comes with `chunks` until its sender goes or `shutdown`; `held` is let go of then.
pub(super) fn take_in(
    receiver: Arc<Receiver>,
    mut chunks: Streaming<pb::Chunk>,
    shutdown: CancellationToken,
    held: impl Send + 'static,
) -> Acks {
    let (come, taken) = mpsc::channel(AHEAD);
    let (answers, acks) = mpsc::channel(ACKS);
    let keeping = answers.clone();
    tokio::task::spawn_blocking(move || {
        keep(Session::new(receiver), taken, &keeping);
        drop(held);
    });
    tokio::spawn(async move {
        let status = loop {
            let message = tokio::select! {
                message = chunks.message() => message,
                () = shutdown.cancelled() => break Status::unavailable("the log daemon is ending"),
            };
            let chunk = match message {
                Ok(Some(chunk)) => shipping::chunk(chunk),
                // Gone, or done: what it sent is kept, and the thread ends with its last ack.
                Ok(None) | Err(_) => return,
            };
            match chunk {
                Ok(chunk) => {
                    if come.send(chunk).await.is_err() {
                        return;
                    }
                }
                Err(invalid) => break shipping::refused(&ReceiveError::from(invalid)),
            }
        };
        drop(answers.send(Err(status)).await);
    });
    acks
}

/// Keeps what comes, all that is there at once, until nothing more comes or nobody listens.
fn keep(
    mut session: Session,
    mut taken: mpsc::Receiver<Chunk>,
    answers: &mpsc::Sender<Result<pb::ChunkAck, Status>>,
) {
    let mut batch = Vec::new();
    while taken.blocking_recv_many(&mut batch, AHEAD) > 0 {
        match session.take(&batch) {
            Ok(acks) => {
                for ack in acks {
                    if answers.blocking_send(Ok(shipping::wire_ack(ack))).is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                let status = shipping::refused(&error);
                tracing::warn!("a sender is turned away: {}", status.message());
                drop(answers.blocking_send(Err(status)));
                return;
            }
        }
        batch.clear();
    }
}

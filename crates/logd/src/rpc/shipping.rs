//! Chunks and acks: messages to domain values, and back.

use eco_home::notes::Note;
use eco_home::runs::RunId;
use eco_proto::log::v1 as pb;
use tonic::{Code, Status};

use super::convert::{UNREADABLE, known_loss, loss, sentence, stream, wire_stream};
use crate::chunk::{Ack, Chunk, Invalid, Standing, StreamId, Then};
use crate::hot::Lost;
use crate::replica::ReceiveError;

/// Reads a chunk; what is in it is not checked.
pub(super) fn chunk(chunk: pb::Chunk) -> Result<Chunk, Invalid> {
    Ok(Chunk {
        id: id(chunk.run, chunk.stream)?,
        offset: chunk.offset,
        bytes: chunk.bytes,
        notes: chunk
            .notes
            .iter()
            .map(|note| Note {
                end: note.end,
                time: note.time_ns,
            })
            .collect(),
        gone: chunk.gone,
        lost: chunk.lost.iter().map(lost).collect(),
        then: if chunk.ended { Then::End } else { Then::More },
    })
}

/// Puts a chunk on the wire.
pub(super) fn wire_chunk(chunk: Chunk) -> pb::Chunk {
    let ended = chunk.then == Then::End;
    let (run, stream) = wire_id(chunk.id);
    pb::Chunk {
        run,
        stream,
        offset: chunk.offset,
        bytes: chunk.bytes,
        notes: chunk
            .notes
            .iter()
            .map(|note| pb::Note {
                end: note.end,
                time_ns: note.time,
            })
            .collect(),
        ended,
        gone: chunk.gone,
        lost: chunk.lost.iter().map(wire_lost).collect(),
    }
}

fn lost(lost: &pb::Lost) -> Lost {
    Lost {
        from: lost.from,
        to: lost.to,
        time: lost.time_ns,
        why: known_loss(lost.loss()),
    }
}

fn wire_lost(lost: &Lost) -> pb::Lost {
    pb::Lost {
        from: lost.from,
        to: lost.to,
        time_ns: lost.time,
        loss: loss(lost.why).into(),
    }
}

/// Reads an ack.
pub(super) fn ack(ack: pb::ChunkAck) -> Result<Ack, Invalid> {
    let standing = match (ack.refused.is_empty(), ack.ended) {
        (false, _) => Standing::Refused(ack.refused),
        (true, true) => Standing::Ended,
        (true, false) => Standing::Open,
    };
    Ok(Ack {
        id: id(ack.run, ack.stream)?,
        end: ack.end,
        standing,
    })
}

/// Puts an ack on the wire.
pub(super) fn wire_ack(ack: Ack) -> pb::ChunkAck {
    let (run, stream) = wire_id(ack.id);
    let (ended, refused) = match ack.standing {
        Standing::Open => (false, String::new()),
        Standing::Ended => (true, String::new()),
        Standing::Refused(why) => (false, why),
    };
    pb::ChunkAck {
        run,
        stream,
        end: ack.end,
        ended,
        refused,
    }
}

/// Tells a sender why its call ends.
pub(super) fn refused(error: &ReceiveError) -> Status {
    let code = match error {
        ReceiveError::Invalid(_) | ReceiveError::Early { .. } => Code::InvalidArgument,
        ReceiveError::Own(_) => Code::FailedPrecondition,
        ReceiveError::Many(_) => Code::ResourceExhausted,
        ReceiveError::Hot(_) | ReceiveError::Write { .. } if error.is_full() => {
            Code::ResourceExhausted
        }
        ReceiveError::Hot(_) | ReceiveError::Write { .. } => UNREADABLE,
    };
    Status::new(code, sentence(error))
}

fn id(run: Option<pb::RunId>, number: i32) -> Result<StreamId, Invalid> {
    let run = run.ok_or(Invalid::Unnamed("run"))?;
    let stream = pb::Stream::try_from(number)
        .ok()
        .and_then(stream)
        .ok_or(Invalid::Unnamed("stream"))?;
    let run = RunId {
        host: run.host,
        environment: run.environment,
        app: run.app,
        instance: run.instance,
        run: run.run,
    };
    Ok(StreamId { run, stream })
}

fn wire_id(id: StreamId) -> (Option<pb::RunId>, i32) {
    let StreamId { run, stream } = id;
    let run = pb::RunId {
        host: run.host,
        environment: run.environment,
        app: run.app,
        instance: run.instance,
        run: run.run,
    };
    (Some(run), wire_stream(stream).into())
}

//! Lines for the standard inputs of instances.

use std::sync::Arc;
use std::time::Duration;

use eco_proto::agent::v1 as pb;
use tokio::task::JoinSet;
use tonic::Status;

use super::meant::{Meant, folder, meant, patience};
use super::refuse;
use super::service::Service;
use crate::stdin::{Stdin, StdinError};

/// Writes to all of them at the same time: one that does not read keeps nobody waiting.
pub(super) async fn send(
    service: &Service,
    request: pb::SendRequest,
) -> Result<pb::SpokenReply, Status> {
    let data: Arc<[u8]> = request.data.into();
    let patience = patience(request.timeout_ms);
    let all = meant(&service.fleet(), request.selection)?;
    let mut writing = JoinSet::new();
    for (place, one) in all.into_iter().enumerate() {
        let run_dir = one
            .living()
            .ok()
            .map(|run| folder(&service.runs, &service.host, run));
        let data = Arc::clone(&data);
        writing.spawn(async move {
            let spoken = match run_dir {
                Some(run_dir) => write(&one, &run_dir, &data, patience).await,
                None => one.living().map_or_else(|spoken| *spoken, |_| one.spoken()),
            };
            (place, spoken)
        });
    }
    let mut instances = Vec::new();
    while let Some(written) = writing.join_next().await {
        instances.push(written.map_err(|_| refuse::ending())?);
    }
    instances.sort_by_key(|(place, _)| *place);
    Ok(pb::SpokenReply {
        host: service.host.clone(),
        instances: instances.into_iter().map(|(_, spoken)| spoken).collect(),
    })
}

async fn write(
    one: &Meant,
    run_dir: &std::path::Path,
    data: &[u8],
    patience: Duration,
) -> pb::Spoken {
    let written = match Stdin::open(run_dir) {
        Ok(mut stdin) => stdin.write(data, patience).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(()) => pb::Spoken {
            written: length(data.len()),
            ..one.spoken()
        },
        Err(error) => failed(one, &error),
    }
}

/// What to tell of an instance whose standard input did not take what was written.
pub(super) fn failed(one: &Meant, error: &StdinError) -> pb::Spoken {
    let (written, hint) = match error {
        StdinError::Full { written, .. } => (
            *written,
            "what went in is read when the app reads on; a restart throws it away",
        ),
        StdinError::Closed => (0, ""),
        StdinError::Open { .. } => (
            0,
            "restart the app: it was started by an eco that gave apps no standard input",
        ),
        StdinError::Write(_) => (0, ""),
    };
    let problem = match std::error::Error::source(error) {
        Some(source) => format!("failed to {error}: {source}"),
        None => format!("failed to {error}"),
    };
    pb::Spoken {
        problem,
        hint: hint.to_owned(),
        written: length(written),
        ..one.spoken()
    }
}

/// A number of bytes for the wire.
pub(super) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

//! One instance's standard input, for as long as somebody writes to it.
//!
//! ```text
//!   selection ─▶ one living run ─▶ data ─▶ data ─▶ … ─▶ the stream ends ─▶ how much went in
//!                                               └─────▶ the run ends, or reads no more ─▶ that
//! ```

use std::time::Duration;

use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::attach_request::Part;
use eco_proto::agent::v1::error_detail::Code as Detail;
use eco_proto::detail;
use tonic::{Code, Status, Streaming};

use super::meant::{Meant, folder, lives, meant};
use super::send::{failed, length};
use super::service::Service;
use crate::fleet::RunKey;
use crate::stdin::Stdin;

/// How long the app may leave its standard input full before whoever types is told.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn attach(
    service: &Service,
    mut parts: Streaming<pb::AttachRequest>,
) -> Result<pb::Spoken, Status> {
    let first = parts.message().await?.and_then(|request| request.part);
    let Some(Part::Selection(selection)) = first else {
        return Err(Status::invalid_argument(
            "the first message selects nothing",
        ));
    };
    let one = only(meant(&service.fleet(), Some(selection))?)?;
    let run = match one.living() {
        Ok(run) => run.clone(),
        Err(spoken) => return Ok(*spoken),
    };
    let stdin = Stdin::open(&folder(&service.runs, &service.host, &run));
    let stdin = match stdin {
        Ok(stdin) => stdin,
        Err(error) => return Ok(failed(&one, &error)),
    };
    tokio::select! {
        told = pass_on(&one, stdin, parts) => told,
        () = ended(service, &run) => Ok(pb::Spoken {
            problem: "it has ended".to_owned(),
            ended: true,
            ..one.spoken()
        }),
        () = service.end.cancelled() => Err(super::refuse::ending()),
    }
}

/// The one instance that can be attached to.
fn only(all: Vec<Meant>) -> Result<Meant, Status> {
    let names: Vec<String> = all.iter().map(Meant::name).collect();
    let mut all = all.into_iter();
    if let (Some(one), None) = (all.next(), all.next()) {
        return Ok(one);
    }
    let detail = pb::ErrorDetail {
        code: Detail::Ambiguous.into(),
        candidates: names,
        hint: "name one of them, by its id in `eco list`".to_owned(),
        ..pb::ErrorDetail::default()
    };
    let text = "one instance can be attached to at a time".to_owned();
    Err(detail::status(Code::FailedPrecondition, text, &detail))
}

async fn pass_on(
    one: &Meant,
    mut stdin: Stdin,
    mut parts: Streaming<pb::AttachRequest>,
) -> Result<pb::Spoken, Status> {
    let mut written = 0;
    while let Some(request) = parts.message().await? {
        let Some(Part::Data(data)) = request.part else {
            return Err(Status::invalid_argument("only the first message selects"));
        };
        if let Err(error) = stdin.write(&data, PATIENCE).await {
            return Ok(failed(one, &error));
        }
        written += length(data.len());
    }
    Ok(pb::Spoken {
        written,
        ..one.spoken()
    })
}

/// Waits until the run is over.
async fn ended(service: &Service, run: &RunKey) {
    let mut published = service.published.clone();
    // An agent that publishes no more ends.
    drop(published.wait_for(|fleet| !lives(fleet, run)).await);
}

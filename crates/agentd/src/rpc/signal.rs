//! Signals to instances.

use eco_proto::agent::v1 as pb;
use tonic::Status;

use super::meant::meant;
use super::service::Service;
use crate::keeper::Reach;
use crate::supervisor::{Request, Word};

pub(super) async fn signal(
    service: &Service,
    request: pb::SignalRequest,
) -> Result<pb::SpokenReply, Status> {
    if !(1..=64).contains(&request.signal) {
        return Err(Status::invalid_argument(
            "signals are numbered from 1 to 64",
        ));
    }
    let reach = if request.tree {
        Reach::Tree
    } else {
        Reach::Leader
    };
    let mut words = Vec::new();
    let mut instances = Vec::new();
    for one in meant(&service.fleet(), request.selection)? {
        instances.push(match one.living() {
            Ok(run) => {
                words.push((run.clone(), Word::Signal(request.signal, reach)));
                one.spoken()
            }
            Err(spoken) => *spoken,
        });
    }
    service.needs_keeper()?;
    service.ask(|reply| Request::Speak { words, reply }).await?;
    Ok(pb::SpokenReply {
        host: service.host.clone(),
        instances,
    })
}

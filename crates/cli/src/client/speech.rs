//! Speaking to apps, through the agent.

use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::attach_request::Part;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::{Agent, status};
use crate::error::CliError;

impl Agent {
    /// Has instances do something that they said they can.
    pub(crate) async fn trigger(
        &mut self,
        request: pb::TriggerRequest,
    ) -> Result<pb::SpokenReply, CliError> {
        let reply = self.client.trigger(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("trigger an action", &refusal))
    }

    /// Writes to the standard input of instances.
    pub(crate) async fn send(
        &mut self,
        request: pb::SendRequest,
    ) -> Result<pb::SpokenReply, CliError> {
        let reply = self.client.send(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("write to apps", &refusal))
    }

    /// Sends a signal to instances.
    pub(crate) async fn signal(
        &mut self,
        request: pb::SignalRequest,
    ) -> Result<pb::SpokenReply, CliError> {
        let reply = self.client.signal(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("signal apps", &refusal))
    }

    /// Writes to the standard input of one instance what comes, until nothing more comes or the run is over.
    pub(crate) async fn attach(
        &mut self,
        selection: pb::Selection,
        typed: mpsc::Receiver<Vec<u8>>,
    ) -> Result<pb::Spoken, CliError> {
        let selects = tokio_stream::once(Part::Selection(selection));
        let parts = selects.chain(ReceiverStream::new(typed).map(Part::Data));
        let requests = parts.map(|part| pb::AttachRequest { part: Some(part) });
        let reply = self.client.attach(requests).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("attach to an app", &refusal))
    }
}

//! The agent's calls.

use std::time::Duration;

use eco_home::{Daemon, Home, clock};
use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::agent_client::AgentClient;
use tonic::transport::Channel;

use super::{connect, status};
use crate::error::CliError;
use crate::settle::{Awaited, Settling};
use crate::view::list::Metrics;

/// How long the agent may take to say who it is.
const PING: Duration = Duration::from_secs(10);

/// An agent that answers.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(super) client: AgentClient<Channel>,
    who: pb::PingReply,
}

impl Agent {
    /// Connects to the agent of `home`, of whatever version, when one runs.
    pub(crate) async fn find(home: &Home) -> Result<Option<Self>, CliError> {
        match connect::open(&home.socket(Daemon::Agent)).await? {
            Some(channel) => Self::greet(home, channel).await,
            None => Ok(None),
        }
    }

    /// Asks who is there; `None`: whoever took the connection was on the way out, as a killed agent is while the kernel
    /// still closes its sockets.
    async fn greet(home: &Home, channel: Channel) -> Result<Option<Self>, CliError> {
        let mut client = AgentClient::new(channel).max_decoding_message_size(connect::LARGEST);
        let reply = tokio::time::timeout(PING, client.ping(pb::PingRequest {})).await;
        let who = match reply {
            Ok(Ok(reply)) => reply.into_inner(),
            Ok(Err(refusal)) if status::is_broken(&refusal) => return Ok(None),
            Ok(Err(refusal)) => return Err(status::error("ask the agent", &refusal)),
            Err(_) => {
                return Err(connect::silent(home, Daemon::Agent, "ask the agent", PING));
            }
        };
        Ok(Some(Self { client, who }))
    }

    /// Refuses an agent of another version: it may misread what we send.
    pub(crate) fn of_our_version(self) -> Result<Self, CliError> {
        if self.who.version == eco_proto::VERSION {
            return Ok(self);
        }
        Err(CliError::daemon("talk with the agent")
            .because(format!(
                "it is of version {}, and this eco is of version {}",
                self.who.version,
                eco_proto::VERSION
            ))
            .hinted("eco update (the apps are not touched)"))
    }

    /// What it said of itself.
    pub(crate) const fn who(&self) -> &pb::PingReply {
        &self.who
    }

    /// Makes apps be as specified.
    pub(crate) async fn apply(
        &mut self,
        tried: &str,
        request: pb::ApplyRequest,
    ) -> Result<Vec<pb::Outcome>, CliError> {
        let reply = self.client.apply(request).await;
        reply
            .map(|reply| reply.into_inner().outcomes)
            .map_err(|refusal| status::error(tried, &refusal))
    }

    /// Tells what applying would change.
    pub(crate) async fn plan(
        &mut self,
        request: pb::PlanRequest,
    ) -> Result<pb::PlanReply, CliError> {
        let reply = self.client.plan(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("compare apps", &refusal))
    }

    /// What keeps apps from being run on the agent's host.
    pub(crate) async fn problems(
        &mut self,
        apps: Vec<pb::AppSpec>,
    ) -> Result<Vec<pb::Problem>, CliError> {
        let request = pb::PlanRequest {
            apps,
            prune: Vec::new(),
            needed: Vec::new(),
        };
        match self.client.plan(request).await {
            Ok(_) => Ok(Vec::new()),
            Err(refusal) => {
                status::problems(&refusal).ok_or_else(|| status::error("check the apps", &refusal))
            }
        }
    }

    /// Takes the events that are asked for, one after the other. Returns false when the agent went away before all was
    /// told, and its successor can be asked for the rest.
    pub(crate) async fn events(
        &mut self,
        request: pb::EventsRequest,
        take: &mut (dyn FnMut(pb::Event) -> Result<(), CliError> + Send),
    ) -> Result<bool, CliError> {
        let refused = |refusal| status::error("read the events", &refusal);
        let is_followed = request.follow;
        let mut events = match self.client.events(request).await {
            Ok(events) => events.into_inner(),
            Err(refusal) if status::is_broken(&refusal) => return Ok(false),
            Err(refusal) => return Err(refused(refusal)),
        };
        loop {
            match events.message().await {
                Ok(Some(event)) => take(event)?,
                // Only an agent that ends stops telling a follower.
                Ok(None) => return Ok(!is_followed),
                Err(refusal) if status::is_broken(&refusal) => return Ok(false),
                Err(refusal) => return Err(refused(refusal)),
            }
        }
    }

    /// Acts on known apps.
    pub(crate) async fn act(
        &mut self,
        tried: &str,
        request: pb::ActRequest,
    ) -> Result<Vec<pb::Outcome>, CliError> {
        let reply = self.client.act(request).await;
        reply
            .map(|reply| reply.into_inner().outcomes)
            .map_err(|refusal| status::error(tried, &refusal))
    }

    /// Gives one known app another number of instances.
    pub(crate) async fn scale(
        &mut self,
        tried: &str,
        request: pb::ScaleRequest,
    ) -> Result<pb::ScaleReply, CliError> {
        let reply = self.client.scale(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error(tried, &refusal))
    }

    /// Lists instances.
    pub(crate) async fn list(
        &mut self,
        selection: pb::Selection,
    ) -> Result<pb::ListReply, CliError> {
        self.list_with(selection, Metrics::Cheap).await
    }

    /// Lists instances, and what their processes use.
    pub(crate) async fn list_with(
        &mut self,
        selection: pb::Selection,
        metrics: Metrics,
    ) -> Result<pb::ListReply, CliError> {
        let request = pb::ListRequest {
            selection: Some(selection),
            metrics: metrics == Metrics::All,
        };
        let reply = self.client.list(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("list apps", &refusal))
    }

    /// Tells whether a selector selects anything: the instances, or the names close to it.
    pub(crate) async fn selects(
        &mut self,
        selection: pb::Selection,
    ) -> Result<Result<Vec<pb::Instance>, Vec<String>>, CliError> {
        let request = pb::ListRequest {
            selection: Some(selection),
            ..pb::ListRequest::default()
        };
        match self.client.list(request).await {
            Ok(reply) => Ok(Ok(reply.into_inner().instances)),
            Err(refusal) => match eco_proto::detail::detail(&refusal) {
                Some(detail) if detail.code() == pb::error_detail::Code::NotFound => {
                    Ok(Err(detail.candidates))
                }
                Some(_) | None => Err(status::error("find apps", &refusal)),
            },
        }
    }

    /// Describes instances.
    pub(crate) async fn describe(
        &mut self,
        selection: pb::Selection,
    ) -> Result<Vec<pb::Description>, CliError> {
        let request = pb::DescribeRequest {
            selection: Some(selection),
        };
        let reply = self.client.describe(request).await;
        reply
            .map(|reply| reply.into_inner().descriptions)
            .map_err(|refusal| status::error("describe apps", &refusal))
    }

    /// Asks how files are watched, and whether a change of these counts.
    pub(crate) async fn explain_watch(
        &mut self,
        selection: pb::Selection,
        paths: Vec<String>,
    ) -> Result<pb::ExplainWatchReply, CliError> {
        let request = pb::ExplainWatchRequest {
            selection: Some(selection),
            paths,
        };
        let reply = self.client.explain_watch(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("explain what is watched", &refusal))
    }

    /// Asks what instances were given as their environment.
    pub(crate) async fn variables(
        &mut self,
        selection: pb::Selection,
    ) -> Result<pb::VariablesReply, CliError> {
        let request = pb::VariablesRequest {
            selection: Some(selection),
        };
        let reply = self.client.variables(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("tell the variables", &refusal))
    }

    /// Brings up what `kill` put to rest.
    pub(crate) async fn resurrect(&mut self) -> Result<Vec<pb::Outcome>, CliError> {
        let reply = self.client.resurrect(pb::ResurrectRequest {}).await;
        reply
            .map(|reply| reply.into_inner().outcomes)
            .map_err(|refusal| status::error("bring the apps up", &refusal))
    }

    /// Makes sure that all is on disk.
    pub(crate) async fn save(&mut self) -> Result<pb::SaveReply, CliError> {
        let reply = self.client.save(pb::SaveRequest {}).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|refusal| status::error("save the state", &refusal))
    }

    /// Ends it; returns how many instances were stopped.
    pub(crate) async fn shut_down(&mut self, stop_apps: bool) -> Result<u32, CliError> {
        let reply = self
            .client
            .shutdown(pb::ShutdownRequest { stop_apps })
            .await;
        reply
            .map(|reply| reply.into_inner().stopped)
            .map_err(|refusal| status::error("end the agent", &refusal))
    }

    /// Follows the instances until all in `settling` is known, or `patience` is at an end; tells of each as it is known,
    /// and of those that keep us waiting.
    /// Returns the newest list; `None`: the agent went away, and its successor can be asked to go on.
    pub(crate) async fn settle(
        &mut self,
        settling: &mut Settling,
        patience: Duration,
        tell: &mut (dyn FnMut(&Awaited) + Send),
    ) -> Result<Option<Vec<pb::Instance>>, CliError> {
        let refused = |refusal| status::error("follow the apps (they go on without us)", &refusal);
        let request = pb::ListRequest {
            selection: Some(pb::Selection {
                every_environment: true,
                ..pb::Selection::default()
            }),
            ..pb::ListRequest::default()
        };
        let mut lists = match self.client.watch(request).await {
            Ok(watch) => watch.into_inner(),
            Err(refusal) if status::is_broken(&refusal) => return Ok(None),
            Err(refusal) => return Err(refused(refusal)),
        };
        let until = clock::since_boot().saturating_add(patience);
        let mut newest = Vec::new();
        while !settling.is_done() {
            let now = clock::since_boot();
            let wake = settling.deadline().map_or(until, |due| due.min(until));
            let settled = tokio::select! {
                list = lists.message() => match list {
                    Ok(Some(list)) => {
                        newest = list.instances;
                        settling.observe(&newest, clock::since_boot())
                    }
                    Ok(None) => return Ok(None),
                    Err(refusal) if status::is_broken(&refusal) => return Ok(None),
                    Err(refusal) => return Err(refused(refusal)),
                },
                () = tokio::time::sleep(wake.saturating_sub(now)) => {
                    let now = clock::since_boot();
                    let mut settled = settling.wake(now);
                    if now >= until {
                        settled.extend(settling.give_up());
                    }
                    settled
                }
            };
            settled.iter().for_each(&mut *tell);
            let waits = settling.tell_waits(clock::since_boot());
            waits.iter().for_each(&mut *tell);
        }
        Ok(Some(newest))
    }
}

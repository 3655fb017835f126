//! An agent that answers what it was told to.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use eco_home::{Daemon, Home};
use eco_proto::agent::v1::agent_server::{Agent, AgentServer};
use eco_proto::agent::v1::*;
use eco_proto::detail::status;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response};

use super::Server;

/// The agent, and what it was asked.
#[derive(Clone)]
pub struct FakeAgent {
    pub version: String,
    pub instances: watch::Sender<Vec<Instance>>,
    /// What the instances become when something is applied or acted on.
    pub then: Vec<Instance>,
    pub outcomes: Vec<Outcome>,
    pub refusal: Option<ErrorDetail>,
    pub applied: Arc<Mutex<Vec<ApplyRequest>>>,
    pub acted: Arc<Mutex<Vec<ActRequest>>>,
    pub scaled: Arc<Mutex<Vec<ScaleRequest>>>,
    /// What comes of speaking to apps, whatever is said.
    pub spoken: Vec<Spoken>,
    /// What was said to them.
    pub said: Arc<Mutex<Vec<Said>>>,
    /// When its one event came to pass, unix ns.
    pub happened_at: u64,
}

/// One call by which somebody speaks to apps.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Trigger(TriggerRequest),
    Send(SendRequest),
    Signal(SignalRequest),
    Attach(Vec<AttachRequest>),
}

impl FakeAgent {
    pub fn new(instances: Vec<Instance>) -> Self {
        Self {
            version: eco_proto::VERSION.to_owned(),
            then: instances.clone(),
            instances: watch::Sender::new(instances),
            outcomes: Vec::new(),
            refusal: None,
            applied: Arc::default(),
            acted: Arc::default(),
            scaled: Arc::default(),
            spoken: Vec::new(),
            said: Arc::default(),
            happened_at: 0,
        }
    }

    pub fn start(&self, home: &Home) -> Server {
        let router =
            tonic::transport::Server::builder().add_service(AgentServer::new(self.clone()));
        Server::start(home, Daemon::Agent, router)
    }

    fn hear(&self, said: Said) -> Answer<Response<SpokenReply>> {
        self.said.lock().unwrap().push(said);
        Ok(Response::new(SpokenReply {
            host: "box".to_owned(),
            instances: self.spoken.clone(),
        }))
    }

    fn answered(&self) -> Answer<Vec<Outcome>> {
        if let Some(refusal) = &self.refusal {
            return Err(status(Code::InvalidArgument, "2 problems", refusal));
        }
        self.instances.send_replace(self.then.clone());
        Ok(self.outcomes.clone())
    }

    /// Knows names, `environment/name` and ids: enough to tell known from unknown.
    fn selected(&self, request: &ListRequest) -> Answer<ListReply> {
        let selection = request.selection.clone().unwrap_or_default();
        let all = self.instances.borrow().clone();
        let instances: Vec<Instance> = all
            .iter()
            .filter(|one| {
                selection.selectors.is_empty()
                    || selection.selectors.iter().any(|selector| {
                        *selector == one.name
                            || *selector == format!("{}/{}", one.environment, one.name)
                            || *selector == one.id.to_string()
                    })
            })
            .cloned()
            .collect();
        if instances.is_empty() && !selection.selectors.is_empty() {
            let detail = ErrorDetail {
                code: error_detail::Code::NotFound.into(),
                candidates: all
                    .iter()
                    .map(|one| format!("{}/{}", one.environment, one.name))
                    .collect(),
                ..ErrorDetail::default()
            };
            return Err(status(Code::NotFound, "no app matches", &detail));
        }
        let measured = |instance: Instance| Instance {
            fds: request.metrics.then_some(9),
            ..instance
        };
        Ok(ListReply {
            host: "box".to_owned(),
            instances: instances.into_iter().map(measured).collect(),
        })
    }
}

type Answer<T> = Result<T, tonic::Status>;

#[tonic::async_trait]
impl Agent for FakeAgent {
    type WatchStream = Pin<Box<dyn Stream<Item = Answer<ListReply>> + Send>>;

    async fn ping(&self, _: Request<PingRequest>) -> Answer<Response<PingReply>> {
        Ok(Response::new(PingReply {
            version: self.version.clone(),
            host: "box".to_owned(),
            ..PingReply::default()
        }))
    }

    async fn apply(&self, request: Request<ApplyRequest>) -> Answer<Response<ApplyReply>> {
        self.applied.lock().unwrap().push(request.into_inner());
        let outcomes = self.answered()?;
        Ok(Response::new(ApplyReply { outcomes }))
    }

    async fn plan(&self, request: Request<PlanRequest>) -> Answer<Response<PlanReply>> {
        let known: Vec<_> = self
            .instances
            .borrow()
            .iter()
            .map(|one| one.name.clone())
            .collect();
        let steps = request
            .into_inner()
            .apps
            .into_iter()
            .filter(|app| !known.contains(&app.name));
        Ok(Response::new(PlanReply {
            steps: steps
                .map(|app| Step {
                    environment: app.environment.clone(),
                    name: app.name.clone(),
                    after: Some(app),
                    created: 1,
                    ..Step::default()
                })
                .collect(),
            fingerprint: "feed".to_owned(),
        }))
    }

    async fn act(&self, request: Request<ActRequest>) -> Answer<Response<ActReply>> {
        self.acted.lock().unwrap().push(request.into_inner());
        let outcomes = self.answered()?;
        Ok(Response::new(ActReply { outcomes }))
    }

    async fn scale(&self, request: Request<ScaleRequest>) -> Answer<Response<ScaleReply>> {
        self.scaled.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ScaleReply {
            outcomes: self.answered()?,
            environment: "dev".to_owned(),
            name: "api".to_owned(),
            from: 1,
            to: 2,
        }))
    }

    async fn list(&self, request: Request<ListRequest>) -> Answer<Response<ListReply>> {
        self.selected(request.get_ref()).map(Response::new)
    }

    async fn describe(&self, request: Request<DescribeRequest>) -> Answer<Response<DescribeReply>> {
        let selected = self.selected(&ListRequest {
            selection: request.into_inner().selection,
            ..ListRequest::default()
        })?;
        let descriptions = selected
            .instances
            .into_iter()
            .map(|instance| Description {
                spec: Some(AppSpec {
                    script: "server.js".to_owned(),
                    env: [("API_KEY", "s3cret"), ("PORT", "3000")]
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .into(),
                    ..AppSpec::default()
                }),
                instance: Some(instance),
                ..Description::default()
            })
            .collect();
        Ok(Response::new(DescribeReply { descriptions }))
    }

    async fn explain_watch(
        &self,
        request: Request<ExplainWatchRequest>,
    ) -> Answer<Response<ExplainWatchReply>> {
        let request = request.into_inner();
        let selected = self.selected(&ListRequest {
            selection: request.selection,
            ..ListRequest::default()
        })?;
        let verdict = |path: String| WatchVerdict {
            path,
            counts: true,
            reason: WatchReason::Watched.into(),
            ..WatchVerdict::default()
        };
        let verdicts: Vec<WatchVerdict> = request.paths.into_iter().map(verdict).collect();
        let explained = |instance: Instance| WatchedApp {
            environment: instance.environment,
            name: instance.name,
            watching: instance.watch.then(|| Watching {
                verdicts: verdicts.clone(),
                ..Watching::default()
            }),
        };
        Ok(Response::new(ExplainWatchReply {
            host: selected.host,
            apps: selected.instances.into_iter().map(explained).collect(),
        }))
    }

    async fn variables(
        &self,
        request: Request<VariablesRequest>,
    ) -> Answer<Response<VariablesReply>> {
        let selected = self.selected(&ListRequest {
            selection: request.into_inner().selection,
            ..ListRequest::default()
        })?;
        let given = |instance: Instance| InstanceVariables {
            of_next_run: instance.pid.is_none(),
            instance: Some(instance),
            variables: [("API_KEY", "s3cret"), ("PORT", "3000")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        };
        Ok(Response::new(VariablesReply {
            host: selected.host,
            instances: selected.instances.into_iter().map(given).collect(),
        }))
    }

    async fn watch(&self, _: Request<ListRequest>) -> Answer<Response<Self::WatchStream>> {
        let lists = WatchStream::new(self.instances.subscribe()).map(|instances| {
            Ok(ListReply {
                host: "box".to_owned(),
                instances,
            })
        });
        Ok(Response::new(Box::pin(lists)))
    }

    type EventsStream = Pin<Box<dyn Stream<Item = Answer<Event>> + Send>>;

    async fn events(
        &self,
        request: Request<EventsRequest>,
    ) -> Answer<Response<Self::EventsStream>> {
        let EventsRequest {
            selection, after, ..
        } = request.into_inner();
        self.selected(&ListRequest {
            selection,
            ..ListRequest::default()
        })?;
        let event = Event {
            number: 7,
            at_ns: self.happened_at,
            environment: "dev".to_owned(),
            name: "api".to_owned(),
            kind: EventKind::Stopped.into(),
            cause: "stopped by ann".to_owned(),
            ..Event::default()
        };
        let is_new = after.is_none_or(|after| event.number > after);
        let events = is_new.then_some(Ok(event));
        Ok(Response::new(Box::pin(tokio_stream::iter(events))))
    }

    async fn trigger(&self, request: Request<TriggerRequest>) -> Answer<Response<SpokenReply>> {
        self.hear(Said::Trigger(request.into_inner()))
    }

    async fn send(&self, request: Request<SendRequest>) -> Answer<Response<SpokenReply>> {
        self.hear(Said::Send(request.into_inner()))
    }

    async fn signal(&self, request: Request<SignalRequest>) -> Answer<Response<SpokenReply>> {
        self.hear(Said::Signal(request.into_inner()))
    }

    async fn attach(
        &self,
        request: Request<tonic::Streaming<AttachRequest>>,
    ) -> Answer<Response<Spoken>> {
        let mut parts = request.into_inner();
        let mut all = Vec::new();
        while let Some(part) = parts.message().await? {
            all.push(part);
        }
        self.said.lock().unwrap().push(Said::Attach(all));
        Ok(Response::new(
            self.spoken.first().cloned().unwrap_or_default(),
        ))
    }

    async fn resurrect(&self, _: Request<ResurrectRequest>) -> Answer<Response<ActReply>> {
        let outcomes = self.answered()?;
        Ok(Response::new(ActReply { outcomes }))
    }

    async fn save(&self, _: Request<SaveRequest>) -> Answer<Response<SaveReply>> {
        Ok(Response::new(SaveReply {
            apps: 2,
            instances: 3,
        }))
    }

    async fn shutdown(&self, _: Request<ShutdownRequest>) -> Answer<Response<ShutdownReply>> {
        Ok(Response::new(ShutdownReply { stopped: 1 }))
    }
}

pub fn instance(name: &str, status: Status, run: u64) -> Instance {
    Instance {
        environment: "dev".to_owned(),
        name: name.to_owned(),
        namespace: "default".to_owned(),
        status: status.into(),
        run,
        uptime_ms: (status == Status::Online).then_some(60_000),
        exec_mode: ExecMode::Fork.into(),
        cause: match status {
            Status::Errored => "exited with code 3".to_owned(),
            _ => String::new(),
        },
        ..Instance::default()
    }
}

pub fn spoken(name: &str, problem: &str) -> Spoken {
    Spoken {
        environment: "dev".to_owned(),
        name: name.to_owned(),
        run: 1,
        pid: Some(42),
        problem: problem.to_owned(),
        ..Spoken::default()
    }
}

pub fn outcome(name: &str, action: Action, run: u64) -> Outcome {
    Outcome {
        environment: "dev".to_owned(),
        name: name.to_owned(),
        action: action.into(),
        run,
        ..Outcome::default()
    }
}

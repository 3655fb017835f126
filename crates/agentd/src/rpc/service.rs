//! The agent's gRPC service.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use eco_config::spec::AppSpec;
use eco_home::clock;
use eco_proto::VERSION;
use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::agent_server::Agent;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::convert::{self, Asks};
use super::events::{Filter, Teller};
use super::watches::Watches;
use super::{attach, peer, plan, refuse, send, signal, speech, trigger, variables};
use crate::feed::LogDaemon;
use crate::fleet::apply::{Application, Restart};
use crate::fleet::select::{select, select_one};
use crate::fleet::{AppKey, Board, Fleet, SlotKey};
use crate::keeper::Keeper;
use crate::pid_files;
use crate::resolve;
use crate::sample::{Closeness, Sampler};
use crate::schedule;
use crate::store::Events;
use crate::supervisor::{self, Input, Refusal, Reply, Request as Ask, run_dir};
use crate::voices::Ears;
use crate::watch_files::Statuses;

/// The other daemons, as they are met.
#[derive(Clone, Debug)]
pub struct Peers {
    /// The parent of the apps.
    pub keeper: watch::Receiver<Keeper>,
    /// The server of the lines.
    pub log: watch::Receiver<LogDaemon>,
    /// What the apps say.
    pub ears: Ears,
}

/// Events that a slow reader may be behind before they are read from the store for it.
const TOLD_AHEAD: usize = 64;

/// Answers requests.
#[derive(Clone, Debug)]
pub struct Service {
    /// Where requests go.
    pub inputs: mpsc::Sender<Input>,
    /// What there is.
    pub published: watch::Receiver<Arc<Fleet>>,
    /// What probes say.
    pub board: watch::Receiver<Board>,
    /// How files are watched.
    pub watches: watch::Receiver<Arc<Statuses>>,
    /// What is amiss with pid files.
    pub pid_files: watch::Receiver<Arc<pid_files::Problems>>,
    /// Where eco lives.
    pub home: PathBuf,
    /// Who else there is.
    pub peers: Peers,
    /// What happened.
    pub events: Events,
    /// What processes use.
    pub sampler: Arc<Sampler>,
    /// The name of this host.
    pub host: String,
    /// Where runs keep their output.
    pub runs: PathBuf,
    /// Ends the agent.
    pub end: CancellationToken,
    /// Ends the other daemons with it.
    pub end_others: watch::Sender<crate::daemon::Others>,
}

impl Service {
    pub(super) async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Ask) -> Result<T, Status> {
        let (reply, answer) = oneshot::channel();
        let request = Input::Request(request(reply));
        self.inputs
            .send(request)
            .await
            .map_err(|_| refuse::ending())?;
        let answer: Result<T, Refusal> = answer.await.map_err(|_| refuse::ending())?;
        answer.map_err(|refusal| refuse::refusal(&refusal))
    }

    /// Refuses what only a keeper can do while there is none.
    pub(super) fn needs_keeper(&self) -> Result<(), Status> {
        if self.peers.keeper.borrow().pid == 0 {
            return Err(refuse::no_keeper());
        }
        Ok(())
    }

    pub(super) fn fleet(&self) -> Arc<Fleet> {
        Arc::clone(&self.published.borrow())
    }

    async fn list_of(
        &self,
        fleet: &Fleet,
        slots: &[SlotKey],
        closeness: Closeness,
    ) -> Result<pb::ListReply, Status> {
        let leaders = slots
            .iter()
            .filter_map(|key| convert::living(fleet.slot(key)?))
            .collect();
        let sampler = Arc::clone(&self.sampler);
        let usages = apart(move || sampler.look(&leaders, closeness)).await?;
        let mut instances = convert::instances(fleet, slots, &usages, &self.board.borrow());
        let voices = self.peers.ears.voices.borrow();
        for (key, instance) in slots.iter().zip(&mut instances) {
            speech::heed(key, instance, &voices);
        }
        Ok(pb::ListReply {
            host: self.host.clone(),
            instances,
        })
    }

    fn watches(&self) -> Watches {
        Watches {
            statuses: Arc::clone(&self.watches.borrow()),
            home: self.home.clone(),
        }
    }

    fn describe_one(
        &self,
        fleet: &Fleet,
        key: &SlotKey,
        instance: pb::Instance,
    ) -> Option<pb::Description> {
        let app = fleet.app(&key.app)?;
        let slot = app.slots.get(&key.instance)?;
        let spec = pb::AppSpec {
            inherited_env: BTreeMap::new(),
            ..pb::AppSpec::from(app.spec.as_ref())
        };
        let run = key.run(slot.machine.run());
        let files = resolve::log_files(&app.spec);
        Some(pb::Description {
            instance: Some(instance),
            spec: Some(spec),
            resolved: resolve::resolve(&app.spec).ok().map(convert::resolved),
            exits: convert::exits(&slot.exits),
            run_dir: run_dir(&self.runs, &self.host, &run).display().to_string(),
            limits: convert::kept_limits(convert::kept(
                &app.spec,
                &self.peers.keeper.borrow().groups,
            )),
            speech: Some(speech::of(self.peers.ears.voices.borrow().get(&run))),
            watch_problems: self.watches().problems(app),
            next_scheduled_ns: schedule::next(&app.spec, slot).map(clock::nanos),
            pid_file: resolve::pid_file(&app.spec, key.instance)
                .map(|path| path.display().to_string()),
            pid_file_problem: self.pid_files.borrow().get(key).cloned(),
            log_files: files
                .iter()
                .map(|file| file.of(key.instance).display().to_string())
                .collect(),
            log_file_problems: files
                .iter()
                .filter_map(|file| file.problem(key.instance))
                .collect(),
        })
    }
}

#[tonic::async_trait]
impl Agent for Service {
    async fn ping(&self, _: Request<pb::PingRequest>) -> Result<Response<pb::PingReply>, Status> {
        let (keeper, log) = (
            self.peers.keeper.borrow().clone(),
            self.peers.log.borrow().clone(),
        );
        Ok(Response::new(pb::PingReply {
            version: VERSION.to_owned(),
            pid: i32::try_from(std::process::id()).unwrap_or_default(),
            host: self.host.clone(),
            keeper_pid: keeper.pid,
            keeper_version: keeper.version,
            cgroup: keeper.groups.folder,
            cgroup_limits: keeper.groups.keeps.into_iter().map(str::to_owned).collect(),
            logd_pid: log.pid,
            logd_version: log.version,
        }))
    }

    async fn apply(
        &self,
        request: Request<pb::ApplyRequest>,
    ) -> Result<Response<pb::ApplyReply>, Status> {
        let by = peer::by(&request).await;
        let request = request.into_inner();
        let specs = specs(request.apps)?;
        let needed = self::specs(request.needed)?;
        let groups = self.peers.keeper.borrow().groups.clone();
        let (specs, needed, notes, unfit) = apart(move || {
            let all = specs.iter().chain(&needed);
            let notes = all
                .clone()
                .map(|spec| (AppKey::of(spec), convert::notes(spec, &groups)));
            let notes: BTreeMap<_, _> = notes.collect();
            let unfit = supervisor::unfit(all);
            (specs, needed, notes, unfit)
        })
        .await?;
        let restart = match (request.restart, &request.fingerprint) {
            (true, _) => Restart::Always,
            (false, Some(_)) => Restart::Converge,
            (false, None) => Restart::IfChanged,
        };
        let application = Application {
            specs,
            needed,
            restart,
            turn: convert::turn(request.no_dependencies),
        };
        let outcomes = self
            .ask(|reply| Ask::Apply {
                by,
                application,
                unfit,
                prune: plan::prune(request.prune),
                planned: request.fingerprint,
                reply,
            })
            .await?;
        let outcomes = convert::outcomes(outcomes, &notes);
        Ok(Response::new(pb::ApplyReply { outcomes }))
    }

    async fn plan(
        &self,
        request: Request<pb::PlanRequest>,
    ) -> Result<Response<pb::PlanReply>, Status> {
        let request = request.into_inner();
        let application = Application {
            needed: specs(request.needed)?,
            ..Application::of(specs(request.apps)?)
        };
        let (application, unfit) = apart(move || {
            let unfit = supervisor::unfit(application.specs.iter().chain(&application.needed));
            (application, unfit)
        })
        .await?;
        let prune = plan::prune(request.prune);
        let plan = self
            .ask(|reply| Ask::Plan {
                application,
                unfit,
                prune,
                reply,
            })
            .await?;
        Ok(Response::new(plan::reply(plan)))
    }

    async fn act(
        &self,
        request: Request<pb::ActRequest>,
    ) -> Result<Response<pb::ActReply>, Status> {
        let by = peer::by(&request).await;
        let request = request.into_inner();
        let verb = convert::verb(request.verb(), convert::turn(request.no_dependencies))
            .ok_or_else(|| Status::invalid_argument("this agent does not know the verb"))?;
        let selection = convert::selection(request.selection, Asks::ToTouch);
        let outcomes = self
            .ask(|reply| Ask::Act {
                by,
                verb,
                selection,
                reply,
            })
            .await?;
        let outcomes = convert::outcomes(outcomes, &BTreeMap::new());
        Ok(Response::new(pb::ActReply { outcomes }))
    }

    async fn scale(
        &self,
        request: Request<pb::ScaleRequest>,
    ) -> Result<Response<pb::ScaleReply>, Status> {
        let by = peer::by(&request).await;
        let request = request.into_inner();
        let size = convert::size(request.size)
            .ok_or_else(|| Status::invalid_argument("it is not said how many instances"))?;
        let selection = convert::selection(request.selection, Asks::ToTouch);
        let turn = convert::turn(request.no_dependencies);
        let fleet = self.fleet();
        // What is selected wrongly is refused with the answer.
        let app = select_one(&fleet, &selection).ok();
        let spec = app.map(|(_, app)| Arc::clone(&app.spec));
        let unfit = apart(move || supervisor::unfit(spec.as_deref())).await?;
        let scaled = self
            .ask(|reply| Ask::Scale {
                by,
                selection,
                size,
                unfit,
                turn,
                reply,
            })
            .await?;
        Ok(Response::new(convert::scaled(scaled)))
    }

    async fn list(
        &self,
        request: Request<pb::ListRequest>,
    ) -> Result<Response<pb::ListReply>, Status> {
        let request = request.into_inner();
        let closeness = if request.metrics {
            Closeness::Measure
        } else {
            Closeness::Glance
        };
        let fleet = self.fleet();
        let slots = looked_at(&fleet, request.selection)?;
        let list = self.list_of(&fleet, &slots, closeness).await?;
        Ok(Response::new(list))
    }

    async fn describe(
        &self,
        request: Request<pb::DescribeRequest>,
    ) -> Result<Response<pb::DescribeReply>, Status> {
        let fleet = self.fleet();
        let slots = looked_at(&fleet, request.into_inner().selection)?;
        let list = self.list_of(&fleet, &slots, Closeness::Measure).await?;
        let service = self.clone();
        let descriptions = apart(move || {
            let instances = slots.iter().zip(list.instances);
            instances
                .filter_map(|(key, instance)| service.describe_one(&fleet, key, instance))
                .collect()
        });
        Ok(Response::new(pb::DescribeReply {
            descriptions: descriptions.await?,
        }))
    }

    async fn explain_watch(
        &self,
        request: Request<pb::ExplainWatchRequest>,
    ) -> Result<Response<pb::ExplainWatchReply>, Status> {
        let request = request.into_inner();
        let fleet = self.fleet();
        let slots = looked_at(&fleet, request.selection)?;
        let watches = self.watches();
        Ok(Response::new(pb::ExplainWatchReply {
            host: self.host.clone(),
            apps: apart(move || watches.explain(&fleet, &slots, &request.paths)).await?,
        }))
    }

    async fn variables(
        &self,
        request: Request<pb::VariablesRequest>,
    ) -> Result<Response<pb::VariablesReply>, Status> {
        let fleet = self.fleet();
        let slots = looked_at(&fleet, request.into_inner().selection)?;
        Ok(Response::new(pb::VariablesReply {
            host: self.host.clone(),
            instances: apart(move || variables::of(&fleet, &slots)).await?,
        }))
    }

    type WatchStream = ReceiverStream<Result<pb::ListReply, Status>>;

    async fn watch(
        &self,
        request: Request<pb::ListRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let slots = looked_at(&self.fleet(), request.into_inner().selection)?;
        let apps: BTreeSet<AppKey> = slots.into_iter().map(|slot| slot.app).collect();
        let host = self.host.clone();
        let (tell, told) = mpsc::channel(1);
        let lists = Lists {
            apps,
            host,
            published: self.published.clone(),
            board: self.board.clone(),
            last: None,
        };
        tokio::spawn(lists.tell(tell, self.end.clone()));
        Ok(Response::new(ReceiverStream::new(told)))
    }

    type EventsStream = ReceiverStream<Result<pb::Event, Status>>;

    async fn events(
        &self,
        request: Request<pb::EventsRequest>,
    ) -> Result<Response<Self::EventsStream>, Status> {
        let request = request.into_inner();
        let selection = convert::selection(request.selection, Asks::ToLook);
        let filter = Filter::new(&self.fleet(), &selection, &self.events)
            .map_err(|refused| refuse::events(&refused))?;
        let (tell, told) = mpsc::channel(TOLD_AHEAD);
        let teller = Teller {
            events: self.events.clone(),
            filter,
            host: self.host.clone(),
            tell,
        };
        let published = request.follow.then(|| self.published.clone());
        let after = request.after.unwrap_or(0);
        tokio::spawn(teller.run(after, request.last, published, self.end.clone()));
        Ok(Response::new(ReceiverStream::new(told)))
    }

    async fn trigger(
        &self,
        request: Request<pb::TriggerRequest>,
    ) -> Result<Response<pb::SpokenReply>, Status> {
        let told = trigger::trigger(self, request.into_inner()).await?;
        Ok(Response::new(told))
    }

    async fn send(
        &self,
        request: Request<pb::SendRequest>,
    ) -> Result<Response<pb::SpokenReply>, Status> {
        let told = send::send(self, request.into_inner()).await?;
        Ok(Response::new(told))
    }

    async fn attach(
        &self,
        request: Request<Streaming<pb::AttachRequest>>,
    ) -> Result<Response<pb::Spoken>, Status> {
        let told = attach::attach(self, request.into_inner()).await?;
        Ok(Response::new(told))
    }

    async fn signal(
        &self,
        request: Request<pb::SignalRequest>,
    ) -> Result<Response<pb::SpokenReply>, Status> {
        let told = signal::signal(self, request.into_inner()).await?;
        Ok(Response::new(told))
    }

    async fn resurrect(
        &self,
        request: Request<pb::ResurrectRequest>,
    ) -> Result<Response<pb::ActReply>, Status> {
        let by = peer::by(&request).await;
        let outcomes = self.ask(|reply| Ask::Resurrect { by, reply }).await?;
        let outcomes = convert::outcomes(outcomes, &BTreeMap::new());
        Ok(Response::new(pb::ActReply { outcomes }))
    }

    async fn save(&self, _: Request<pb::SaveRequest>) -> Result<Response<pb::SaveReply>, Status> {
        self.ask(Ask::Save).await?;
        let fleet = self.fleet();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Response::new(pb::SaveReply {
            apps: count(fleet.apps().len()),
            instances: count(fleet.slots().count()),
        }))
    }

    async fn shutdown(
        &self,
        request: Request<pb::ShutdownRequest>,
    ) -> Result<Response<pb::ShutdownReply>, Status> {
        let by = peer::by(&request).await;
        let mut stopped = 0;
        if request.into_inner().stop_apps {
            stopped = self.ask(|reply| Ask::Hold { by, reply }).await?;
            self.end_others.send_replace(crate::daemon::Others::EndToo);
        }
        self.end.cancel();
        Ok(Response::new(pb::ShutdownReply { stopped }))
    }
}

/// Looks at files and processes, which may take its time, where nobody else has to wait for it.
async fn apart<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|_| refuse::ending())
}

/// The slots that somebody asks to see.
fn looked_at(fleet: &Fleet, selection: Option<pb::Selection>) -> Result<Vec<SlotKey>, Status> {
    let selection = convert::selection(selection, Asks::ToLook);
    select(fleet, &selection).map_err(|refused| refuse::selection(&refused))
}

fn specs(apps: Vec<pb::AppSpec>) -> Result<Vec<AppSpec>, Status> {
    let specs: Result<_, _> = apps.into_iter().map(AppSpec::try_from).collect();
    specs.map_err(|error| refuse::invalid(&error))
}

/// The lists that one watcher sees.
struct Lists {
    apps: BTreeSet<AppKey>,
    host: String,
    published: watch::Receiver<Arc<Fleet>>,
    board: watch::Receiver<Board>,
    last: Option<Vec<pb::Instance>>,
}

impl Lists {
    /// Tells of every change until the watcher or the agent goes.
    async fn tell(
        mut self,
        tell: mpsc::Sender<Result<pb::ListReply, Status>>,
        end: CancellationToken,
    ) {
        loop {
            if let Some(list) = self.next_list()
                && tell.send(Ok(list)).await.is_err()
            {
                return;
            }
            tokio::select! {
                changed = self.published.changed() => if changed.is_err() { return },
                changed = self.board.changed() => if changed.is_err() { return },
                () = tell.closed() => return,
                () = end.cancelled() => return,
            }
        }
    }

    /// The newest list, if it differs from the last one.
    fn next_list(&mut self) -> Option<pb::ListReply> {
        let fleet = Arc::clone(&self.published.borrow_and_update());
        let keys = fleet.slots().map(|(key, _, _)| key);
        let slots: Vec<_> = keys.filter(|key| self.apps.contains(&key.app)).collect();
        let board = self.board.borrow_and_update();
        let instances = convert::instances(&fleet, &slots, &BTreeMap::new(), &board);
        drop(board);
        let shown = comparable(&instances);
        let has_changed = self.last.as_ref() != Some(&shown);
        self.last = Some(shown);
        has_changed.then(|| pb::ListReply {
            host: self.host.clone(),
            instances,
        })
    }
}

/// What tells one state from the next: all but what changes by itself with time.
fn comparable(instances: &[pb::Instance]) -> Vec<pb::Instance> {
    let still = |instance: &pb::Instance| pb::Instance {
        uptime_ms: None,
        restart_in_ms: None,
        health: instance.health.clone().map(|health| pb::Health {
            answered_ns: 0,
            ..health
        }),
        ..instance.clone()
    };
    instances.iter().map(still).collect()
}

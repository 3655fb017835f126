//! What somebody asks of the fleet, and what stands in the way of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::AppSpec;
use tokio::sync::oneshot;

use super::Supervisor;
use crate::fleet::apply::Application;
use crate::fleet::plan::{Plan, Prune};
use crate::fleet::scale::{Scaling, Size, Unscalable};
use crate::fleet::select::{Refused, Selection, select, select_one};
use crate::fleet::{AppKey, By, Fleet, Outcome, RunKey, Tangle, Verb};
use crate::keeper::{Order, Reach};
use crate::machine::Turn;
use crate::resolve::{self, Problem};
use crate::store::StoreError;
use crate::watch_files;

/// What somebody asks.
#[derive(Debug)]
pub enum Request {
    /// Make these apps be as specified, and up.
    Apply {
        /// Who asks.
        by: By,
        /// Each app checked.
        application: Application,
        /// Which of them cannot be run here, as [`unfit`] found.
        unfit: Problems,
        /// What else goes.
        prune: Vec<Prune>,
        /// The fingerprint of the plan that is meant, where one was made.
        planned: Option<String>,
        /// Where the answer goes.
        reply: Reply<Vec<Outcome>>,
    },
    /// Tell what applying these would change.
    Plan {
        /// Each app checked.
        application: Application,
        /// Which of them cannot be run here, as [`unfit`] found.
        unfit: Problems,
        /// What else would go.
        prune: Vec<Prune>,
        /// Where the answer goes.
        reply: Reply<Plan>,
    },
    /// Do this to these.
    Act {
        /// Who asks.
        by: By,
        /// What.
        verb: Verb,
        /// To which.
        selection: Selection,
        /// Where the answer goes.
        reply: Reply<Vec<Outcome>>,
    },
    /// Give an app another number of instances.
    Scale {
        /// Who asks.
        by: By,
        /// Which: one.
        selection: Selection,
        /// How many.
        size: Size,
        /// What stands in the way of more of it here, as [`unfit`] found.
        unfit: Problems,
        /// Whether what is started waits for what it needs, and brings it along.
        turn: Turn,
        /// Where the answer goes.
        reply: Reply<Scaled>,
    },
    /// Say something to runs, or send them signals; answered when the keeper has been told.
    Speak {
        /// To which, and what.
        words: Vec<(RunKey, Word)>,
        /// Where the answer goes.
        reply: Reply<()>,
    },
    /// Put all to rest; answered when nothing runs.
    Hold {
        /// Who asks.
        by: By,
        /// Where the answer goes.
        reply: Reply<u32>,
    },
    /// Bring up what was put to rest.
    Resurrect {
        /// Who asks.
        by: By,
        /// Where the answer goes.
        reply: Reply<Vec<Outcome>>,
    },
    /// Make sure that all is on disk.
    Save(Reply<()>),
    /// Tell the keeper to end once nothing runs.
    EndKeeper,
}

/// What became of an app's number of instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// Which.
    pub app: AppKey,
    /// So many before.
    pub from: u32,
    /// So many now.
    pub to: u32,
    /// What was done.
    pub outcomes: Vec<Outcome>,
}

/// What is said to a run.
#[derive(Debug)]
pub enum Word {
    /// A line over its channel.
    Line(Vec<u8>),
    /// A signal.
    Signal(i32, Reach),
}

/// Where an answer goes.
pub type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The selection means nothing here.
    #[error(transparent)]
    Selection(#[from] Refused),
    /// An app cannot have as many instances.
    #[error(transparent)]
    Size(#[from] Unscalable),
    /// These apps cannot be run on this host.
    #[error("{} cannot be run on this host", apps(.0))]
    Problems(Vec<(AppSpec, Vec<Problem>)>),
    /// What was planned is not what would be done.
    #[error("apply the plan: something has changed since it was made")]
    Moved,
    /// Everything is being put to rest.
    #[error("everything is being put to rest, and the agent ends")]
    Ending,
    /// Done, but not on disk.
    #[error(
        "{0}; it is in effect, but would be lost with the agent, which goes on trying to write it"
    )]
    NotWritten(Arc<StoreError>),
}

fn apps(problems: &[(AppSpec, Vec<Problem>)]) -> String {
    let names: Vec<_> = problems.iter().map(|(spec, _)| spec.full_name()).collect();
    names.join(", ")
}

impl Supervisor {
    pub(super) fn request(&mut self, now: Duration, request: Request) {
        let Some(request) = self.admit(request) else {
            return;
        };
        match request {
            Request::Apply {
                by,
                application,
                unfit,
                prune,
                planned,
                reply,
            } => {
                let is_meant = self.is_meant(&application, unfit, &prune, planned.as_deref());
                let outcomes = is_meant.map(|()| self.apply(now, &by, application, &prune));
                self.answer(reply, outcomes);
            }
            Request::Plan {
                application,
                unfit,
                prune,
                reply,
            } => {
                let plan = self.plan(&application, unfit, &prune);
                self.answer(reply, plan);
            }
            Request::Act {
                by,
                verb,
                selection,
                reply,
            } => {
                let outcomes = self.act(now, &by, verb, &selection);
                self.answer(reply, outcomes);
            }
            Request::Scale {
                by,
                selection,
                size,
                unfit,
                turn,
                reply,
            } => {
                let scaled = self.scale(now, &by, &selection, size, unfit, turn);
                self.answer(reply, scaled);
            }
            Request::Speak { words, reply } => {
                self.speak(words);
                self.answer(reply, Ok(()));
            }
            Request::Hold { by, reply } => self.hold(now, &by, reply),
            Request::Resurrect { by, reply } => {
                let outcomes = self.fleet.resurrect(now, &by);
                self.answer(reply, Ok(outcomes));
            }
            Request::Save(reply) => self.save(reply),
            Request::EndKeeper => self.order(Order::Shutdown),
        }
    }

    /// While somebody waits for everything to be at rest nothing is begun, or they would wait for ever.
    fn admit(&mut self, request: Request) -> Option<Request> {
        self.resting.retain(|(_, reply)| !reply.is_closed());
        if self.resting.is_empty() {
            return Some(request);
        }
        match request {
            Request::Apply { reply, .. }
            | Request::Act {
                verb: Verb::Start(_) | Verb::Restart(_),
                reply,
                ..
            }
            | Request::Resurrect { reply, .. } => self.answer(reply, Err(Refusal::Ending)),
            Request::Scale { reply, .. } => self.answer(reply, Err(Refusal::Ending)),
            request @ (Request::Plan { .. }
            | Request::Act {
                verb: Verb::Stop | Verb::Delete | Verb::Reset,
                ..
            }
            | Request::Speak { .. }
            | Request::Hold { .. }
            | Request::Save(_)
            | Request::EndKeeper) => return Some(request),
        }
        None
    }

    fn save(&mut self, reply: Reply<()>) {
        let flushed = self.store.flush();
        let saved = flushed.map_err(|error| Refusal::NotWritten(Arc::new(error)));
        self.answer(reply, saved);
    }

    fn hold(&mut self, now: Duration, by: &By, reply: Reply<u32>) {
        let slots = self.fleet.slots();
        let up = slots.filter(|(_, _, slot)| slot.identity.is_some()).count();
        self.fleet.hold(now, by);
        self.resting
            .push((u32::try_from(up).unwrap_or(u32::MAX), reply));
    }

    fn apply(
        &mut self,
        now: Duration,
        by: &By,
        application: Application,
        prune: &[Prune],
    ) -> Vec<Outcome> {
        let mut outcomes = self.fleet.prune(now, by, &application.specs, prune);
        outcomes.extend(self.fleet.apply(now, by, application));
        outcomes
    }

    fn act(
        &mut self,
        now: Duration,
        by: &By,
        verb: Verb,
        selection: &Selection,
    ) -> Result<Vec<Outcome>, Refusal> {
        let slots = select(&self.fleet, selection)?;
        match verb {
            Verb::Start(Turn::InOrder) | Verb::Restart(Turn::InOrder) => {
                let apps: BTreeSet<_> = slots.iter().map(|slot| &slot.app).collect();
                let specs = apps.into_iter().filter_map(|app| self.fleet.app(app));
                let specs: Vec<_> = specs.map(|app| app.spec.as_ref().clone()).collect();
                refuse(tangled(&self.fleet, &Application::of(specs), &[]))?;
            }
            Verb::Start(Turn::AtOnce)
            | Verb::Restart(Turn::AtOnce)
            | Verb::Stop
            | Verb::Delete
            | Verb::Reset => {}
        }
        Ok(self.fleet.act(now, by, verb, &slots))
    }

    fn scale(
        &mut self,
        now: Duration,
        by: &By,
        selection: &Selection,
        size: Size,
        unfit: Problems,
        turn: Turn,
    ) -> Result<Scaled, Refusal> {
        let (key, app) = select_one(&self.fleet, selection)?;
        let scaling = Scaling::of(key, app, size)?;
        let app = key.clone();
        if scaling.adds() {
            let application = Application {
                turn,
                ..Application::of(vec![scaling.spec.clone()])
            };
            refuse(self.problems(&application, unfit, &[]))?;
        }
        let (from, to) = (scaling.from, scaling.spec.instances);
        let outcomes = self.fleet.scale(now, by, scaling, turn);
        Ok(Scaled {
            app,
            from,
            to,
            outcomes,
        })
    }

    /// Refuses to apply what cannot be run here, or is not what was planned.
    fn is_meant(
        &self,
        application: &Application,
        unfit: Problems,
        prune: &[Prune],
        planned: Option<&str>,
    ) -> Result<(), Refusal> {
        let plan = self.plan(application, unfit, prune)?;
        match planned {
            Some(planned) if planned != plan.fingerprint() => Err(Refusal::Moved),
            Some(_) | None => Ok(()),
        }
    }

    /// What applying would change, unless the apps cannot be run here.
    fn plan(
        &self,
        application: &Application,
        unfit: Problems,
        prune: &[Prune],
    ) -> Result<Plan, Refusal> {
        refuse(self.problems(application, unfit, prune))?;
        Ok(self
            .fleet
            .plan(&application.specs, &application.needed, prune))
    }

    /// What stands in the way of the apps.
    fn problems(&self, application: &Application, unfit: Problems, prune: &[Prune]) -> Problems {
        let mut problems = unfit;
        for (spec, more) in tangled(&self.fleet, application, prune) {
            match problems.iter_mut().find(|(one, _)| *one == spec) {
                Some((_, found)) => found.extend(more),
                None => problems.push((spec, more)),
            }
        }
        problems
    }
}

/// Apps, each with what stands in its way.
pub type Problems = Vec<(AppSpec, Vec<Problem>)>;

fn refuse(problems: Problems) -> Result<(), Refusal> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(Refusal::Problems(problems))
}

/// Finds the apps that cannot be run on this host. It looks at files, which may take its time: not for the supervisor.
pub fn unfit<'a>(specs: impl IntoIterator<Item = &'a AppSpec>) -> Problems {
    specs
        .into_iter()
        .filter_map(|spec| {
            let mut problems = resolve::resolve(spec).err().unwrap_or_default();
            problems.extend(watch_files::problems(spec));
            (!problems.is_empty()).then(|| (spec.clone(), problems))
        })
        .collect()
}

/// The apps that would wait for ever. Who asks not to wait may name an app without what it depends on.
fn tangled(fleet: &Fleet, application: &Application, prune: &[Prune]) -> Problems {
    let tangles = fleet.tangles(&application.specs, &application.needed, prune);
    let counts = |tangle: &Tangle| match (tangle, application.turn) {
        (Tangle::Missing { .. }, Turn::AtOnce) => false,
        (Tangle::Missing { .. }, Turn::InOrder) | (Tangle::Circle(_), _) => true,
    };
    let problems = tangles.into_iter().map(|(spec, found)| {
        let found = found.iter().filter(|tangle| counts(tangle));
        (spec, found.map(problem).collect::<Vec<_>>())
    });
    problems.filter(|(_, found)| !found.is_empty()).collect()
}

fn problem(tangle: &Tangle) -> Problem {
    let (message, hint) = match tangle {
        Tangle::Missing { app, near } => {
            let hint = match near.as_slice() {
                [] => "start that app together with it, or start it without what it depends on: --no-deps"
                    .to_owned(),
                near => format!("did you mean {}?", near.join(" or ")),
            };
            (format!("there is no app {app}"), hint)
        }
        Tangle::Circle(apps) => {
            let first = apps.first().map_or("", String::as_str);
            (
                format!("it waits for itself: {} → {first}", apps.join(" → ")),
                "take one of these dependencies away".to_owned(),
            )
        }
    };
    Problem {
        field: "depends_on",
        message,
        hint,
    }
}

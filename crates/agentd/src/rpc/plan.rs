//! Plans to and from the agent's messages.

use std::path::PathBuf;

use eco_proto::agent::v1 as pb;

use crate::fleet::plan::{Plan, Prune, Step};

pub(super) fn prune(prune: Vec<pb::Prune>) -> Vec<Prune> {
    prune
        .into_iter()
        .map(|prune| Prune {
            environment: prune.environment,
            folder: PathBuf::from(prune.folder),
        })
        .collect()
}

pub(super) fn reply(plan: Plan) -> pb::PlanReply {
    pb::PlanReply {
        fingerprint: plan.fingerprint(),
        steps: plan.steps.into_iter().map(step).collect(),
    }
}

fn step(step: Step) -> pb::Step {
    let Step {
        app,
        before,
        after,
        instances,
    } = step;
    pb::Step {
        environment: app.environment,
        name: app.name,
        before: before.as_ref().map(Into::into),
        after: after.as_ref().map(Into::into),
        created: instances.created,
        registered: instances.registered,
        started: instances.started,
        restarted: instances.restarted,
        removed: instances.removed,
    }
}

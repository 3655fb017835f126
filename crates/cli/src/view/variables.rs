//! The variables of instances.

use std::collections::BTreeMap;

use eco_proto::agent::v1::{InstanceVariables, VariablesReply};
use serde::Serialize;

use crate::redaction::Secrets;

/// An instance and what it was given. The names of the fields are the contract of `eco env --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Given {
    pub(crate) id: u32,
    pub(crate) host: String,
    pub(crate) env: String,
    pub(crate) name: String,
    pub(crate) instance: u32,
    /// The living run; nothing where the variables are those of the next one.
    pub(crate) run: Option<u64>,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Given {
    /// `environment/name#instance`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}#{}", self.env, self.name, self.instance)
    }
}

/// Makes a view, in the order of the instances' names.
pub(crate) fn given(reply: VariablesReply, secrets: Secrets) -> Vec<Given> {
    let mut all: Vec<Given> = reply
        .instances
        .into_iter()
        .map(|instance| one(&reply.host, instance, secrets))
        .collect();
    all.sort_by(|left, right| {
        (&left.env, &left.name, left.instance).cmp(&(&right.env, &right.name, right.instance))
    });
    all
}

fn one(host: &str, given: InstanceVariables, secrets: Secrets) -> Given {
    let instance = given.instance.unwrap_or_default();
    let shown = |(name, value): (String, String)| {
        let value = secrets.of(&name, &value);
        (name, value)
    };
    Given {
        id: instance.id,
        host: host.to_owned(),
        env: instance.environment,
        name: instance.name,
        instance: instance.instance,
        run: (!given.of_next_run).then_some(instance.run),
        variables: given.variables.into_iter().map(shown).collect(),
    }
}

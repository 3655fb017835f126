//! What came of speaking to instances.

use eco_proto::agent::v1::{Spoken, SpokenReply};
use serde::Serialize;
use serde_json::Value;

/// One instance, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Told {
    pub(crate) id: u32,
    pub(crate) host: String,
    pub(crate) env: String,
    pub(crate) name: String,
    pub(crate) instance: u32,
    pub(crate) pid: Option<i32>,
    pub(crate) run: Option<u64>,
    /// What the app answered.
    pub(crate) answer: Option<Value>,
    /// Bytes that found room in its standard input.
    pub(crate) written: u64,
    /// Why it did not come to pass.
    pub(crate) problem: Option<String>,
    pub(crate) hint: Option<String>,
}

impl Told {
    /// Its name as people write it.
    pub(crate) fn label(&self) -> String {
        format!("{}/{}#{}", self.env, self.name, self.instance)
    }
}

/// Makes a view of a reply.
pub(crate) fn told(reply: SpokenReply) -> Vec<Told> {
    let SpokenReply { host, instances } = reply;
    instances
        .into_iter()
        .map(|spoken| one(&host, spoken))
        .collect()
}

/// Makes a view of one instance.
pub(crate) fn one(host: &str, spoken: Spoken) -> Told {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Told {
        id: spoken.id,
        host: host.to_owned(),
        env: spoken.environment,
        name: spoken.name,
        instance: spoken.instance,
        pid: spoken.pid,
        run: Some(spoken.run).filter(|run| *run > 0),
        // The agent passes on what it has understood as JSON.
        answer: spoken
            .answer
            .map(|answer| serde_json::from_str(&answer).unwrap_or(Value::String(answer))),
        written: spoken.written,
        problem: some(spoken.problem),
        hint: some(spoken.hint),
    }
}

//! How files are watched, and what counts as a change.

use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::WatchReason as Reason;
use serde::Serialize;

use super::some;

/// An app. The names of the fields are the contract of `eco watch --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Watched {
    pub(crate) host: String,
    pub(crate) env: String,
    pub(crate) name: String,
    /// Nothing: it watches nothing.
    pub(crate) watching: Option<Watching>,
}

/// What is watched, and how.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Watching {
    pub(crate) roots: Vec<Root>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) delay_ms: u64,
    pub(crate) follows_links: bool,
    pub(crate) depth: Option<u32>,
    /// Nothing: no instance is to be up, so that nothing is watched now.
    pub(crate) state: Option<State>,
    pub(crate) paths: Vec<Verdict>,
}

/// A file or folder that is watched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Root {
    pub(crate) path: String,
    pub(crate) written: Option<String>,
    pub(crate) only: Option<String>,
    pub(crate) is_there: bool,
}

/// What does not count, or does after all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Rule {
    pub(crate) text: String,
    pub(crate) origin: String,
    pub(crate) lets_in: bool,
    pub(crate) problem: Option<String>,
}

/// How it is watched at this moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct State {
    pub(crate) folders: u64,
    pub(crate) denied: Vec<String>,
    pub(crate) poll_ms: Option<u64>,
    pub(crate) problem: Option<String>,
}

/// Whether a change of a path counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) path: String,
    pub(crate) counts: bool,
    pub(crate) reason: &'static str,
    pub(crate) rule: Option<Rule>,
    pub(crate) at: Option<String>,
}

/// Makes a view of what the agent answered.
pub(crate) fn watched(reply: pb::ExplainWatchReply) -> Vec<Watched> {
    let host = reply.host;
    reply
        .apps
        .into_iter()
        .map(|app| Watched {
            host: host.clone(),
            env: app.environment,
            name: app.name,
            watching: app.watching.map(watching),
        })
        .collect()
}

fn watching(watching: pb::Watching) -> Watching {
    Watching {
        roots: watching.roots.into_iter().map(root).collect(),
        rules: watching.rules.into_iter().map(rule).collect(),
        delay_ms: watching.delay_ms,
        follows_links: !watching.plain_links,
        depth: watching.depth,
        state: watching.state.map(|state| State {
            folders: state.folders,
            denied: state.denied,
            poll_ms: state.poll_ms,
            problem: some(state.problem),
        }),
        paths: watching.verdicts.into_iter().map(verdict).collect(),
    }
}

fn root(root: pb::WatchedRoot) -> Root {
    Root {
        path: root.path,
        written: some(root.written),
        only: some(root.only),
        is_there: root.is_there,
    }
}

fn rule(rule: pb::WatchRule) -> Rule {
    Rule {
        text: rule.text,
        origin: rule.origin,
        lets_in: rule.lets_in,
        problem: some(rule.problem),
    }
}

fn verdict(verdict: pb::WatchVerdict) -> Verdict {
    let reason = match verdict.reason() {
        Reason::Watched => "watched",
        Reason::LetIn => "let in",
        Reason::LeftOut => "left out",
        Reason::NotInGlob => "not in glob",
        Reason::TooDeep => "too deep",
        Reason::Ours => "ours",
        Reason::Outside => "outside",
        Reason::Unspecified => "unknown",
    };
    Verdict {
        path: verdict.path,
        counts: verdict.counts,
        reason,
        rule: verdict.rule.map(rule),
        at: some(verdict.at),
    }
}

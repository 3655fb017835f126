//! Refusals as statuses that carry what the CLI needs to explain them.

use eco_config::spec::AppSpec;
use eco_config::wire::InvalidSpec;
use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::error_detail::Code as Detail;
use eco_proto::detail;
use tonic::{Code, Status};

use crate::fleet::scale::Unscalable;
use crate::fleet::select::Refused;
use crate::resolve::Problem;
use crate::supervisor::Refusal;

pub(super) fn refusal(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::Selection(refused) => selection(refused),
        Refusal::Size(unscalable) => size(unscalable),
        Refusal::Problems(problems) => {
            let problems = problems
                .iter()
                .flat_map(|(spec, found)| found.iter().map(|one| problem(spec, one)));
            let detail = pb::ErrorDetail {
                code: Detail::Invalid.into(),
                problems: problems.collect(),
                ..pb::ErrorDetail::default()
            };
            detail::status(Code::FailedPrecondition, refusal.to_string(), &detail)
        }
        Refusal::Moved => {
            let detail = pb::ErrorDetail {
                code: Detail::Moved.into(),
                ..pb::ErrorDetail::default()
            };
            detail::status(Code::Aborted, refusal.to_string(), &detail)
        }
        Refusal::Ending => {
            let detail = pb::ErrorDetail {
                code: Detail::Keeper.into(),
                hint: "try again when `eco kill` is done".to_owned(),
                ..pb::ErrorDetail::default()
            };
            detail::status(Code::FailedPrecondition, refusal.to_string(), &detail)
        }
        Refusal::NotWritten(error) => {
            let detail = pb::ErrorDetail {
                code: Detail::State.into(),
                hint: "free some disk space, or make the state folder writable".to_owned(),
                ..pb::ErrorDetail::default()
            };
            let source =
                std::error::Error::source(&**error).map_or(String::new(), |it| format!(" ({it})"));
            detail::status(
                Code::ResourceExhausted,
                format!("{refusal}{source}"),
                &detail,
            )
        }
    }
}

pub(super) fn selection(refused: &Refused) -> Status {
    let (status, code, subject, candidates) = match refused {
        Refused::NotFound {
            selector,
            candidates,
        } => (
            Code::NotFound,
            Detail::NotFound,
            selector,
            candidates.as_slice(),
        ),
        Refused::Ambiguous {
            selector,
            candidates,
        } => (
            Code::FailedPrecondition,
            Detail::Ambiguous,
            selector,
            candidates.as_slice(),
        ),
        Refused::Several {
            selector,
            candidates,
        } => (
            Code::FailedPrecondition,
            Detail::Ambiguous,
            selector,
            candidates.as_slice(),
        ),
        Refused::Malformed {
            selector,
            problem: _,
        } => (
            Code::InvalidArgument,
            Detail::NotFound,
            selector,
            [].as_slice(),
        ),
    };
    let detail = pb::ErrorDetail {
        code: code.into(),
        subject: subject.clone(),
        candidates: candidates.to_vec(),
        hint: hint(refused),
        ..pb::ErrorDetail::default()
    };
    detail::status(status, refused.to_string(), &detail)
}

/// How to select what is meant.
fn hint(refused: &Refused) -> String {
    match refused {
        Refused::Several { candidates, .. } => {
            let first = candidates
                .first()
                .map_or("ENVIRONMENT/NAME", String::as_str);
            format!("name one of them, such as {first}")
        }
        Refused::Malformed { .. } => {
            "a glob is like 'mds-*' or 'api-[ab]', and /REGEX/ stands between slashes".to_owned()
        }
        Refused::NotFound { .. } | Refused::Ambiguous { .. } => String::new(),
    }
}

fn size(unscalable: &Unscalable) -> Status {
    let (app, hint) = match unscalable {
        Unscalable::TooFew { app, .. } => (
            app,
            format!("eco stop {app} ends all of it, and eco delete {app} forgets it too"),
        ),
        Unscalable::TooMany { app, .. } => (app, String::new()),
    };
    let detail = pb::ErrorDetail {
        code: Detail::Invalid.into(),
        subject: app.to_string(),
        hint,
        ..pb::ErrorDetail::default()
    };
    detail::status(Code::FailedPrecondition, unscalable.to_string(), &detail)
}

pub(super) fn events(refused: &super::events::Asked) -> Status {
    match refused {
        super::events::Asked::Selection(refused) => selection(refused),
        super::events::Asked::Store(error) => {
            let detail = pb::ErrorDetail {
                code: Detail::State.into(),
                ..pb::ErrorDetail::default()
            };
            detail::status(Code::DataLoss, error.to_string(), &detail)
        }
    }
}

pub(super) fn invalid(error: &InvalidSpec) -> Status {
    Status::invalid_argument(error.to_string())
}

/// The agent is on its way down and takes nothing any more.
pub(super) fn ending() -> Status {
    Status::unavailable("the agent is ending")
}

/// Without a keeper no app can be reached.
pub(super) fn no_keeper() -> Status {
    let detail = pb::ErrorDetail {
        code: Detail::Keeper.into(),
        hint: "try again in a moment: the agent starts another keeper".to_owned(),
        ..pb::ErrorDetail::default()
    };
    let text = "the keeper, who holds the apps, cannot be reached";
    detail::status(Code::Unavailable, text.to_owned(), &detail)
}

fn problem(spec: &AppSpec, problem: &Problem) -> pb::Problem {
    pb::Problem {
        app: spec.full_name(),
        field: problem.field.to_owned(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        file: spec.defined_at.display().to_string(),
    }
}

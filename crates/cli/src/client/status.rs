//! What a refused call means to the person who made it.

use eco_proto::agent::v1::error_detail::Code;
use eco_proto::agent::v1::{ErrorDetail, Problem};
use eco_proto::detail::detail;

use crate::error::{CliError, Kind};
use crate::nearness::{WHAT_THERE_IS, did_you_mean};

/// Whether the connection broke before anybody answered, as against an answer that refuses.
pub(super) fn is_broken(status: &tonic::Status) -> bool {
    let comes_of_transport = std::error::Error::source(status).is_some();
    let code = status.code();
    let may_be = [
        tonic::Code::Unknown,
        tonic::Code::Internal,
        tonic::Code::Cancelled,
    ];
    code == tonic::Code::Unavailable || (comes_of_transport && may_be.contains(&code))
}

/// The problems that a refusal is about; `None`: it is about something else.
pub(super) fn problems(status: &tonic::Status) -> Option<Vec<Problem>> {
    let problems = detail(status)?.problems;
    (!problems.is_empty()).then_some(problems)
}

/// Turns a refusal of what was `tried` into an error.
pub(super) fn error(tried: impl Into<String>, status: &tonic::Status) -> CliError {
    match detail(status) {
        Some(detail) => of_detail(tried.into(), status.message(), &detail),
        None => of_status(tried.into(), status),
    }
}

fn of_detail(tried: String, message: &str, detail: &ErrorDetail) -> CliError {
    let kind = match detail.code() {
        Code::NotFound | Code::Ambiguous | Code::Invalid | Code::Moved => Kind::User,
        Code::State | Code::Keeper => Kind::Daemon,
        Code::Internal | Code::Unspecified => Kind::Internal,
    };
    let mut error = CliError::new(kind, tried).detailed(detail.problems.iter().flat_map(problem));
    if !message.is_empty() {
        error = error.because(message);
    }
    error = match detail.code() {
        Code::Ambiguous => ambiguous(error, detail),
        Code::NotFound
        | Code::Invalid
        | Code::Moved
        | Code::State
        | Code::Keeper
        | Code::Internal
        | Code::Unspecified => match did_you_mean(&detail.candidates) {
            Some(hint) => error.hinted(hint),
            None if detail.code() == Code::NotFound && detail.hint.is_empty() => {
                error.hinted(WHAT_THERE_IS)
            }
            None => error,
        },
    };
    if detail.hint.is_empty() {
        error
    } else {
        error.hinted(&detail.hint)
    }
}

fn ambiguous(error: CliError, detail: &ErrorDetail) -> CliError {
    let error = error.detailed(detail.candidates.iter().cloned());
    if detail.hint.is_empty() {
        error.hinted(format!(
            "choose an environment with -E, or name one: {}; '*/{}' means all",
            detail
                .candidates
                .first()
                .map_or("ENVIRONMENT/NAME", String::as_str),
            detail.subject
        ))
    } else {
        error
    }
}

fn problem(problem: &Problem) -> Vec<String> {
    let place = [&problem.app, &problem.field]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(": ");
    let mut lines = vec![format!("{place}: {}", problem.message)];
    if !problem.file.is_empty() {
        lines.push(format!("    in {}", problem.file));
    }
    if !problem.hint.is_empty() {
        lines.push(format!("    hint: {}", problem.hint));
    }
    lines
}

fn of_status(tried: String, status: &tonic::Status) -> CliError {
    let error = |kind| CliError::new(kind, tried);
    let error = match status.code() {
        tonic::Code::Unavailable
        | tonic::Code::Unknown
        | tonic::Code::Cancelled
        | tonic::Code::DeadlineExceeded
        | tonic::Code::ResourceExhausted => {
            error(Kind::Daemon).hinted("try again; eco ping tells whether the agent runs")
        }
        tonic::Code::Unimplemented => {
            error(Kind::Daemon).hinted("the daemon is of another version: eco update")
        }
        tonic::Code::InvalidArgument | tonic::Code::NotFound | tonic::Code::FailedPrecondition => {
            error(Kind::User)
        }
        tonic::Code::Ok
        | tonic::Code::AlreadyExists
        | tonic::Code::PermissionDenied
        | tonic::Code::Aborted
        | tonic::Code::OutOfRange
        | tonic::Code::Internal
        | tonic::Code::DataLoss
        | tonic::Code::Unauthenticated => error(Kind::Internal),
    };
    error.because(status.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(detail: &ErrorDetail) -> CliError {
        let status = eco_proto::detail::status(tonic::Code::NotFound, "no app matches x", detail);
        error("stop x", &status)
    }

    #[test]
    fn a_daemon_that_does_not_answer_in_time_is_no_fault_of_the_command() {
        let silent = tonic::Status::deadline_exceeded("no answer within 10 s");
        assert_eq!(error("read the log", &silent).kind(), Kind::Daemon);
    }

    #[test]
    fn close_names_become_a_hint() {
        let error = refused(&ErrorDetail {
            code: Code::NotFound.into(),
            candidates: vec!["dev/mds".to_owned()],
            ..ErrorDetail::default()
        });
        assert_eq!(error.kind(), Kind::User);
        assert_eq!(error.hints(), ["did you mean dev/mds?"]);
    }

    #[test]
    fn every_problem_of_every_app_is_told() {
        let problem = |app: &str| Problem {
            app: app.to_owned(),
            field: "script".to_owned(),
            message: "not found".to_owned(),
            hint: "build it".to_owned(),
            file: "/p/e.config.js".to_owned(),
        };
        let error = refused(&ErrorDetail {
            code: Code::Invalid.into(),
            problems: vec![problem("dev/a"), problem("dev/b")],
            ..ErrorDetail::default()
        });
        assert_eq!(
            error.details(),
            [
                "dev/a: script: not found",
                "    in /p/e.config.js",
                "    hint: build it",
                "dev/b: script: not found",
                "    in /p/e.config.js",
                "    hint: build it",
            ]
        );
    }

    #[test]
    fn an_agent_that_went_away_is_a_daemon_s_matter() {
        let error = error("list", &tonic::Status::unavailable("broken pipe"));
        assert_eq!(error.kind(), Kind::Daemon);
    }
}

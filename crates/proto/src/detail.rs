//! Error detail in and out of a gRPC status.

use prost::Message as _;
use tonic::{Code, Status};

use crate::agent::v1::ErrorDetail;

/// Makes a status that carries `detail` for the CLI to show.
#[must_use]
pub fn status(code: Code, message: impl Into<String>, detail: &ErrorDetail) -> Status {
    Status::with_details(code, message, detail.encode_to_vec().into())
}

/// Returns the detail that `status` carries, if it is one of ours.
#[must_use]
pub fn detail(status: &Status) -> Option<ErrorDetail> {
    if status.details().is_empty() {
        return None;
    }
    ErrorDetail::decode(status.details()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_survives_the_status() {
        let sent = ErrorDetail {
            subject: "mds".to_owned(),
            candidates: vec!["dev/mds-fetcher".to_owned()],
            ..ErrorDetail::default()
        };
        let status = status(Code::NotFound, "no app matches mds", &sent);
        assert_eq!(detail(&status), Some(sent));
    }

    #[test]
    fn a_status_of_another_origin_has_none() {
        assert_eq!(detail(&Status::unavailable("gone")), None);
        let junk = Status::with_details(Code::Internal, "x", vec![0xff, 0xff].into());
        assert_eq!(detail(&junk), None);
    }
}

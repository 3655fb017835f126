//! Log files to and from their message.

use std::path::PathBuf;
use std::time::Duration;

use eco_proto::agent::v1 as pb;

use crate::spec::{Keeping, LineKind, Logs, Overflow, Rotation, Sharing};

use super::{millis, text};

impl From<&Logs> for pb::Logs {
    fn from(logs: &Logs) -> Self {
        let path = |path: &Option<PathBuf>| path.as_deref().map(text);
        Self {
            out_file: path(&logs.out_file),
            error_file: path(&logs.error_file),
            log_file: path(&logs.log_file),
            merge: logs.sharing == Sharing::Merged,
            json: logs.kind == LineKind::Json,
            date_format: logs.date_format.clone(),
            rotation: logs.rotation.map(Into::into),
            discard: logs.keeping == Keeping::Nothing,
            drop_refused: logs.overflow == Overflow::Drop,
            max_bytes: logs.max_size,
            max_age_ms: logs.max_age.map(millis),
        }
    }
}

impl From<pb::Logs> for Logs {
    fn from(logs: pb::Logs) -> Self {
        Self {
            out_file: logs.out_file.map(PathBuf::from),
            error_file: logs.error_file.map(PathBuf::from),
            log_file: logs.log_file.map(PathBuf::from),
            sharing: if logs.merge {
                Sharing::Merged
            } else {
                Sharing::Each
            },
            kind: if logs.json {
                LineKind::Json
            } else {
                LineKind::Raw
            },
            date_format: logs.date_format,
            rotation: logs.rotation.map(Into::into),
            keeping: if logs.discard {
                Keeping::Nothing
            } else {
                Keeping::All
            },
            overflow: if logs.drop_refused {
                Overflow::Drop
            } else {
                Overflow::Wait
            },
            max_size: logs.max_bytes,
            max_age: logs.max_age_ms.map(Duration::from_millis),
        }
    }
}

impl From<Rotation> for pb::LogRotation {
    fn from(rotation: Rotation) -> Self {
        Self {
            size_bytes: rotation.size,
            every_ms: rotation.every.map(millis),
            keep: rotation.keep,
            compress: rotation.compress,
        }
    }
}

impl From<pb::LogRotation> for Rotation {
    fn from(rotation: pb::LogRotation) -> Self {
        Self {
            size: rotation.size_bytes,
            every: rotation.every_ms.map(Duration::from_millis),
            keep: rotation.keep,
            compress: rotation.compress,
        }
    }
}

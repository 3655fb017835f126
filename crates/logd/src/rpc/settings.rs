//! Settings of log files from the agent's messages, and what is answered of the files.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_proto::log::v1 as pb;

use crate::mirror::{Emptied, Reopened};
use crate::settings::{AppLogs, Limits, LogFile, Numbering, Rotation, Settings, Shape};

/// Reads what the agent tells. A file without an absolute path is none.
pub(super) fn read(logs: pb::AllLogs) -> Settings {
    Settings {
        host: logs.host,
        apps: logs.apps.into_iter().map(app).collect(),
    }
}

fn app(app: pb::AppLogs) -> AppLogs {
    let before = app.before.iter();
    AppLogs {
        before: before.map(|one| (one.instance, one.run)).collect(),
        environment: app.environment,
        app: app.app,
        files: app.files.into_iter().filter_map(file).collect(),
        shape: Shape {
            json: app.json,
            date_format: app.date_format,
        },
        rotation: app.rotation.map(|rotation| Rotation {
            size: rotation.size_bytes,
            every: rotation.every_ms.map(Duration::from_millis),
            keep: rotation.keep,
            compress: rotation.compress,
        }),
        limits: Limits {
            size: app.max_bytes,
            age: app.max_age_ms.map(Duration::from_millis),
        },
    }
}

fn file(file: pb::LogFile) -> Option<LogFile> {
    let numbering = match file.numbering() {
        pb::Numbering::Unspecified => Numbering::Alone,
        pb::Numbering::Each => Numbering::Each,
        pb::Numbering::Merged => Numbering::Merged,
    };
    let path = PathBuf::from(OsString::from_vec(file.path));
    path.is_absolute().then_some(LogFile {
        path,
        out: file.out,
        err: file.err,
        numbering,
    })
}

pub(super) fn emptied(file: Emptied) -> pb::FlushedFile {
    pb::FlushedFile {
        path: text(&file.path),
        bytes: file.bytes,
        problem: file.problem.unwrap_or_default(),
    }
}

pub(super) fn reopened(file: Reopened) -> pb::ReopenedFile {
    pb::ReopenedFile {
        path: text(&file.path),
        problem: file.problem.unwrap_or_default(),
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

//! What the program of a file may learn of the machine. Nothing of it changes anything.
//!
//! Every answer is JSON text: `{"ok": …}`, or `{"code", "message", "hint"}` for what becomes an exception.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use crate::data::Malformed;
use crate::error::{ConfigError, EvalFault};
use crate::format::Format;

use super::quickjs::Job;
use super::{SAID_LIMIT, modules, source, trace};

/// Characters of a line for the console that are kept.
const LINE_LIMIT: usize = 2_000;
/// Entries of a folder that are listed.
const LIST_LIMIT: usize = 100_000;

/// What is known and gathered during an evaluation.
pub(super) struct Host {
    /// The file that was asked for.
    pub(super) main: PathBuf,
    /// The texts of the files, as far as they were evaluated.
    pub(super) sources: BTreeMap<PathBuf, String>,
    /// What was said to the console.
    pub(super) said: Vec<String>,
    /// The innermost file that threw last.
    pub(super) failed_in: Option<PathBuf>,
    cwd: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Host {
    pub(super) fn new(job: Job) -> Self {
        Self {
            sources: BTreeMap::from([(job.main.clone(), job.text)]),
            main: job.main,
            said: Vec::new(),
            failed_in: None,
            cwd: job.cwd,
            variables: job.variables,
        }
    }

    /// What never changes during an evaluation.
    pub(super) fn facts(&self) -> String {
        let variable = |name: &str| self.variables.get(name).map(String::as_str);
        let kernel = |name: &str| {
            std::fs::read_to_string(Path::new("/proc/sys/kernel").join(name))
                .map_or_else(|_| String::new(), |text| text.trim().to_owned())
        };
        json!({
            "env": self.variables,
            "cwd": self.cwd.to_string_lossy(),
            "main": self.main.to_string_lossy(),
            "platform": match std::env::consts::OS { "macos" => "darwin", other => other },
            "arch": match std::env::consts::ARCH {
                "x86_64" => "x64",
                "aarch64" => "arm64",
                other => other,
            },
            "cpus": std::thread::available_parallelism().map_or(1, usize::from),
            "hostname": kernel("hostname"),
            "release": kernel("osrelease"),
            "homedir": variable("HOME").unwrap_or("/"),
            "user": variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_default(),
            "tmpdir": variable("TMPDIR").unwrap_or("/tmp"),
            "totalmem": memory("MemTotal:"),
            "freemem": memory("MemAvailable:"),
            "pid": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
        })
        .to_string()
    }

    /// Keeps a line for the console.
    pub(super) fn say(&mut self, line: &str) {
        if self.said.len() < SAID_LIMIT {
            self.said.push(line.chars().take(LINE_LIMIT).collect());
        }
    }

    /// The text of a file that is evaluated.
    pub(super) fn text(&self, file: &Path) -> Result<String, ConfigError> {
        match self.sources.get(file) {
            Some(text) => Ok(text.clone()),
            None => source::read(file),
        }
    }

    /// What a file says that is no program.
    pub(super) fn data(&mut self, file: &Path) -> String {
        let Some(Format::Data(data)) = Format::of(file) else {
            return json!({ "message": format!("{} is no data", file.display()) }).to_string();
        };
        let text = match self.text(file) {
            Ok(text) => text,
            Err(error) => return json!({ "message": sentence(&error) }).to_string(),
        };
        let answer = match data.value(&text) {
            Ok(value) => json!({ "ok": value }),
            Err(Malformed { message, at }) => json!({
                "message": message,
                "fault": "syntax",
                "at": trace::tell(file, at),
            }),
        };
        self.sources.insert(file.to_owned(), text);
        answer.to_string()
    }

    /// A line of a file, from 1.
    pub(super) fn line(&self, file: &Path, number: u32) -> Option<&str> {
        let before = usize::try_from(number).ok()?.checked_sub(1)?;
        self.sources.get(file)?.lines().nth(before)
    }
}

/// Bytes that a line of the kernel's summary of memory tells.
fn memory(label: &str) -> u64 {
    let summary = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = summary.lines().find_map(|line| {
        line.strip_prefix(label)?
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    });
    kib.unwrap_or(0).saturating_mul(1024)
}

/// What kind of thing a path is.
pub(super) fn stat(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;

    let answer = std::fs::metadata(path).map(|meta| {
        let kind = meta.file_type();
        let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        json!({
            "kind": if kind.is_file() { "file" } else { source::name(kind).trim_start_matches("a ") },
            "size": meta.len(),
            "mode": meta.mode(),
            "mtime": modified.map_or(0.0, |time| time.as_secs_f64() * 1000.0),
        })
    });
    given(answer, "stat", path)
}

/// The text of a file.
pub(super) fn read(path: &Path) -> String {
    match source::read(path) {
        Ok(text) => json!({ "ok": text }).to_string(),
        Err(ConfigError::Read { source, .. }) => given(Err(source), "open", path),
        Err(other) => json!({ "code": "EINVAL", "message": format!("cannot {other}") }).to_string(),
    }
}

/// The names in a folder, sorted.
pub(super) fn list(path: &Path) -> String {
    let answer = std::fs::read_dir(path).map(|entries| {
        let mut names: Vec<String> = entries
            .flatten()
            .take(LIST_LIMIT)
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        json!(names)
    });
    given(answer, "scandir", path)
}

/// A path without links.
pub(super) fn realpath(path: &Path) -> String {
    let answer = path
        .canonicalize()
        .map(|path| json!(path.to_string_lossy()));
    given(answer, "realpath", path)
}

/// The file that a `require` means.
pub(super) fn resolve(folder: &Path, request: &str) -> String {
    let missing = match modules::resolve(folder, request) {
        Ok(path) => return json!({ "ok": path.to_string_lossy() }).to_string(),
        Err(missing) => missing,
    };
    let tried: Vec<_> = missing
        .tried
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let hint = missing.bare.then_some(
        "eco evaluates a config without node: of node's own modules there are only path, os and fs; a package from \
         node_modules works when it needs nothing else",
    );
    json!({
        "code": "MODULE_NOT_FOUND",
        "message": format!("cannot find the module {request:?}, tried {}", tried.join(", ")),
        "hint": hint,
        "fault": "module",
    })
    .to_string()
}

/// A failure to read, in one sentence.
pub(super) fn sentence(error: &ConfigError) -> String {
    use std::error::Error as _;

    let cause = error.source().map(|source| format!(": {source}"));
    format!("cannot {error}{}", cause.unwrap_or_default())
}

fn given(answer: io::Result<Value>, call: &str, path: &Path) -> String {
    match answer {
        Ok(value) => json!({ "ok": value }),
        Err(error) => {
            let kinds = [
                (
                    io::ErrorKind::NotFound,
                    "ENOENT",
                    "no such file or directory",
                ),
                (
                    io::ErrorKind::PermissionDenied,
                    "EACCES",
                    "permission denied",
                ),
                (io::ErrorKind::NotADirectory, "ENOTDIR", "not a directory"),
            ];
            let (code, text) = kinds
                .iter()
                .find(|(kind, ..)| *kind == error.kind())
                .map_or_else(
                    || ("EIO", error.to_string()),
                    |(_, code, text)| (*code, (*text).to_owned()),
                );
            let path = path.to_string_lossy();
            json!({
                "code": code,
                "path": path,
                "syscall": call,
                "message": format!("{code}: {text}, {call} '{path}'"),
            })
        }
    }
    .to_string()
}

/// What to say beside an error, judged by the line it is in.
pub(super) fn advice(fault: EvalFault, line: &str, message: &str) -> Option<String> {
    let line = line.trim_start();
    let starts = |word: &str| {
        line.strip_prefix(word)
            .is_some_and(|rest| rest.starts_with([' ', '{', '*', '"', '\'']))
    };
    match fault {
        EvalFault::Syntax if starts("import") || starts("export") => Some(
            "import and export are not understood by this version: use require and module.exports".to_owned(),
        ),
        EvalFault::Syntax if line.contains("await ") => {
            Some("a config cannot wait: there is no await outside an async function".to_owned())
        }
        EvalFault::Thrown if message.contains("is not defined") => Some(
            "eco evaluates a config without node: there are require, module, process, console and the language itself"
                .to_owned(),
        ),
        EvalFault::Syntax
        | EvalFault::Thrown
        | EvalFault::Module
        | EvalFault::Time
        | EvalFault::Memory
        | EvalFault::Depth
        | EvalFault::Result => None,
    }
}

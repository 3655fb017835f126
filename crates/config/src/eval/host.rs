//! What is known and gathered while a file is evaluated, and what its program may learn of the machine.
//!
//! Every answer is JSON: `{"ok": …}`, or `{"code", "message", "hint"}` for what becomes an exception.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::data::Malformed;
use crate::error::ConfigError;
use crate::format::{Format, Modules};
use crate::locate::Position;

use super::code::Code;
use super::exports::Asker;
use super::modules::Meant;
use super::quickjs::Job;
use super::trace::Frame;
use super::{SAID_LIMIT, modules, source, syntax, trace};

/// Characters of a line for the console that are kept.
const LINE_LIMIT: usize = 2_000;

/// How a file is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A program with `require` and `module.exports`.
    CommonJs,
    /// A program with `import` and `export`.
    Module,
    /// One expression.
    Json,
    /// Data of another language.
    Data,
    /// An addon of node's, compiled from another language.
    Native,
}

impl Kind {
    /// By a file's name, and by its code where the name leaves it open.
    pub(super) fn of(file: &Path, text: &str) -> Self {
        match Format::of_text(file, text) {
            Format::Json => Self::Json,
            Format::Data(_) => Self::Data,
            Format::Program(_, Modules::CommonJs) => Self::CommonJs,
            Format::Program(_, Modules::Es) => Self::Module,
            Format::Program(_, Modules::ByText) if syntax::is_es_module(text) => Self::Module,
            Format::Program(_, Modules::ByText) => Self::CommonJs,
        }
    }

    /// What the prelude calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CommonJs => "commonjs",
            Self::Module => "module",
            Self::Json => "json",
            Self::Data => "data",
            Self::Native => "native",
        }
    }
}

/// What is known and gathered during an evaluation.
pub(super) struct Host {
    /// The file that was asked for.
    pub(super) main: PathBuf,
    /// The texts of the files, as far as they were evaluated.
    pub(super) sources: BTreeMap<PathBuf, String>,
    /// What the engine is given for each of them.
    pub(super) codes: BTreeMap<PathBuf, Code>,
    /// How each of them is loaded.
    kinds: BTreeMap<PathBuf, Kind>,
    /// What was said to the console.
    pub(super) said: Vec<String>,
    /// The innermost file that threw last.
    pub(super) failed_in: Option<PathBuf>,
    /// What was looked for last of what only node has.
    pub(super) absent: Option<String>,
    /// What was used first of it, and the stack of that moment.
    pub(super) needed: Option<(String, String)>,
    /// Each `import` so far.
    pub(super) imports: Vec<Import>,
    cwd: PathBuf,
    variables: BTreeMap<String, String>,
}

/// A module that imports another.
pub(super) struct Import {
    /// Who imports.
    pub(super) by: PathBuf,
    /// What, as written.
    pub(super) request: String,
    /// The file, or the name of node's module, that is.
    pub(super) module: String,
}

impl Host {
    pub(super) fn new(job: Job) -> Self {
        Self {
            sources: BTreeMap::from([(job.main.clone(), without_mark(job.text))]),
            main: job.main,
            codes: BTreeMap::new(),
            kinds: BTreeMap::new(),
            said: Vec::new(),
            failed_in: None,
            absent: None,
            needed: None,
            imports: Vec::new(),
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

    /// Keeps what only node has. A file that catches the failure would go on without, and say another thing than in node.
    pub(super) fn needs(&mut self, subject: String, stack: String) {
        self.needed.get_or_insert((subject, stack));
    }

    /// Keeps a line for the console.
    pub(super) fn say(&mut self, line: &str) {
        if self.said.len() < SAID_LIMIT {
            self.said.push(line.chars().take(LINE_LIMIT).collect());
        }
    }

    /// The text of a file that is evaluated.
    pub(super) fn text(&mut self, file: &Path) -> Result<&str, ConfigError> {
        let text = match self.sources.entry(file.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(without_mark(source::read(file)?)),
        };
        Ok(text)
    }

    /// A file as the engine takes it: no line and no column is moved, unless its types are taken away.
    pub(super) fn code(&mut self, file: &Path) -> Result<&Code, Refusal> {
        if !self.codes.contains_key(file) {
            let code = Code::of(file, self.text(file)?)
                .map_err(|error| Refusal::malformed(file, &error))?;
            self.codes.insert(file.to_owned(), code);
        }
        Ok(self.codes.entry(file.to_owned()).or_default())
    }

    /// How a file is to be loaded.
    pub(super) fn kind(&mut self, file: &Path) -> Result<Kind, Refusal> {
        let kind = if file.extension().is_some_and(|end| end == "node") {
            Kind::Native
        } else {
            Kind::of(file, &self.code(file)?.text)
        };
        self.kinds.insert(file.to_owned(), kind);
        Ok(kind)
    }

    /// How a file was loaded, if it was.
    pub(super) fn kind_of(&self, file: &Path) -> Option<Kind> {
        self.kinds.get(file).copied()
    }

    /// What a file says that is no program.
    pub(super) fn data(&mut self, file: &Path) -> String {
        self.value(file).map_or_else(
            |refusal| refusal.0.to_string(),
            |value| json!({ "ok": value }).to_string(),
        )
    }

    fn value(&mut self, file: &Path) -> Result<Value, Refusal> {
        let text = self.text(file)?;
        match Format::of_text(file, text) {
            Format::Data(data) => data
                .value(text)
                .map_err(|error| Refusal::malformed(file, &error)),
            Format::Program(..) | Format::Json => Err(Refusal(
                json!({ "message": format!("{} is no data", file.display()) }),
            )),
        }
    }

    /// Where something in the code of a file is in the file itself.
    pub(super) fn original(&self, frame: Frame) -> Frame {
        let at = Position {
            line: frame.line,
            column: frame.column,
        };
        let original = self.codes.get(&frame.file).and_then(|code| {
            let text = self.sources.get(&frame.file)?;
            code.original(text, at)
        });
        let Position { line, column } = original.unwrap_or(at);
        Frame {
            line,
            column,
            ..frame
        }
    }

    /// A line of a file, from 1.
    pub(super) fn line(&self, file: &Path, number: u32) -> Option<&str> {
        let before = usize::try_from(number).ok()?.checked_sub(1)?;
        self.sources.get(file)?.lines().nth(before)
    }
}

/// Takes the mark of the byte order away, which some editors write.
fn without_mark(text: String) -> String {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
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

/// The file that a `require` or an `import` means.
pub(super) fn resolve(folder: &Path, request: &str, asker: Asker) -> Value {
    let missing = match modules::resolve(folder, request, asker) {
        Ok(path) => return json!({ "ok": path.to_string_lossy() }),
        Err(missing) => missing,
    };
    let tried: Vec<_> = missing
        .tried
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let (hint, fault) = match missing.meant {
        Meant::File => (None, "module"),
        Meant::Missing => (
            Some(format!(
                "install it where the file can see it: npm i {request}"
            )),
            "module",
        ),
        Meant::Installed => (None, "node"),
    };
    let tried = match tried.as_slice() {
        [] => String::new(),
        tried => format!(", tried {}", tried.join(", ")),
    };
    json!({
        "code": "MODULE_NOT_FOUND",
        "message": format!("cannot find the module {request:?}{tried}"),
        "hint": hint,
        "fault": fault,
        "subject": request,
    })
}

/// Why the host has nothing to give: what the prelude makes an exception of.
pub(super) struct Refusal(pub(super) Value);

impl Refusal {
    /// A file that is not what its name says.
    fn malformed(file: &Path, error: &Malformed) -> Self {
        Self(json!({
            "message": error.message,
            "fault": "syntax",
            "at": trace::tell(file, error.at),
        }))
    }
}

impl From<ConfigError> for Refusal {
    fn from(error: ConfigError) -> Self {
        use std::error::Error as _;

        let cause = error.source().map(|source| format!(": {source}"));
        Self(json!({ "message": format!("cannot {error}{}", cause.unwrap_or_default()) }))
    }
}

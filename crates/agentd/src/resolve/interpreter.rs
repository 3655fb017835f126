//! Finding what runs a script.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use eco_config::spec::{AppSpec, Interpreter};

use super::{Problem, Script, search};
use crate::environment;

/// The first of these that is there runs a file with one of these extensions.
const BY_EXTENSION: [(&[&str], &[&str]); 7] = [
    (&["js", "cjs", "mjs"], &["node"]),
    (&["ts", "tsx", "mts", "cts"], &["tsx"]),
    (&["py"], &["python3", "python"]),
    (&["sh"], &["bash", "sh"]),
    (&["rb"], &["ruby"]),
    (&["php"], &["php"]),
    (&["pl"], &["perl"]),
];

/// How to get an interpreter that is missing.
const HINTS: [(&str, &str); 6] = [
    ("tsx", "npm i -D tsx"),
    ("ts-node", "npm i -D ts-node"),
    (
        "node",
        "install Node.js, or set `interpreter` to the path of node",
    ),
    (
        "python3",
        "install Python 3, or set `interpreter` to the path of python3",
    ),
    ("python", "set `interpreter: 'python3'`, or install Python"),
    ("bun", "npm i -D bun"),
];

/// Bytes of a file that are read for its first line.
const FIRST_LINE: u64 = 512;

/// Finds the interpreter; `None`: the script runs itself.
pub(super) fn find(
    spec: &AppSpec,
    script: &Script,
    cwd: Option<&Path>,
) -> Result<Option<PathBuf>, Problem> {
    let file = match script {
        Script::File(file) => file,
        Script::CommandLine(_) => return first_of(spec, &["bash", "sh"], Path::new("/")).map(Some),
    };
    match &spec.interpreter {
        Interpreter::Named(name) => named(spec, name, file, cwd).map(Some),
        Interpreter::None => runs_itself(file).map(|()| None),
        Interpreter::ByExtension => by_extension(spec, file),
    }
}

fn runs_itself(file: &Path) -> Result<(), Problem> {
    if search::is_executable(file) {
        return Ok(());
    }
    Err(Problem {
        field: "script",
        message: format!("{} may not be executed", file.display()),
        hint: format!("chmod +x {}", file.display()),
    })
}

fn named(spec: &AppSpec, name: &str, file: &Path, cwd: Option<&Path>) -> Result<PathBuf, Problem> {
    if !name.contains('/') {
        return first_of(spec, &[name], file);
    }
    let bases = search::bases(spec, cwd);
    let mut tried = bases.iter().map(|base| search::clean(&base.join(name)));
    tried
        .find(|path| search::is_executable(path))
        .ok_or_else(|| Problem {
            field: "interpreter",
            message: format!("the interpreter {name} is not there, or may not be executed"),
            hint: "correct `interpreter`".to_owned(),
        })
}

fn by_extension(spec: &AppSpec, file: &Path) -> Result<Option<PathBuf>, Problem> {
    let extension = file
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let known = BY_EXTENSION
        .iter()
        .find(|(extensions, _)| extensions.contains(&extension));
    if let Some((_, names)) = known {
        return first_of(spec, names, file).map(Some);
    }
    if search::is_executable(file) {
        return Ok(None);
    }
    match first_line_interpreter(file) {
        Some(name) => named(spec, &name, file, None).map(Some),
        None => Err(Problem {
            field: "interpreter",
            message: format!("nothing says what runs {}", file.display()),
            hint: "set `interpreter`, or make the file executable".to_owned(),
        }),
    }
}

/// What a file's `#!` line names: `/usr/bin/env NAME` means NAME.
fn first_line_interpreter(file: &Path) -> Option<String> {
    let mut line = Vec::new();
    let mut start = BufReader::new(File::open(file).ok()?.take(FIRST_LINE));
    start.read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    let mut words = line.strip_prefix("#!")?.split_whitespace();
    let program = words.next()?;
    if Path::new(program)
        .file_name()
        .is_some_and(|name| name == "env")
    {
        return words.find(|word| !word.starts_with('-')).map(str::to_owned);
    }
    Some(program.to_owned())
}

/// Finds the first of `names` in `node_modules/.bin` from the script upwards, or on the app's `PATH`.
fn first_of(spec: &AppSpec, names: &[&str], script: &Path) -> Result<PathBuf, Problem> {
    let path = environment::variables(spec, 0, 0)
        .remove("PATH")
        .unwrap_or_default();
    let local = |name: &str| {
        let folders = script.ancestors().skip(1);
        folders
            .map(|folder| folder.join("node_modules/.bin").join(name))
            .find(|file| search::is_executable(file))
    };
    names
        .iter()
        .find_map(|name| local(name).or_else(|| search::on_path(name, &path)))
        .ok_or_else(|| missing(names, script))
}

fn missing(names: &[&str], script: &Path) -> Problem {
    let name = names.first().copied().unwrap_or_default();
    let hint = HINTS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, hint)| (*hint).to_owned());
    Problem {
        field: "interpreter",
        message: format!(
            "the interpreter {} was not found: neither in node_modules/.bin from {} upwards nor on PATH",
            names.join(" or "),
            script.parent().unwrap_or(script).display(),
        ),
        hint: hint.unwrap_or_else(|| format!("install {name}, or set `interpreter` to its path")),
    }
}

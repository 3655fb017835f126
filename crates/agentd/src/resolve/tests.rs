//! Each test has a project in a folder of its own, and nothing on `PATH` but what it put there.

mod account;
mod cwd;
mod env_file;
mod interpreter;
mod launching;
mod question;
mod script;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use eco_config::spec::Interpreter;
use nix::unistd::{Gid, Uid};
use tempfile::TempDir;

use super::*;
use crate::environment::tests::spec;

/// A project in a folder of its own, with nothing on `PATH` but its own `bin`.
struct Project {
    _folder: TempDir,
    root: PathBuf,
}

impl Project {
    /// The tree of the examples: one path from two files, one folder apart.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("it is there");
        let project = Self {
            _folder: folder,
            root,
        };
        project.folder("process-manager/dev/public-api");
        project.file("apps/public-api/src/server.js", "");
        for name in ["node", "bash", "python3"] {
            project.program(&format!("bin/{name}"), "");
        }
        project
    }

    fn folder(&self, path: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(&path).expect("made");
        path
    }

    fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("made");
        fs::write(&path, text).expect("written");
        path
    }

    fn program(&self, path: &str, text: &str) -> PathBuf {
        let path = self.file(path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permitted");
        path
    }

    /// An app that is defined in `folder`; the command was typed at the top.
    fn app(&self, folder: &str, script: &str) -> AppSpec {
        let mut app = spec("dev", "api");
        script.clone_into(&mut app.script);
        app.defined_in = self.root.join(folder);
        app.invoked_in.clone_from(&self.root);
        app.env.insert("PATH".to_owned(), self.path());
        app
    }

    fn path(&self) -> String {
        self.root.join("bin").display().to_string()
    }

    /// The app of `apps/public-api`, defined beside its script.
    fn beside(&self, script: &str) -> AppSpec {
        self.app("apps/public-api", script)
    }

    /// Paths without the folder of this test.
    fn short(&self, text: &str) -> String {
        text.replace(&self.root.display().to_string(), "~")
    }

    fn script(&self, app: &AppSpec) -> String {
        match resolve(app).expect("found").script {
            Script::File(path) => self.short(&path.display().to_string()),
            Script::CommandLine(line) => format!("line: {line}"),
        }
    }

    fn interpreter(&self, app: &AppSpec) -> Option<String> {
        let found = resolve(app).expect("found").interpreter;
        found.map(|path| self.short(&path.display().to_string()))
    }

    /// Every problem, one on a line: its field, message and hint.
    fn problems(&self, app: &AppSpec) -> String {
        let problems = resolve(app).expect_err("a problem");
        let lines: Vec<_> = problems
            .iter()
            .map(|one| self.short(&format!("{}: {} ({})", one.field, one.message, one.hint)))
            .collect();
        lines.join("\n")
    }
}

fn named(app: AppSpec, interpreter: &str) -> AppSpec {
    AppSpec {
        interpreter: Interpreter::Named(interpreter.to_owned()),
        ..app
    }
}

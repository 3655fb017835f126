//! A home, a project and the programs of one test.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{self, Output};
use crate::mark::{self, MARK};
use crate::wait;
use crate::{Follower, Instances, Record, fake_app, kill, program, records, wait_until};

/// What the keeper says before the folder of its cgroups.
const CGROUPS: &str = " groups are in ";

/// One test's own eco. Dropping it ends every process that came from it.
#[derive(Debug)]
pub struct TestEnv {
    folder: TempDir,
    home: PathBuf,
    project: PathBuf,
}

/// The processes of the daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daemons {
    /// eco-agentd.
    pub agent: i32,
    /// eco-keeper.
    pub keeper: i32,
    /// eco-logd.
    pub logd: i32,
}

/// Makes an app of an ecosystem file that does as it is told.
///
/// # Panics
/// When the fake app was not built.
#[must_use]
pub fn app(name: &str, actions: &[&str]) -> Value {
    json!({ "name": name, "script": fake_app(), "args": actions })
}

impl TestEnv {
    /// Makes an empty one.
    ///
    /// # Panics
    /// When no folder can be made.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("eco-")
            .tempdir()
            .expect("a folder can be made");
        let home = folder.path().join("home");
        let project = folder.path().join("project");
        fs::create_dir(&project).expect("a folder can be made");
        Self {
            folder,
            home,
            project,
        }
    }

    /// Makes one with an environment `dev` of these apps, all of them started.
    ///
    /// # Panics
    /// When they do not start.
    #[track_caller]
    #[must_use]
    pub fn started(apps: &Value) -> Self {
        let env = Self::new();
        env.ecosystem("dev", apps);
        drop(env.eco(&["start", "dev"]).ok());
        env
    }

    /// Where eco lives.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The project's root, which commands run in.
    #[must_use]
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// Returns the path of a file of the project, as text.
    ///
    /// # Panics
    /// Never: temporary folders have UTF-8 paths here.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        let path = self.project.join(name);
        path.to_str().expect("the path is UTF-8").to_owned()
    }

    /// Writes a file of the project, and the folders it needs.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.project.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("folders can be made");
        }
        fs::write(path, text).expect("the file can be written");
    }

    /// Writes the ecosystem file of an environment.
    pub fn ecosystem(&self, environment: &str, apps: &Value) {
        self.write(
            &format!("process-manager/{environment}/ecosystem.config.js"),
            &format!("module.exports = {{ apps: {apps} }};\n"),
        );
    }

    /// Makes a command of eco that runs in `folder`.
    #[must_use]
    pub fn command(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program("eco"));
        command
            .args(args)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TZ", "UTC")
            .env("ECO_HOME", &self.home)
            .env(MARK, self.folder.path());
        command
    }

    /// Runs eco in the project's root.
    #[track_caller]
    #[must_use]
    pub fn eco(&self, args: &[&str]) -> Output {
        command::run(self.command(&self.project, args))
    }

    /// Runs eco in a folder of the project, with a text on stdin.
    ///
    /// # Panics
    /// When the text cannot be handed over.
    #[track_caller]
    #[must_use]
    pub fn eco_given(&self, folder: &str, args: &[&str], text: &str) -> Output {
        let mut file = tempfile::tempfile_in(&self.folder).expect("a file can be made");
        file.write_all(text.as_bytes()).expect("it can be written");
        file.rewind().expect("it can be read");
        command::run_given(self.command(&self.project.join(folder), args), file.into())
    }

    /// Runs eco in a folder of the project.
    #[track_caller]
    #[must_use]
    pub fn eco_in(&self, folder: &str, args: &[&str]) -> Output {
        command::run(self.command(&self.project.join(folder), args))
    }

    /// Runs a command to its end.
    #[track_caller]
    #[must_use]
    pub fn run(&self, command: Command) -> Output {
        command::run(command)
    }

    /// Runs eco in the project's root, and goes on while it runs.
    #[must_use]
    pub fn follow(&self, args: &[&str]) -> Follower {
        self.follow_from(Stdio::null(), args)
    }

    /// Runs eco in the project's root with something to read, and goes on while it runs.
    #[must_use]
    pub fn follow_from(&self, stdin: Stdio, args: &[&str]) -> Follower {
        Follower::new(self.command(&self.project, args), stdin)
    }

    /// What `eco list --json` says.
    #[track_caller]
    #[must_use]
    pub fn list(&self) -> Instances {
        Instances::new(self.eco(&["list", "--json"]).ok().json())
    }

    /// What `eco describe --json` says of the only instance of an app.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    #[must_use]
    pub fn describe(&self, name: &str) -> Value {
        let document = self.eco(&["describe", name, "--json"]).ok().json();
        document.get(0).expect("one instance").clone()
    }

    /// All lines of an app, or of `*`.
    #[track_caller]
    #[must_use]
    pub fn logs(&self, selector: &str) -> Vec<Record> {
        let output = self.eco(&["logs", selector, "-n", "all", "--json"]);
        records(&output.ok().stdout)
    }

    /// The daemons that run.
    ///
    /// # Panics
    /// When one does not come.
    #[track_caller]
    #[must_use]
    pub fn daemons(&self) -> Daemons {
        let mut found = None;
        wait_until("all daemons run", || {
            let output = self.eco(&["ping", "--json"]);
            if output.code != 0 {
                return false;
            }
            let answer = output.json();
            let pid = |name: &str| Some(i32::try_from(answer.get(name)?.as_i64()?).expect("a pid"));
            found = (|| {
                Some(Daemons {
                    agent: pid("pid")?,
                    keeper: pid("keeper_pid")?,
                    logd: pid("logd_pid")?,
                })
            })();
            found.is_some()
        });
        found.expect("it was waited for")
    }

    /// The living processes that came from this test, and their names.
    #[must_use]
    pub fn processes(&self) -> BTreeSet<(i32, String)> {
        mark::marked(&self.folder.path().to_string_lossy())
    }

    /// Kills everything at once, as a loss of power does.
    pub fn pull_the_plug(&self) {
        mark::kill_marked(&self.folder.path().to_string_lossy());
    }

    /// Kills a process, and waits until it is gone.
    pub fn slay(&self, pid: i32) {
        kill(pid, crate::Signal::SIGKILL);
        wait_until("the killed process is gone", || !crate::is_alive(pid));
    }
}

impl TestEnv {
    /// A killed keeper leaves the cgroups of its runs to the next one, which does not come any more.
    fn remove_cgroups(&self) {
        let log = fs::read_to_string(self.home.join("log/keeper.log")).unwrap_or_default();
        let folders: BTreeSet<&str> = log
            .lines()
            .filter_map(|line| Some(line.split_once(CGROUPS)?.1))
            .collect();
        for folder in folders {
            // Whoever was just killed is in one until the kernel has done with it.
            wait::comes(|| {
                let runs = fs::read_dir(folder).into_iter().flatten().flatten();
                // What is no folder is the kernel's, and goes with what it is in.
                runs.for_each(|run| drop(fs::remove_dir(run.path())));
                drop(fs::remove_dir(folder));
                !Path::new(folder).exists()
            });
        }
    }
}

impl Default for TestEnv {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestEnv {
    #[expect(
        clippy::print_stderr,
        reason = "the test runner shows it with the failure"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["agentd.log", "keeper.log", "logd.log"] {
                let text = fs::read_to_string(self.home.join("log").join(name));
                eprintln!("-- {name}\n{}", text.unwrap_or_default());
            }
        }
        self.pull_the_plug();
        self.remove_cgroups();
    }
}

//! From what a specification says to what can be run on this host.
//!
//! Paths in a specification are as somebody wrote them, maybe on another host; here they meet this host's files. All
//! problems of an app are found at once. It is done when an app is applied, so that the person hears of it, and again
//! before every spawn, since interpreters come and go while apps live.

mod account;
mod env_file;
mod interpreter;
mod log_files;
mod pid_file;
mod question;
mod script;
mod search;
mod speech;
mod watched;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use eco_config::spec::{AppSpec, Keeping, Limits, Overflow};
use nix::unistd::Uid;

use crate::environment;
use crate::limits::Owner;

pub use account::Account;
pub use log_files::{LogFile, Naming, log_files};
pub use pid_file::{all_pid_files, pid_file};
pub use question::{Peer, Place, Question, QuestionError, without_query};
pub use script::Script;
pub(crate) use search::clean;
pub use speech::{Channel, Notices};
pub use watched::{Root, Watched, watched};

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field of the specification.
    pub field: &'static str,
    /// A full message without a full stop.
    pub message: String,
    /// One step that mends it; may be empty.
    pub hint: String,
}

/// What a specification means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The specification, with the variables of its files among its own: not to be kept, nor shown.
    pub filled: Box<AppSpec>,
    /// What a person should know, each a full sentence.
    pub notes: Vec<String>,
    /// What is run.
    pub script: Script,
    /// Where.
    pub cwd: PathBuf,
    /// By what; `None`: it runs itself.
    pub interpreter: Option<PathBuf>,
    /// As whom; `None`: as the agent's user.
    pub account: Option<Account>,
}

/// All that the keeper needs for one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// All arguments, the program's name first.
    pub arguments: Vec<String>,
    /// NAME=VALUE.
    pub environment: Vec<String>,
    /// The working directory.
    pub cwd: PathBuf,
    /// As whom.
    pub account: Option<Account>,
    /// Whether it can be spoken to.
    pub channel: Channel,
    /// Whether it can send notices.
    pub notices: Notices,
    /// What it may use.
    pub limits: Limits,
    /// Whether what it writes is kept.
    pub keeping: Keeping,
    /// What becomes of it when the disk is full.
    pub overflow: Overflow,
}

impl Resolved {
    /// All variables of one instance, those of its files and of its account among them.
    #[must_use]
    pub fn variables(&self, instance: u32, run: u64) -> BTreeMap<String, String> {
        variables(&self.filled, self.account.as_ref(), instance, run)
    }

    /// The port of its own that an instance is told to listen on.
    #[must_use]
    pub fn port(&self, instance: u32) -> Option<u16> {
        environment::expected_port(&self.filled, instance)
    }

    /// Whose processes a run's are.
    #[must_use]
    pub fn owner(&self) -> Owner {
        let uid = self.account.as_ref().map(|account| account.uid);
        match uid.unwrap_or_else(|| Uid::effective().as_raw()) {
            0 => Owner::Root,
            _ => Owner::Other,
        }
    }
}

/// Finds script, interpreter, folder and account of `spec` on this host.
pub fn resolve(spec: &AppSpec) -> Result<Resolved, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut keep = |problem| problems.push(problem);
    let cwd = search::cwd(spec).map_err(&mut keep).ok();
    let account = account::find(spec).map_err(&mut keep).ok();
    let filled = env_file::fill(spec, cwd.as_deref());
    let filled = filled.map_err(|all| all.into_iter().for_each(&mut keep));
    let spec = filled.as_ref().map_or(spec, |filled| &filled.spec);
    let script = script::find(spec, cwd.as_deref()).map_err(&mut keep).ok();
    let interpreter = script.as_ref().and_then(|script| {
        interpreter::find(spec, script, cwd.as_deref())
            .map_err(&mut keep)
            .ok()
    });
    let variables = variables(spec, account.as_ref().and_then(Option::as_ref), 0, 1);
    problems.extend(question::problems(spec, &variables));
    match (filled, cwd, account, script, interpreter) {
        (Ok(filled), Some(cwd), Some(account), Some(script), Some(interpreter))
            if problems.is_empty() =>
        {
            Ok(Resolved {
                filled: Box::new(filled.spec),
                notes: filled.notes,
                script,
                cwd,
                interpreter,
                account,
            })
        }
        _ => Err(problems),
    }
}

/// Finds out where the runs of `spec` live on this host, and as whom; `None`: as the agent's user.
pub fn scene(spec: &AppSpec) -> Result<(PathBuf, Option<Account>), Problem> {
    Ok((search::cwd(spec)?, account::find(spec)?))
}

/// All variables of one instance, those of its account among them.
fn variables(
    spec: &AppSpec,
    account: Option<&Account>,
    instance: u32,
    run: u64,
) -> BTreeMap<String, String> {
    let mut variables = environment::variables(spec, instance, run);
    if let Some(account) = account {
        // What the app was given by name wins.
        let given = |name: &String| spec.env.contains_key(name);
        variables.extend(account.variables().filter(|(name, _)| !given(name)));
    }
    variables
}

/// Puts together what instance `instance` is run with.
#[must_use]
pub fn launch(resolved: &Resolved, instance: u32, run: u64) -> Launch {
    let spec = resolved.filled.as_ref();
    let mut arguments = Vec::new();
    let program = match (&resolved.interpreter, &resolved.script) {
        (Some(interpreter), Script::File(path)) => {
            arguments.push(interpreter.display().to_string());
            arguments.extend(spec.interpreter_arguments.clone());
            arguments.push(path.display().to_string());
            interpreter.clone()
        }
        (Some(shell), Script::CommandLine(line)) => {
            arguments.extend([shell.display().to_string(), "-c".to_owned(), line.clone()]);
            // The shell's $0, so that the arguments begin at $1.
            arguments.push(spec.name.to_string());
            shell.clone()
        }
        (None, Script::File(path)) => {
            arguments.push(path.display().to_string());
            path.clone()
        }
        (None, Script::CommandLine(line)) => {
            arguments.push(line.clone());
            PathBuf::from(line)
        }
    };
    arguments.extend(spec.arguments.clone());
    let environment = resolved
        .variables(instance, run)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Launch {
        program,
        arguments,
        environment,
        cwd: resolved.cwd.clone(),
        account: resolved.account.clone(),
        channel: speech::channel(spec, resolved.interpreter.as_deref()),
        notices: speech::notices(spec),
        limits: spec.limits,
        keeping: spec.logs.keeping,
        overflow: spec.logs.overflow,
    }
}

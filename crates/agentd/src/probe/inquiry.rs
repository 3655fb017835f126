//! What a run is asked, with the variables that it was given.
//!
//! Its files of variables, its script and its folder may say something else by now, or be gone: that is for the next run. So
//! the run's first process is looked at, and only where that does not tell are they found again as for a spawn.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eco_config::spec::{AppSpec, Check, Probe};
use regex::bytes::Regex;

use super::exec::Scene;
use super::matter::Matter;
use crate::environment;
use crate::fleet::RunKey;
use crate::os::process;
use crate::resolve::{self, Account, Peer, Problem, Question, QuestionError};

/// A question, and by which means it is asked.
#[derive(Debug)]
pub(super) struct Inquiry {
    /// What is asked for, as a fragment.
    pub(super) asks: String,
    pub(super) means: Means,
}

/// How an answer is had.
#[derive(Debug)]
pub(super) enum Means {
    /// By a program.
    Program(Vec<String>, Box<Scene>),
    /// By a connection.
    Peer(Peer),
    /// By reading.
    Line(Regex),
    /// By what the run says.
    Notices,
    /// By looking whether it writes.
    Output,
}

/// Finds out what `key` is to be asked. Reads files and accounts, which may take its time.
///
/// # Errors
/// Why it cannot be asked now: a message for people.
pub(super) fn inquiry(key: &RunKey, matter: &Matter) -> Result<Inquiry, String> {
    let given = given(key, matter)?;
    let question = Question::new(&matter.probe.check, &given)
        .map_err(|error: QuestionError| error.to_string())?;
    let asks = question.to_string();
    let means = match question {
        Question::Exec(words) => Means::Program(words, Box::new(scene(&matter.spec, given)?)),
        Question::Peer(peer) => Means::Peer(peer),
        Question::Line(pattern) => Means::Line(pattern),
        Question::Notify => Means::Notices,
        Question::Output => Means::Output,
    };
    Ok(Inquiry { asks, means })
}

fn scene(spec: &AppSpec, given: BTreeMap<String, String>) -> Result<Scene, String> {
    let (cwd, account): (PathBuf, Option<Account>) =
        resolve::scene(spec).map_err(|problem| cannot_be(vec![problem]))?;
    Ok(Scene {
        cwd,
        variables: environment::for_a_guest(given),
        account,
    })
}

/// The run's variables; none, where the question has none in it.
fn given(key: &RunKey, matter: &Matter) -> Result<BTreeMap<String, String>, String> {
    if !has_variables(&matter.probe) {
        return Ok(BTreeMap::new());
    }
    let (instance, run) = (key.slot.instance, key.run);
    let shown = process::environment(matter.pid);
    let given = shown.and_then(|shown| environment::given(&shown, &matter.spec, (instance, run)));
    if let Some(given) = given {
        return Ok(given);
    }
    let resolved = resolve::resolve(&matter.spec).map_err(cannot_be)?;
    Ok(resolved.variables(instance, run))
}

const fn has_variables(probe: &Probe) -> bool {
    match probe.check {
        Check::Exec(_) | Check::Tcp(_) | Check::Http { .. } => true,
        Check::Log(_) | Check::Notify | Check::Output => false,
    }
}

fn cannot_be(problems: Vec<Problem>) -> String {
    let messages: Vec<_> = problems
        .into_iter()
        .map(|problem| problem.message)
        .collect();
    format!("cannot be asked: {}", messages.join("; "))
}

#[cfg(test)]
pub(super) mod tests {
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::matter::Purpose;
    use super::*;
    use crate::environment::tests::spec;
    use crate::fleet::AppKey;

    const MS: Duration = Duration::from_millis(1);
    /// A number that no process has.
    pub(in crate::probe) const NOBODY: i32 = i32::MAX;

    /// `dev/api`, whose script is not there, and `PORT` is 4000 now.
    fn api() -> AppSpec {
        let mut spec = spec("dev", "api");
        spec.env.insert("PORT".to_owned(), "4000".to_owned());
        spec
    }

    pub(in crate::probe) fn matter(spec: AppSpec, pid: i32, check: Check) -> (RunKey, Matter) {
        let probe = Probe {
            check,
            interval: MS,
            timeout: MS,
            start_period: MS,
            successes: 1,
            failures: 1,
        };
        let matter = Matter {
            purpose: Purpose::Liveness,
            probe,
            pid,
            since: MS,
            spec: Arc::new(spec),
        };
        (AppKey::of(&matter.spec).slot(0).run(7), matter)
    }

    /// Run 7 of `dev/api`, which was given 3000. Ends when it is waited for, or dropped.
    fn given_3000() -> Child {
        let mut then = environment::variables(&api(), 0, 7);
        then.insert("PORT".to_owned(), "3000".to_owned());
        then.insert("NOTIFY_SOCKET".to_owned(), "/its/own".to_owned());
        Command::new("cat")
            .env_clear()
            .envs(then)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a process")
    }

    fn pid(child: &Child) -> i32 {
        i32::try_from(child.id()).expect("a pid")
    }

    #[test]
    fn a_run_is_asked_with_what_it_was_given_and_not_with_what_the_next_one_would_be() {
        let mut child = given_3000();
        let check = Check::Tcp("127.0.0.1:${PORT}".to_owned());
        let (key, matter) = matter(api(), pid(&child), check);
        let inquiry = inquiry(&key, &matter).expect("nothing has to be found for it");
        assert_eq!(inquiry.asks, "127.0.0.1:3000");
        child.wait().expect("it ends");
    }

    #[test]
    fn a_program_asks_with_what_the_run_was_given_and_is_none_of_its_processes() {
        let mut child = given_3000();
        let mut api = api();
        api.cwd = Some(PathBuf::from("/"));
        let check = Check::Exec(vec!["check".to_owned(), "${PORT}".to_owned()]);
        let (key, matter) = matter(api, pid(&child), check);
        let inquiry = inquiry(&key, &matter).expect("its folder is there");
        let Means::Program(words, scene) = inquiry.means else {
            panic!("{inquiry:?}")
        };
        assert_eq!(words, ["check", "3000"]);
        assert_eq!(
            scene.variables.get("PORT").map(String::as_str),
            Some("3000")
        );
        assert!(!scene.variables.contains_key("NOTIFY_SOCKET"));
        child.wait().expect("it ends");
    }

    #[test]
    fn what_has_no_variables_in_it_is_asked_whatever_can_be_found() {
        let (key, silence) = matter(api(), NOBODY, Check::Output);
        let inquired = inquiry(&key, &silence).expect("nothing has to be found for it");
        assert!(matches!(inquired.means, Means::Output));
        let (key, tcp) = matter(api(), NOBODY, Check::Tcp("127.0.0.1:1".to_owned()));
        let why = inquiry(&key, &tcp).expect_err("its script is not there");
        assert!(why.starts_with("cannot be asked: "), "{why}");
    }
}

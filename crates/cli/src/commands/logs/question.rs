//! Which lines are asked for: the options that `eco logs`, its `--stats` and its `export` have in common.

use eco_proto::log::v1::{Condition, Level, Match, QueryRequest, Stream};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::conditions;
use super::times::When;
use crate::commands::session::Session;
use crate::commands::sources::{Sources, of_run, sources};
use crate::error::CliError;
use crate::run::Run;

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Question {
    /// Selector, config file, folder or environment (default: everything)
    #[arg(value_name = "SELECTOR")]
    pub(crate) selectors: Vec<String>,
    /// Only from this time on: 14:02, '2026-11-26 14:02', 10m, '1 hour ago', today, RFC 3339, @UNIX-SECONDS
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = When::parse)]
    pub(crate) since: Option<When>,
    /// Only before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = When::parse)]
    pub(crate) until: Option<When>,
    /// Only records in which this regex is found; given several times, all of them
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true, value_parser = conditions::pattern)]
    pub(crate) grep: Vec<String>,
    /// Only records in which this regex is not found; given several times, none of them
    #[arg(short = 'v', long, value_name = "REGEX", allow_hyphen_values = true, value_parser = conditions::pattern)]
    pub(crate) exclude: Vec<String>,
    /// Take upper and lower case for the same in --grep, --exclude and --highlight
    #[arg(short, long)]
    pub(crate) ignore_case: bool,
    /// Only records at least as grave: trace, debug, info, warn, error, fatal
    #[arg(long, value_name = "LEVEL", value_parser = conditions::level)]
    pub(crate) level: Option<Level>,
    /// Only JSON records whose field is so: 'status>=500', 'req.method=POST', 'msg~timed? out', 'err'; given several times, all
    #[arg(long = "where", value_name = "CONDITION", value_parser = conditions::condition)]
    pub(crate) conditions: Vec<Condition>,
    /// Only stdout
    #[arg(long, conflicts_with = "err")]
    pub(crate) out: bool,
    /// Only stderr
    #[arg(long)]
    pub(crate) err: bool,
    /// Only this run of each instance: its number, or -1 for the last one, -2 for the one before it
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) run: Option<Run>,
}

/// What tells one question from another, whenever it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) environment: Option<String>,
    pub(crate) selectors: Vec<String>,
    pub(crate) conditions: Vec<String>,
}

impl Question {
    /// The sources that are meant, of the chosen run only where one is chosen.
    pub(crate) async fn sources(&self, session: &mut Session<'_>) -> Result<Sources, CliError> {
        let mut agent = session.agent().await?;
        let words = words(&self.selectors, session);
        // From here on only the log daemon is needed: the agent may come and go.
        let Sources { matches, known } = sources(session, &mut agent, &words).await?;
        let matches = match self.run {
            Some(run) => of_run(session, matches, run).await?,
            None => matches,
        };
        Ok(Sources { matches, known })
    }

    /// The words that choose apps, as the agent reads them.
    pub(crate) fn words(&self, session: &Session<'_>) -> Vec<String> {
        words(&self.selectors, session)
    }

    /// What the log daemon is asked, at the time `now`: all lines of the range, and nothing that comes later.
    pub(crate) fn request(
        &self,
        matches: Vec<Match>,
        now: &Zoned,
    ) -> Result<QueryRequest, CliError> {
        let since = self.since.map(|when| when.moment(now)).transpose();
        let since = since.map_err(|why| no_moment("--since", why))?;
        let until = self.until.map(|when| when.moment_after(since, now));
        let until = until.transpose().map_err(|why| no_moment("--until", why))?;
        if let (Some(since), Some(until)) = (since, until)
            && until <= since
        {
            let shown = |time: Timestamp| time.to_zoned(now.time_zone().clone());
            return Err(CliError::user("read the log").because(format!(
                "the range ends before it begins: --since is {}, and --until is {}",
                shown(since).strftime("%Y-%m-%d %H:%M:%S"),
                shown(until).strftime("%Y-%m-%d %H:%M:%S"),
            )));
        }
        Ok(QueryRequest {
            matches,
            streams: self.streams(),
            since_ns: since.map(nanos),
            until_ns: until.map(nanos),
            grep: self.patterns(&self.grep),
            exclude: self.patterns(&self.exclude),
            level: self.level.unwrap_or(Level::Unspecified).into(),
            r#where: self.conditions.clone(),
            ..QueryRequest::default()
        })
    }

    /// What makes it this question and no other; times are left out, since they move.
    pub(crate) fn fingerprint(&self, environment: Option<&str>) -> Fingerprint {
        let told = |name: &'static str| move |value: &String| format!("{name} {value}");
        let grep = self.patterns(&self.grep);
        let exclude = self.patterns(&self.exclude);
        let mut conditions: Vec<String> = grep.iter().map(told("grep")).collect();
        conditions.extend(exclude.iter().map(told("exclude")));
        conditions.extend(self.level.map(|level| format!("level {level:?}")));
        let field = |one: &Condition| {
            let sign = one.comparison();
            format!("where {:?} {sign:?} {:?}", one.path, one.value)
        };
        conditions.extend(self.conditions.iter().map(field));
        conditions.extend(self.run.map(|run| format!("run {run}")));
        conditions.extend(self.out.then(|| "out".to_owned()));
        conditions.extend(self.err.then(|| "err".to_owned()));
        Fingerprint {
            environment: environment.map(str::to_owned),
            selectors: self.selectors.clone(),
            conditions,
        }
    }

    fn streams(&self) -> Vec<i32> {
        let out = self.out.then(|| Stream::Out.into());
        out.into_iter()
            .chain(self.err.then(|| Stream::Err.into()))
            .collect()
    }

    fn patterns(&self, patterns: &[String]) -> Vec<String> {
        let flag = if self.ignore_case { "(?i)" } else { "" };
        patterns
            .iter()
            .map(|pattern| format!("{flag}{pattern}"))
            .collect()
    }
}

/// An app that is called like a verb of `eco logs` can be written with a dot before it, as a file can.
fn words(words: &[String], session: &Session<'_>) -> Vec<String> {
    let folder = &session.surroundings.working_directory;
    let word = |word: &String| match word.strip_prefix("./") {
        Some(name) if !name.contains('/') && !folder.join(name).exists() => name.to_owned(),
        Some(_) | None => word.clone(),
    };
    words.iter().map(word).collect()
}

/// Unix ns; what lies before 1970 is its beginning.
fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or(0)
}

fn no_moment(option: &str, why: jiff::Error) -> CliError {
    CliError::user(format!("understand {option}")).because(why)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        question: Question,
    }

    fn question(words: &[&str]) -> Question {
        let line = std::iter::once("x").chain(words.iter().copied());
        Line::try_parse_from(line).expect("understood").question
    }

    fn asked(words: &[&str]) -> Result<QueryRequest, CliError> {
        let now: Zoned = "2026-11-26T10:30:00+00:00[UTC]".parse().expect("a time");
        question(words).request(Vec::new(), &now)
    }

    #[test]
    fn each_option_is_passed_on_as_the_contract_wants_it() {
        let request = asked(&[
            "--grep",
            "a",
            "--grep=-b",
            "-v",
            "c",
            "--level",
            "warn",
            "--where",
            "x>1",
            "--where",
            "y",
            "--err",
            "--since",
            "10:00",
            "--until",
            "10:10",
        ]);
        let request = request.expect("a request");
        assert_eq!(request.grep, ["a", "-b"]);
        assert_eq!(request.exclude, ["c"]);
        assert_eq!(request.level(), Level::Warn);
        assert_eq!(request.r#where.len(), 2);
        assert_eq!(request.streams, [i32::from(Stream::Err)]);
        assert_eq!(
            (request.since_ns, request.until_ns),
            (
                Some(1_795_687_200_000_000_000),
                Some(1_795_687_800_000_000_000)
            )
        );
        assert!(!request.follow && !request.recognise && request.last.is_none());
    }

    #[test]
    fn case_is_ignored_by_a_flag_of_the_pattern() {
        let request = asked(&["-i", "--grep", "a", "--exclude", "b"]).expect("a request");
        assert_eq!(
            (request.grep, request.exclude),
            (vec!["(?i)a".to_owned()], vec!["(?i)b".to_owned()])
        );
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let refused = asked(&["--since", "10m", "--until", "20m"]).expect_err("no range");
        assert!(
            crate::error::chain(&refused).contains("--since is 2026-11-26 10:20:00"),
            "{refused:?}"
        );
    }

    #[test]
    fn a_question_is_the_same_whenever_it_is_asked_and_another_one_is_not() {
        let print = |words: &[&str]| question(words).fingerprint(None);
        assert_eq!(
            print(&["a", "--since", "10m"]),
            print(&["a", "--since", "20m"])
        );
        for other in [
            &["b"][..],
            &["a", "--grep", "x"],
            &["a", "--out"],
            &["a", "--run", "-1"],
        ] {
            assert_ne!(print(&["a"]), print(other));
        }
    }
}

//! Why an instance is as it is, run by run.
//!
//! ```text
//! dev/api#0: online, restarted at once
//!   run 4, pid 812, up 3.0s
//!     began  2026-05-01 14:02:11.250  killed by SIGKILL; restarted at once (itself)
//!   run 3, lived 2m 10s
//!     began  2026-05-01 14:00:01.240  started by ann
//!     ended  2026-05-01 14:02:11.249  killed by SIGKILL; restarted at once (itself)
//!       14:02:11.201 api | the last line
//! ```

use jiff::tz::TimeZone;

use super::line::Sheet;
use super::moment::known_or_not;
use super::quantity::duration;
use super::style::{bold, dim, of_status, paint};
use crate::view::why::{Began, Ended, History, Run};

/// Makes the block of an instance, with a newline at its end.
pub(crate) fn block(history: &History, zone: &TimeZone) -> String {
    let name = format!("{}/{}#{}", history.env, history.name, history.instance);
    let status = paint(of_status(history.status), history.status);
    let mut block = match &history.cause {
        Some(cause) => format!("{}: {status}, {cause}\n", bold(&name)),
        None => format!("{}: {status}\n", bold(&name)),
    };
    if history.runs.is_empty() {
        block.push_str("  it never ran\n");
    }
    for run in &history.runs {
        block.push_str(&run_block(run, zone));
    }
    block
}

fn run_block(run: &Run, zone: &TimeZone) -> String {
    let pid = run
        .pid
        .map(|pid| format!(", pid {pid}"))
        .unwrap_or_default();
    let life = match (&run.ended, run.lived_ms) {
        (None, Some(ms)) => format!(", up {}", duration(ms)),
        (Some(_), Some(ms)) => format!(", lived {}", duration(ms)),
        (_, None) => String::new(),
    };
    let mut block = format!("  run {}{pid}{life}\n", run.number);
    if let Some(began) = &run.began {
        block.push_str(&fact("began", began.at.as_deref(), &of_began(began), zone));
    }
    if let Some(ended) = &run.ended {
        block.push_str(&fact("ended", ended.at.as_deref(), &of_ended(ended), zone));
    }
    match &run.last_lines {
        None => block.push_str("      its last lines cannot be read\n"),
        Some(lines) => {
            let mut sheet = Sheet::plain(zone);
            for line in lines {
                let origin = &line.log.origin;
                sheet
                    .labels
                    .add(&origin.environment, &origin.app, origin.instance);
                block.push_str("      ");
                sheet.line(&line.log, &mut block);
            }
        }
    }
    block
}

fn fact(name: &str, at: Option<&str>, told: &str, zone: &TimeZone) -> String {
    let at = known_or_not(at, zone);
    format!("    {}  {}  {told}\n", dim(name), dim(&at))
}

fn of_began(began: &Began) -> String {
    with_doer(&began.cause, began.by.as_deref())
}

fn of_ended(ended: &Ended) -> String {
    with_doer(&ended.cause, ended.by.as_deref())
}

/// The cause, and whose doing it is where the cause does not say so.
fn with_doer(cause: &str, by: Option<&str>) -> String {
    match by {
        Some(by) if !cause.contains(by) => format!("{cause} ({by})"),
        Some(_) | None => cause.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1::by::Who;
    use eco_proto::agent::v1::exit::How;
    use eco_proto::agent::v1::{Beginning, By, Description, Exit, Instance, Status};

    use super::*;
    use crate::view::line::{LogLine, Origin};
    use crate::view::why::{history, line};

    fn by(who: Who, person: &str) -> Option<By> {
        Some(By {
            who: who.into(),
            person: person.to_owned(),
        })
    }

    fn crashed() -> Description {
        let instance = Instance {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
            status: Status::Online.into(),
            pid: Some(812),
            run: 4,
            uptime_ms: Some(3000),
            cause: "killed by SIGKILL; restarted at once".to_owned(),
            by: by(Who::Itself, ""),
            ..Instance::default()
        };
        let exit = Exit {
            run: 3,
            how: Some(How::Signal(9)),
            at_ns: 1_700_000_130_000_000_000,
            lived_ms: 130_000,
            cause: "killed by SIGKILL; restarted at once".to_owned(),
            by: by(Who::Itself, ""),
            began: Some(Beginning {
                cause: "started by ann".to_owned(),
                by: by(Who::Person, "ann"),
                at_ns: 1_700_000_000_000_000_000,
            }),
            ..Exit::default()
        };
        Description {
            instance: Some(instance),
            exits: vec![exit],
            ..Description::default()
        }
    }

    #[test]
    fn each_run_tells_why_it_began_and_ended_and_what_it_wrote_last() {
        let mut told = history(crashed(), 5);
        let log = LogLine {
            origin: Origin {
                host: "box".to_owned(),
                environment: "dev".to_owned(),
                app: "api".to_owned(),
                instance: 0,
                run: 3,
                stream: 1,
            }
            .into(),
            offset: 0,
            time_ns: 1_700_000_129_000_000_000,
            text: b"the last line".to_vec(),
            continues: false,
            level: None,
            joined: false,
        };
        if let Some(run) = told.runs.get_mut(1) {
            run.last_lines = Some(vec![line(log)]);
        }
        let text = anstream::adapter::strip_str(&block(&told, &TimeZone::UTC)).to_string();
        insta::assert_snapshot!(text, @r"
        dev/api#0: online, killed by SIGKILL; restarted at once
          run 4, pid 812, up 3.0s
          run 3, lived 2m 10s
            began  2023-11-14 22:13:20.000  started by ann
            ended  2023-11-14 22:15:30.000  killed by SIGKILL; restarted at once (itself)
              22:15:29.000 api | the last line
        ");
    }

    #[test]
    fn no_more_runs_are_shown_than_were_asked_for() {
        assert_eq!(history(crashed(), 1).runs.len(), 1);
        assert!(history(crashed(), 1).runs.iter().all(|run| run.number == 4));
    }

    #[test]
    fn an_instance_that_never_ran_says_so() {
        let description = Description {
            instance: Some(Instance::default()),
            ..Description::default()
        };
        let text = block(&history(description, 5), &TimeZone::UTC);
        assert!(text.contains("it never ran"), "{text}");
    }
}

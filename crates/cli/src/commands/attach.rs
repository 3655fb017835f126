//! `eco attach`
//!
//! ```text
//!   log daemon ──lines──▶ stdout          begun first: what an app answers must not be missed
//!   stdin ──▶ agent ──▶ the app           begun when the lines are followed
//! ```

use std::time::Duration;

use eco_proto::agent::v1::{Instance, Spoken};
use eco_proto::log::v1::QueryRequest;
use tokio::sync::{mpsc, watch};

use super::selection::selection;
use super::session::Session;
use super::spoken::Form;
use crate::client::{Reader, Told, read};
use crate::error::CliError;
use crate::keyboard::{self, Keyboard, Origin, Typed};
use crate::number;
use crate::render::json;
use crate::render::transcript::Transcript;
use crate::selector;
use crate::ui::Ui;

/// How long the agent may take to start the log daemon.
const PATIENCE: Duration = Duration::from_secs(10);

/// Type to an app, and see what it writes
///
/// Lines go to its standard input as they are entered; both of its outputs are shown as they come, also what is there of a
/// line. Ctrl-C, Ctrl-] or Ctrl-D detaches and leaves the app as it is: it sees nothing of it, and no end of its input. When something is
/// piped in, all of it is written, and the command ends when the app has then been silent for --settle.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco attach dev/repl\n  \
    eco attach 3 -n 20                      with its last lines\n  \
    echo 'status()' | eco attach dev/repl --settle 2")]
pub(crate) struct Args {
    /// Selector of one instance: an id, or the name of an app with one instance
    #[arg(value_name = "SELECTOR")]
    selector: String,
    /// Lines of the past to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 0, value_parser = number::count::<u64>)]
    lines: u64,
    /// With a pipe: end when nothing was written for this many seconds after all of it went in
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    settle: f64,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    if (0.0..=3600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("expected a number of seconds from 0 to 3600".to_owned())
    }
}

/// How an attachment ended.
enum Parting {
    /// Whoever typed went away.
    Detached,
    /// All that was piped in went in.
    Done,
    /// The agent says so.
    Told(Spoken),
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &[args.selector]).await?;
    let one = only(agent.list(selection).await?.instances)?;
    let label = format!("{}/{}#{}", one.environment, one.name, one.instance);
    let request = QueryRequest {
        matches: vec![selector::instance(
            &one.environment,
            &one.name,
            one.instance,
        )],
        last: Some(args.lines),
        follow: true,
        begun: !args.json,
        ..QueryRequest::default()
    };
    let mut keyboard = keyboard::read();
    if keyboard.origin == Origin::Terminal {
        session.ui.status(&format!(
            "Attached to {label}. Ctrl-C or Ctrl-] detaches, and leaves it as it is."
        ));
    }
    let (shown, mut seen) = watch::channel(0);
    let mut printer = Printer {
        ui: &mut *session.ui,
        form: Form::of_flag(args.json),
        transcript: Transcript::default(),
        shown,
    };
    let selection = session_selection(&one);
    let settle = Duration::from_secs_f64(args.settle);
    let reading = read(&session.home, request, PATIENCE, &mut printer);
    let typing = async {
        // An answer could be missed before the lines are followed.
        drop(seen.wait_for(|count| *count > 0).await);
        let parting = pass_on(&mut agent, selection, &mut keyboard).await?;
        match &parting {
            Parting::Done | Parting::Told(_) => quiet(&mut seen, settle).await,
            Parting::Detached => {}
        }
        Ok::<Parting, CliError>(parting)
    };
    let parting = tokio::select! {
        ended = reading => return ended,
        parting = typing => parting?,
        // The app is not meant by it.
        _ = tokio::signal::ctrl_c() => Parting::Detached,
    };
    let origin = keyboard.origin;
    // The terminal is as it was before anything else is said.
    drop(keyboard);
    let is_within_a_line = printer.transcript.is_within_a_line();
    if origin == Origin::Terminal && is_within_a_line {
        session.ui.data("\n")?;
    }
    part(session, &label, origin, parting)
}

/// One instance, as the agent can be asked for it again.
fn session_selection(one: &Instance) -> eco_proto::agent::v1::Selection {
    eco_proto::agent::v1::Selection {
        selectors: vec![one.id.to_string()],
        every_environment: true,
        ..eco_proto::agent::v1::Selection::default()
    }
}

/// The one instance that is meant.
fn only(instances: Vec<Instance>) -> Result<Instance, CliError> {
    let names: Vec<String> = instances
        .iter()
        .map(|one| {
            format!(
                "{}/{}#{}  id {}",
                one.environment, one.name, one.instance, one.id
            )
        })
        .collect();
    let mut instances = instances.into_iter();
    match (instances.next(), instances.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(CliError::user("attach to several instances at a time")
            .detailed(names)
            .hinted("name one by its id")),
        (None, _) => Err(CliError::user("attach to an app").because("nothing is selected")),
    }
}

/// Passes what is typed on until somebody has enough.
async fn pass_on(
    agent: &mut crate::client::Agent,
    selection: eco_proto::agent::v1::Selection,
    keyboard: &mut Keyboard,
) -> Result<Parting, CliError> {
    let (tell, typed) = mpsc::channel(8);
    let attached = agent.attach(selection, typed);
    tokio::pin!(attached);
    loop {
        tokio::select! {
            told = &mut attached => return told.map(Parting::Told),
            next = keyboard.typed.recv() => match next {
                // Room is there as soon as the agent has taken what was typed before.
                Some(Typed::Bytes(bytes)) => {
                    let told = tokio::select! {
                        told = &mut attached => Some(told),
                        _ = tell.send(bytes) => None,
                    };
                    if let Some(told) = told {
                        return told.map(Parting::Told);
                    }
                }
                Some(Typed::Detach) => return Ok(Parting::Detached),
                Some(Typed::End) | None => {
                    drop(tell);
                    let told = attached.await?;
                    return Ok(if told.problem.is_empty() {
                        Parting::Done
                    } else {
                        Parting::Told(told)
                    });
                }
            },
        }
    }
}

/// Waits until nothing was shown for a while.
async fn quiet(seen: &mut watch::Receiver<u64>, settle: Duration) {
    seen.mark_unchanged();
    while let Ok(Ok(())) = tokio::time::timeout(settle, seen.changed()).await {}
}

fn part(
    session: &mut Session<'_>,
    label: &str,
    origin: Origin,
    parting: Parting,
) -> Result<(), CliError> {
    session.ui.flush()?;
    match parting {
        Parting::Detached => {
            session.ui.status(&format!("Detached from {label}."));
            Ok(())
        }
        Parting::Done => Ok(()),
        // Whoever sits there has seen it, and may have asked for it.
        Parting::Told(told) if told.ended && origin == Origin::Terminal => {
            session.ui.status(&format!("{label} has ended."));
            Ok(())
        }
        Parting::Told(told) => {
            let error = CliError::user(format!("go on writing to {label}")).because(told.problem);
            Err(if told.hint.is_empty() {
                error
            } else {
                error.hinted(told.hint)
            })
        }
    }
}

struct Printer<'a> {
    ui: &'a mut Ui,
    form: Form,
    transcript: Transcript,
    /// Counts what was shown; above 0 when the lines are followed.
    shown: watch::Sender<u64>,
}

impl Reader for Printer<'_> {
    fn take(&mut self, told: Told) -> Result<(), CliError> {
        match (told, self.form) {
            (Told::Source(_), _) => {}
            (Told::Line(line), Form::Json) => self.ui.data(&json::line(&line))?,
            (Told::Line(line), Form::Text) => {
                self.ui.data(&self.transcript.line(&line))?;
            }
            (Told::Begun(_), Form::Json) => {}
            (Told::Begun(begun), Form::Text) => {
                self.ui.data(&self.transcript.begun(&begun))?;
            }
            (Told::Gap(gap), Form::Json) => self.ui.data(&json::gap(&gap))?,
            (Told::Gap(gap), Form::Text) => {
                let text = format!("{} bytes that it wrote are gone.", gap.bytes);
                self.ui.status(&text);
            }
            (Told::Pause, _) => {
                self.ui.flush()?;
                self.shown.send_modify(|count| *count += 1);
            }
            (Told::Lost, _) => self.ui.flush()?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instance_can_be_attached_to_and_no_more() {
        let one = |id| Instance {
            id,
            environment: "dev".to_owned(),
            name: "api".to_owned(),
            ..Instance::default()
        };
        assert_eq!(only(vec![one(3)]).expect("one").id, 3);
        let error = only(vec![one(3), one(4)]).expect_err("two");
        assert_eq!(error.details(), ["dev/api#0  id 3", "dev/api#0  id 4"]);
        assert!(only(Vec::new()).is_err());
    }

    #[test]
    fn seconds_have_bounds() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert!(seconds("-1").is_err() && seconds("4000").is_err() && seconds("x").is_err());
        assert!(seconds("NaN").is_err());
    }
}

//! `eco trigger`

use eco_proto::agent::v1::TriggerRequest;
use serde_json::Value;

use super::selection::selection;
use super::session::Session;
use super::spoken::{Form, conclude};
use crate::error::CliError;
use crate::number;
use crate::view::spoken::{Told, told};

/// Have apps do something that they said they can, and show what they answer
///
/// A Node app announces its actions over its channel, as with @pm2/io or tx2; `eco describe` lists them. Without a parameter
/// the app gets the action's name, with one {msg: ACTION, opts: PARAM}. It fails when an instance does not answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco trigger dev/api heap-snapshot\n  \
    eco trigger 'mds-*' set-level debug\n  \
    eco trigger 3 gc --json")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR")]
    selector: String,
    /// The action's name
    #[arg(value_name = "ACTION")]
    action: String,
    /// What to hand to it
    #[arg(value_name = "PARAM", allow_hyphen_values = true)]
    parameter: Option<String>,
    /// Wait at most this many seconds for answers
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = number::patience)]
    timeout: u64,
    /// Print an array of instances and their answers
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &[args.selector]).await?;
    let tried = format!("trigger {}", args.action);
    let request = TriggerRequest {
        selection: Some(selection),
        action: args.action,
        parameter: args.parameter,
        timeout_ms: args.timeout * 1000,
    };
    let all = told(agent.trigger(request).await?);
    conclude(session, &tried, &all, Form::of_flag(args.json), line)
}

/// A text as it is, anything else as JSON.
fn line(told: &Told) -> String {
    let answer = match &told.answer {
        None | Some(Value::Null) => "done".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    format!("{}: {answer}", told.label())
}

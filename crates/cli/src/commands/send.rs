//! `eco send`

use eco_proto::agent::v1::SendRequest;

use super::selection::selection;
use super::session::Session;
use super::spoken::{Form, conclude};
use crate::error::CliError;
use crate::number;
use crate::view::spoken::told;

/// Write a line to the standard input of apps
///
/// A newline is added. It fails where an app does not run, or leaves no room by reading nothing for the time allowed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco send dev/repl 'reload()'\n  \
    eco send 'worker-*' flush\n  \
    eco send 3 ''                           a newline alone")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR")]
    selector: String,
    /// What to write
    #[arg(value_name = "LINE", allow_hyphen_values = true)]
    line: String,
    /// Wait at most this many seconds for room
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = number::patience)]
    timeout: u64,
    /// Print an array of instances and what went in
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &[args.selector]).await?;
    let request = SendRequest {
        selection: Some(selection),
        data: (args.line + "\n").into_bytes(),
        timeout_ms: args.timeout * 1000,
    };
    let all = told(agent.send(request).await?);
    conclude(
        session,
        "send the line",
        &all,
        Form::of_flag(args.json),
        |told| format!("{}: sent {} bytes", told.label(), told.written),
    )
}

//! `eco signal`

use std::str::FromStr as _;

use eco_proto::agent::v1::SignalRequest;
use nix::sys::signal;

use super::selection::selection;
use super::session::Session;
use super::spoken::{Form, conclude};
use crate::error::CliError;
use crate::nearness::{closest, did_you_mean};
use crate::view::spoken::told;

/// Send a signal to apps
///
/// It goes to the first process of each instance, or with --tree to all of its processes. An app that ends by it is
/// restarted as after any end of its own: to end one for good, use `eco stop`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco signal USR2 dev/api                 reopen logs, print a report, ...\n  \
    eco signal SIGHUP 'mds-*' --tree\n  \
    eco signal 10 3 --json")]
pub(crate) struct Args {
    /// A name, with or without SIG, or a number
    #[arg(value_name = "SIGNAL", value_parser = number)]
    signal: i32,
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR")]
    selector: String,
    /// Send it to all processes of each instance
    #[arg(long)]
    tree: bool,
    /// Print an array of instances
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &[args.selector]).await?;
    let name = name(args.signal);
    let request = SignalRequest {
        selection: Some(selection),
        signal: args.signal,
        tree: args.tree,
    };
    let all = told(agent.signal(request).await?);
    let tried = format!("send {name}");
    conclude(session, &tried, &all, Form::of_flag(args.json), |told| {
        let pid = told.pid.unwrap_or_default();
        format!("{}: {name} sent to process {pid}", told.label())
    })
}

/// Reads a signal: `USR2`, `sigusr2`, `12`.
fn number(text: &str) -> Result<i32, String> {
    if let Ok(number) = text.parse::<i32>() {
        let known = (1..=64).contains(&number);
        return known
            .then_some(number)
            .ok_or_else(|| "signals are numbered from 1 to 64".to_owned());
    }
    let upper = text.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    signal::Signal::from_str(&format!("SIG{bare}"))
        .map(|signal| signal as i32)
        .map_err(|_| {
            let names =
                signal::Signal::iterator().map(|signal| signal.as_str().trim_start_matches("SIG"));
            did_you_mean(&closest(bare, names))
                .unwrap_or_else(|| "expected a name such as USR2, or a number".to_owned())
        })
}

fn name(number: i32) -> String {
    signal::Signal::try_from(number).map_or_else(
        |_| format!("signal {number}"),
        |signal| signal.as_str().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_a_name_with_or_without_sig_or_a_number() {
        for text in ["USR2", "SIGUSR2", "sigusr2", "usr2", "12"] {
            assert_eq!(number(text), Ok(12), "{text}");
        }
        assert_eq!((number("34"), name(34)), (Ok(34), "signal 34".to_owned()));
        assert_eq!(name(1), "SIGHUP");
    }

    #[test]
    fn what_is_no_signal_is_told_what_may_be_meant() {
        assert!(number("0").is_err() && number("65").is_err());
        let slip = number("USR3").expect_err("none");
        assert!(slip.contains("USR1"), "{slip}");
        let nonsense = number("please").expect_err("none");
        assert!(nonsense.contains("expected"), "{nonsense}");
    }
}

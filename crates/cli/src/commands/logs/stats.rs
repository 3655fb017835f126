//! Counts instead of showing.

use eco_proto::log::v1::{QueryRequest, StatsRequest};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};

use super::{Args, show};
use crate::client::LogDaemon;
use crate::commands::session::Session;
use crate::commands::sources::PATIENCE;
use crate::error::CliError;
use crate::render::json;
use crate::render::stats::{Rows, table};
use crate::view::stats::counted;

/// How many rows there are at most: what is counted by the second over a year helps nobody.
const MOST: usize = 100_000;

pub(super) async fn run(session: &mut Session<'_>, args: &Args) -> Result<(), CliError> {
    let matches = args.question.sources(session).await?.matches;
    let query = QueryRequest {
        recognise: true,
        ..args.question.request(matches, &show::now())?
    };
    let request = StatsRequest {
        query: Some(query),
        bucket_ns: args.by.unwrap_or(0),
    };
    let mut daemon = LogDaemon::wait(&session.home, PATIENCE).await?;
    let mut all = Vec::new();
    let mut left_out = 0_usize;
    let mut take = |item| {
        if all.len() < MOST {
            all.push(counted(item));
        } else {
            left_out += 1;
        }
    };
    daemon.stats(request, &mut take).await?;
    if left_out > 0 {
        return Err(CliError::user("count the lines")
            .because(format!("there would be {} rows", all.len() + left_out))
            .hinted("choose a longer span with --by, or a shorter range with --since"));
    }
    if args.json {
        for one in &all {
            session.ui.data(&json::one_line(one))?;
        }
        return Ok(());
    }
    if all.is_empty() {
        session.ui.status("Nothing was written that is asked for.");
        return Ok(());
    }
    let rows = match args.by {
        Some(_) => Rows::Spans,
        None => Rows::Apps,
    };
    let text = table(&all, rows, &TimeZone::system());
    Ok(session.ui.data(&text)?)
}

/// Reads the length of a span, to ns.
pub(super) fn span(text: &str) -> Result<u64, String> {
    let expected = || "expected the length of a span such as 10s, 1m, 1h or 1d".to_owned();
    let span: Span = text.trim().parse().map_err(|_| expected())?;
    // A day is of 24 hours here: the spans are all of one length.
    let length = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| expected())?;
    if length < SignedDuration::from_millis(1) {
        return Err(expected());
    }
    u64::try_from(length.as_nanos()).map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_of_one_length() {
        for (text, seconds) in [
            ("10s", 10),
            ("1m", 60),
            ("1h", 3600),
            ("1d", 86_400),
            ("1h30m", 5400),
        ] {
            assert_eq!(span(text), Ok(seconds * 1_000_000_000), "{text}");
        }
        for text in ["", "0s", "-1m", "1 month", "often", "60"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}

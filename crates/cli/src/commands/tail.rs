//! The last lines of an instance, for the verbs that show them beside something else.

use std::collections::VecDeque;
use std::time::Duration;

use eco_proto::log::v1::{Match, QueryRequest};

use super::session::Session;
use crate::client::{Reader, Told, read};
use crate::error::CliError;
use crate::view::line::LogLine;

/// How long the log daemon may take to be there: the lines are not the news.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last `count` lines, of both streams, of what `wanted` matches; `None`: they cannot be read.
pub(crate) async fn tail(
    session: &Session<'_>,
    wanted: Match,
    count: u16,
) -> Option<VecDeque<LogLine>> {
    let request = QueryRequest {
        matches: vec![wanted],
        last: Some(u64::from(count)),
        ..QueryRequest::default()
    };
    let mut lines = Lines::default();
    let reading = read(&session.home, request, PATIENCE, &mut lines);
    let answer = tokio::time::timeout(PATIENCE * 2, reading).await;
    (matches!(answer, Ok(Ok(()))) || !lines.0.is_empty()).then_some(lines.0)
}

#[derive(Default)]
struct Lines(VecDeque<LogLine>);

impl Reader for Lines {
    fn take(&mut self, told: Told) -> Result<(), CliError> {
        match told {
            Told::Line(line) => self.0.push_back(line),
            Told::Source(_) | Told::Begun(_) | Told::Gap(_) | Told::Pause | Told::Lost => {}
        }
        Ok(())
    }
}

//! Waiting for a line of output: the log daemon tells all lines of the run from its beginning on.
//!
//! A daemon that goes away costs nothing: the next one is asked for the same lines again, and the files are the truth.

use std::collections::BTreeMap;
use std::time::Duration;

use eco_home::{Daemon, Home, connect};
use eco_proto::log::v1::log_client::LogClient;
use eco_proto::log::v1::query_item::Item;
use eco_proto::log::v1::{Line, Match, QueryItem, QueryRequest};
use globset::escape;
use regex::bytes::Regex;

use crate::fleet::RunKey;

/// Until the next attempt to reach the log daemon.
const RETRY: Duration = Duration::from_millis(100);
/// The longest message: a batch of lines, each of which may be long.
const LARGEST: usize = 64 << 20;

/// The lines of one run.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    home: Home,
    key: RunKey,
}

impl Lines {
    /// The lines of `key`.
    pub(super) const fn new(home: Home, key: RunKey) -> Self {
        Self { home, key }
    }

    /// Waits until one matches, for as long as it takes.
    pub(super) async fn wait_for(&self, pattern: &Regex) {
        while !self.is_found(pattern).await {
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Asks one daemon for as long as it answers. `false`: it went away first.
    async fn is_found(&self, pattern: &Regex) -> bool {
        let Ok(channel) = connect::unix(self.home.socket(Daemon::Log)).await else {
            return false;
        };
        let mut client = LogClient::new(channel).max_decoding_message_size(LARGEST);
        let Ok(answer) = client.query(self.request()).await else {
            return false;
        };
        let mut items = answer.into_inner();
        let mut search = Search::new(pattern);
        while let Ok(Some(item)) = items.message().await {
            if search.take(item) {
                return true;
            }
        }
        false
    }

    fn request(&self) -> QueryRequest {
        let slot = &self.key.slot;
        QueryRequest {
            matches: vec![Match {
                environment: escape(&slot.app.environment),
                app: escape(&slot.app.name),
                instance: Some(slot.instance),
                run: Some(self.key.run),
            }],
            follow: true,
            ..QueryRequest::default()
        }
    }
}

/// Looks through one answer.
struct Search<'a> {
    pattern: &'a Regex,
    /// What is there of lines that go on, by source.
    pieces: BTreeMap<u32, Vec<u8>>,
}

impl<'a> Search<'a> {
    const fn new(pattern: &'a Regex) -> Self {
        Self {
            pattern,
            pieces: BTreeMap::new(),
        }
    }

    /// Whether the line is found.
    fn take(&mut self, item: QueryItem) -> bool {
        match item.item {
            Some(Item::Lines(lines)) => lines.lines.into_iter().any(|line| self.matches(line)),
            Some(Item::Source(_) | Item::CaughtUp(_) | Item::Gap(_) | Item::Begun(_)) | None => {
                false
            }
        }
    }

    /// A piece of a very long line is looked at with the piece before it, so that nothing is missed where it was cut.
    fn matches(&mut self, line: Line) -> bool {
        let before = self.pieces.entry(line.source).or_default();
        if before.is_empty() && !line.continues {
            return self.pattern.is_match(&line.text);
        }
        let piece = line.text.len();
        before.extend(line.text);
        let is_match = self.pattern.is_match(before);
        if line.continues {
            before.drain(..before.len() - piece);
        } else {
            before.clear();
        }
        is_match
    }
}

#[cfg(test)]
mod tests {
    use eco_proto::log::v1::{CaughtUp, Lines as Batch};

    use super::*;
    use crate::fleet::AppKey;

    fn key() -> RunKey {
        let app = AppKey {
            environment: "dev".to_owned(),
            name: "a*i".to_owned(),
        };
        app.slot(2).run(7)
    }

    fn lines(lines: &[(u32, &str, bool)]) -> QueryItem {
        let line = |(source, text, continues): &(u32, &str, bool)| Line {
            source: *source,
            text: text.as_bytes().to_vec(),
            continues: *continues,
            ..Line::default()
        };
        let lines = lines.iter().map(line).collect();
        QueryItem {
            item: Some(Item::Lines(Batch { lines })),
        }
    }

    fn is_found(items: Vec<QueryItem>) -> bool {
        let pattern = Regex::new("^listening on [0-9]+$").expect("sound");
        let mut search = Search::new(&pattern);
        items.into_iter().any(|item| search.take(item))
    }

    #[test]
    fn a_line_counts_wherever_it_was_written() {
        let caught_up = QueryItem {
            item: Some(Item::CaughtUp(CaughtUp {})),
        };
        let with = |line| {
            vec![
                lines(&[(1, "begins", false)]),
                caught_up.clone(),
                lines(&[line]),
            ]
        };
        assert!(is_found(with((1, "listening on 80", false))));
        assert!(is_found(with((2, "listening on 80", false))));
        assert!(!is_found(with((1, "not listening on 80", false))));
    }

    #[test]
    fn a_match_across_two_pieces_of_a_long_line_is_found_and_across_two_lines_is_not() {
        let pieces = |first: bool| {
            let lines = [(2, "listening ", first), (2, "on 80", false)];
            vec![self::lines(&lines)]
        };
        assert!(is_found(pieces(true)));
        assert!(!is_found(pieces(false)));
    }

    #[test]
    fn the_very_run_is_asked_for() {
        let home = Home::find(Some("/h".as_ref()), None).expect("named");
        let request = Lines::new(home, key()).request();
        assert_eq!(request.matches[0].app, "a[*]i");
        assert_eq!(request.matches[0].instance, Some(2));
        assert_eq!(request.matches[0].run, Some(7));
        assert!(request.follow);
    }
}

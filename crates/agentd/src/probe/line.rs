//! Waiting for a line of output: the log daemon tells all lines of the run from its beginning on.
//!
//! A daemon that goes away costs nothing: the next one is asked for the same lines again, and the files are the truth.

use std::collections::BTreeMap;
use std::time::Duration;

use eco_home::{Daemon, Home, clock, connect};
use eco_proto::log::v1::log_client::LogClient;
use eco_proto::log::v1::query_item::Item;
use eco_proto::log::v1::{Line, Match, QueryItem, QueryRequest};
use globset::escape;
use regex::bytes::Regex;

use crate::fleet::RunKey;

/// Until the next attempt to reach the log daemon.
const RETRY: Duration = Duration::from_millis(100);
/// Lines may be dated this much before the spawn: the clock of this host may have been set back.
const SLACK: Duration = Duration::from_secs(600);
/// The longest message: a batch of lines, each of which may be long.
const LARGEST: usize = 64 << 20;

/// The lines of one run.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    home: Home,
    key: RunKey,
    /// When the run was spawned, since 1970.
    since_unix: Duration,
}

impl Lines {
    /// The lines of `key`.
    pub(super) const fn new(home: Home, key: RunKey, since_unix: Duration) -> Self {
        Self {
            home,
            key,
            since_unix,
        }
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
        let mut search = Search::new(&self.key, pattern);
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
            since_ns: Some(clock::nanos(self.since_unix.saturating_sub(SLACK))),
            follow: true,
            ..QueryRequest::default()
        }
    }
}

/// Looks through one answer.
struct Search<'a> {
    run: u64,
    pattern: &'a Regex,
    /// The sources of the run, with what is there of a line that goes on.
    sources: BTreeMap<u32, Vec<u8>>,
}

impl<'a> Search<'a> {
    const fn new(key: &RunKey, pattern: &'a Regex) -> Self {
        Self {
            run: key.run,
            pattern,
            sources: BTreeMap::new(),
        }
    }

    /// Whether the line is found.
    fn take(&mut self, item: QueryItem) -> bool {
        match item.item {
            Some(Item::Source(source)) => {
                if source.run == self.run {
                    self.sources.insert(source.id, Vec::new());
                }
                false
            }
            Some(Item::Lines(lines)) => lines.lines.into_iter().any(|line| self.matches(line)),
            Some(Item::CaughtUp(_) | Item::Gap(_)) | None => false,
        }
    }

    /// A piece of a very long line is looked at with the piece before it, so that nothing is missed where it was cut.
    fn matches(&mut self, line: Line) -> bool {
        let Some(before) = self.sources.get_mut(&line.source) else {
            return false;
        };
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
    use eco_proto::log::v1::{CaughtUp, Lines as Batch, Source};

    use super::*;
    use crate::fleet::AppKey;

    fn key() -> RunKey {
        let app = AppKey {
            environment: "dev".to_owned(),
            name: "a*i".to_owned(),
        };
        app.slot(2).run(7)
    }

    fn source(id: u32, run: u64) -> QueryItem {
        let source = Source {
            id,
            run,
            ..Source::default()
        };
        QueryItem {
            item: Some(Item::Source(source)),
        }
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
        let key = key();
        let mut search = Search::new(&key, &pattern);
        items.into_iter().any(|item| search.take(item))
    }

    #[test]
    fn a_line_counts_when_it_is_of_the_run_and_wherever_it_was_written() {
        let caught_up = QueryItem {
            item: Some(Item::CaughtUp(CaughtUp {})),
        };
        let begins = || vec![source(1, 6), source(2, 7), source(3, 7), caught_up.clone()];
        let with = |line| [begins(), vec![lines(&[line])]].concat();
        assert!(is_found(with((2, "listening on 80", false))));
        assert!(is_found(with((3, "listening on 80", false))));
        assert!(!is_found(with((1, "listening on 80", false))));
        assert!(!is_found(with((2, "not listening on 80", false))));
        assert!(!is_found(begins()));
    }

    #[test]
    fn a_match_across_two_pieces_of_a_long_line_is_found_and_across_two_lines_is_not() {
        let pieces = |first: bool| {
            let lines = [(2, "listening ", first), (2, "on 80", false)];
            vec![source(2, 7), self::lines(&lines)]
        };
        assert!(is_found(pieces(true)));
        assert!(!is_found(pieces(false)));
    }

    #[test]
    fn the_very_instance_is_asked_for_and_from_before_its_spawn() {
        let home = Home::find(Some("/h".as_ref()), None).expect("named");
        let request = Lines::new(home, key(), Duration::from_secs(1000)).request();
        assert_eq!(request.matches[0].app, "a[*]i");
        assert_eq!(request.matches[0].instance, Some(2));
        assert_eq!(request.since_ns, Some(400_000_000_000));
        assert!(request.follow);
    }
}

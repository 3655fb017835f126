//! How far a reader of the log has come, so that another log daemon can go on where one broke off, and another command
//! where one ended.
//!
//! ```text
//!  first request: last 15 ──▶ lines ──▶ CaughtUp ──▶ lines ──✗ lost
//!  next request:  no `last`, since = what every source is surely known before ──▶ lines
//!                 of each source only what begins at or after the offset where it was left
//! ```
//!
//! Invariants
//! - A line is admitted once: a source's offsets only grow, and one below its mark is a repeat.
//! - None is missed: `since` is no later than the last line of any source that was shown, or than a minute before the
//!   newest line there was when the history was complete: everything older had been told by then. Both are times of lines, so
//!   that our clock has no say in it.
//! - A source that was cut off by `last` stays so: its lines are not newer than the oldest line that was shown.
//! - The lines of a source that is followed, or gone on with, are adjacent: what is missing between two of them was taken away
//!   meanwhile. With conditions on records they are not, and nothing can be said.

use std::collections::BTreeMap;

use eco_proto::log::v1::{Gap, Level, Line, QueryRequest};

use crate::view::line::Origin;

/// How much older than the newest line of a complete history a line may be that came after it, ns: clocks jump.
const SLACK: u64 = 60_000_000_000;

/// How far a reader has come.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    request: QueryRequest,
    began: u64,
    history: History,
    marks: BTreeMap<Origin, Mark>,
    /// When the oldest line came that was shown.
    first: Option<u64>,
    /// Of a source without a mark, what is not newer than this was cut off by `last`.
    cut: Option<u64>,
    /// The same, while a daemon tells again what was cut off.
    cutting: Option<u64>,
    begins: Begins,
    ends: Ends,
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    /// With what the request asks for.
    Fresh,
    /// Where another one ended.
    Resumed,
}

/// Where a reader ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Where the answer does.
    WithAnswer,
    /// At the end of the history, though the daemon would go on.
    AtPresent,
}

/// How much of the history was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum History {
    /// Not all.
    Open,
    /// All; the newest line was of this time, unix ns, if there was one.
    Complete { newest: Option<u64> },
}

/// How far one source was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The offset that comes next.
    pub(crate) next: u64,
    /// When the last line came, unix ns.
    pub(crate) time: u64,
}

/// What is to be kept of a reader's progress for the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// When the first reader began, unix ns.
    pub(crate) began: u64,
    /// What is older was never asked for.
    pub(crate) floor: Option<u64>,
    /// Of a source without a mark, what is not newer than this was cut off.
    pub(crate) cut: Option<u64>,
    /// How much of the history was told.
    pub(crate) history: History,
    /// Whether the first reader asked for none of the past.
    pub(crate) only_new: bool,
    /// How far the sources were told.
    pub(crate) marks: BTreeMap<Origin, Mark>,
}

impl Progress {
    /// Begins to read what `request` asks for, at `now` (unix ns).
    pub(crate) fn new(request: QueryRequest, now: u64) -> Self {
        Self {
            request,
            began: now,
            history: History::Open,
            marks: BTreeMap::new(),
            first: None,
            cut: None,
            cutting: None,
            begins: Begins::Fresh,
            ends: Ends::WithAnswer,
        }
    }

    /// Goes on from `position` with what `request` asks for; how much of the past that is, was said by the first reader.
    pub(crate) fn resumed(mut request: QueryRequest, position: Position) -> Self {
        request.since_ns = position.floor;
        request.last = position.only_new.then_some(0);
        Self {
            history: position.history,
            marks: position.marks,
            cut: position.cut,
            begins: Begins::Resumed,
            ..Self::new(request, position.began)
        }
    }

    /// Ends where the history does, and leaves a line that is not complete to the next reader.
    #[must_use]
    pub(crate) fn up_to_present(mut self) -> Self {
        self.request.follow = true;
        self.ends = Ends::AtPresent;
        self
    }

    /// What the next reader has to know; `None`: nothing was told yet.
    pub(crate) fn position(&self) -> Option<Position> {
        if self.marks.is_empty() && self.history == History::Open {
            return None;
        }
        Some(Position {
            began: self.began,
            floor: self.request.since_ns,
            cut: self.cut,
            history: self.history,
            only_new: self.request.last == Some(0),
            marks: self.marks.clone(),
        })
    }

    /// Whether the history is complete.
    pub(crate) const fn is_caught_up(&self) -> bool {
        matches!(self.history, History::Complete { .. })
    }

    /// Whether lines to come are asked for.
    pub(crate) const fn follows(&self) -> bool {
        self.request.follow
    }

    /// Whether reading ends where the history does, though the answer goes on.
    pub(crate) fn ends_at_present(&self) -> bool {
        self.ends == Ends::AtPresent
    }

    /// Notes that the history is complete.
    pub(crate) fn catch_up(&mut self) {
        if self.begins == Begins::Fresh && self.request.last.is_some() {
            self.cut = self.cut.or(self.first);
        }
        self.cutting = None;
        self.history = History::Complete {
            newest: self.marks.values().map(|mark| mark.time).max(),
        };
    }

    /// Notes a line; returns whether it is new.
    pub(crate) fn admit(&mut self, origin: &Origin, line: &Line) -> bool {
        let newline = u64::from(!line.continues);
        let length = u64::try_from(line.text.len()).unwrap_or(u64::MAX);
        let next = line.offset.saturating_add(length).saturating_add(newline);
        self.advance(origin, line.offset, next, Some(line.time_ns))
    }

    /// Notes a gap; returns whether it is new.
    pub(crate) fn admit_gap(&mut self, origin: &Origin, gap: &Gap) -> bool {
        let next = gap.offset.saturating_add(gap.bytes);
        // What came before it without a newline was counted with one.
        let offset = gap.offset.saturating_add(1);
        self.advance(origin, offset, next, None)
    }

    /// What is missing before something at `offset` that is followed: no daemon told of it.
    pub(crate) fn missing(&self, origin: &Origin, offset: u64) -> Option<Gap> {
        let is_adjacent = self.request.follow || self.begins == Begins::Resumed;
        if !is_adjacent || is_conditional(&self.request) {
            return None;
        }
        let mark = self.marks.get(origin)?;
        let bytes = offset.checked_sub(mark.next).filter(|bytes| *bytes > 0)?;
        Some(Gap {
            offset: mark.next,
            bytes,
            ..Gap::default()
        })
    }

    /// A gap, and what is missing before it.
    pub(crate) fn widened(&self, origin: &Origin, gap: Gap) -> Gap {
        match self.missing(origin, gap.offset) {
            Some(missing) => Gap {
                offset: missing.offset,
                bytes: missing.bytes.saturating_add(gap.bytes),
                ..gap
            },
            None => gap,
        }
    }

    fn advance(&mut self, origin: &Origin, offset: u64, next: u64, time: Option<u64>) -> bool {
        if let Some(mark) = self.marks.get_mut(origin) {
            if offset < mark.next {
                return false;
            }
            mark.next = next;
            mark.time = time.unwrap_or(mark.time);
        } else {
            let was_cut_off = |time| self.cutting.is_some_and(|cut| time <= cut);
            if time.is_some_and(was_cut_off) {
                return false;
            }
            let time = time.unwrap_or(self.request.since_ns.unwrap_or(0));
            self.marks.insert(origin.clone(), Mark { next, time });
        }
        self.first = self.first.or(time);
        true
    }

    /// Asks the next daemon; returns what.
    pub(crate) fn ask(&mut self) -> QueryRequest {
        let request = self.request();
        // What the first answer cut off is not in it; later ones know nothing of that.
        if request != self.request {
            self.cutting = self.cut;
        }
        request
    }

    fn request(&self) -> QueryRequest {
        let mut request = self.request.clone();
        let oldest = self.marks.values().map(|mark| mark.time).min();
        let since = match (oldest, self.history) {
            (None, History::Open) => return request,
            // Nothing was there.
            (None, History::Complete { .. }) => None,
            (Some(oldest), History::Open | History::Complete { newest: None }) => Some(oldest),
            (
                Some(_),
                History::Complete {
                    newest: Some(newest),
                },
            ) => Some(newest.saturating_sub(SLACK)),
        };
        let since = match request.last {
            // What was there was only not shown.
            Some(0) => since.max(Some(self.began)),
            Some(_) | None => since,
        };
        request.last = None;
        request.since_ns = request.since_ns.max(since);
        request
    }
}

/// Whether a request passes over some of the lines of its sources.
fn is_conditional(request: &QueryRequest) -> bool {
    let asks_for_a_level = request.level() != Level::Unspecified;
    let patterns = [&request.grep, &request.exclude];
    asks_for_a_level
        || !request.r#where.is_empty()
        || patterns.iter().any(|patterns| !patterns.is_empty())
}

#[cfg(test)]
mod tests {
    use eco_proto::log::v1::Stream;

    use super::*;

    fn origin(app: &str) -> Origin {
        Origin {
            host: "h".to_owned(),
            environment: "dev".to_owned(),
            app: app.to_owned(),
            instance: 0,
            run: 1,
            stream: Stream::Out.into(),
        }
    }

    fn line(offset: u64, time_ns: u64, text: &str) -> Line {
        Line {
            offset,
            time_ns,
            text: text.as_bytes().to_vec(),
            ..Line::default()
        }
    }

    fn following(last: u64) -> Progress {
        let request = QueryRequest {
            last: Some(last),
            follow: true,
            ..QueryRequest::default()
        };
        Progress::new(request, 5 * SLACK)
    }

    #[test]
    fn a_repeat_is_not_admitted_and_what_follows_is() {
        let mut progress = following(15);
        let api = origin("api");
        assert!(progress.admit(&api, &line(0, 10, "ab")));
        assert!(!progress.admit(&api, &line(0, 10, "ab")));
        assert!(progress.admit(&api, &line(3, 11, "")));
        assert!(progress.admit(&api, &line(4, 12, "c")));
        assert!(progress.admit(&origin("other"), &line(0, 12, "x")));
    }

    #[test]
    fn the_pieces_of_a_long_line_are_each_admitted_once() {
        let mut progress = following(15);
        let api = origin("api");
        let piece = Line {
            continues: true,
            ..line(0, 10, "abc")
        };
        assert!(progress.admit(&api, &piece));
        assert!(progress.admit(&api, &line(3, 10, "d")));
        assert!(!progress.admit(&api, &piece));
    }

    #[test]
    fn before_anything_came_the_request_is_as_it_was() {
        let progress = following(15);
        assert_eq!(progress.request().last, Some(15));
        assert_eq!(progress.request().since_ns, None);
    }

    #[test]
    fn within_the_history_it_goes_on_from_the_oldest_source() {
        let mut progress = following(15);
        progress.admit(&origin("a"), &line(0, 10, "x"));
        progress.admit(&origin("b"), &line(0, 20, "x"));
        let request = progress.request();
        assert_eq!((request.last, request.since_ns), (None, Some(10)));
    }

    #[test]
    fn after_the_history_a_silent_source_does_not_drag_it_all_in_again() {
        let mut progress = following(15);
        progress.admit(&origin("silent"), &line(0, 10, "x"));
        progress.admit(&origin("busy"), &line(0, 6 * SLACK, "x"));
        progress.catch_up();
        assert_eq!(progress.request().since_ns, Some(5 * SLACK));
    }

    #[test]
    fn an_empty_history_leaves_everything_to_come() {
        let mut progress = following(15);
        progress.catch_up();
        assert_eq!(progress.request().since_ns, None);
        assert_eq!(progress.request().last, None);
        let mut none_asked = following(0);
        none_asked.catch_up();
        assert_eq!(none_asked.request().since_ns, Some(5 * SLACK));
    }

    #[test]
    fn what_is_missing_is_known_by_the_offsets_of_what_is_followed() {
        let mut progress = following(15);
        let api = origin("api");
        assert_eq!(progress.missing(&api, 50), None);
        assert!(progress.admit(&api, &line(50, 10, "x")));
        assert_eq!(progress.missing(&api, 52), None);
        let missing = progress.missing(&api, 60).expect("a gap");
        assert_eq!((missing.offset, missing.bytes), (52, 8));
        assert!(progress.admit_gap(&api, &missing));
        assert_eq!(progress.missing(&api, 60), None);
        let gap = Gap {
            offset: 70,
            bytes: 5,
            ..Gap::default()
        };
        let widened = progress.widened(&api, gap);
        assert_eq!((widened.offset, widened.bytes), (60, 15));
        assert_eq!(progress.widened(&api, widened), widened);
    }

    #[test]
    fn a_gap_after_a_line_that_was_broken_off_is_told() {
        let mut progress = following(15);
        let api = origin("api");
        assert!(progress.admit(&api, &line(0, 10, "broken")));
        let gap = Gap {
            offset: 6,
            bytes: 10,
            ..Gap::default()
        };
        assert!(progress.admit_gap(&api, &gap));
        assert!(progress.admit(&api, &line(16, 11, "x")));
    }

    #[test]
    fn a_gap_is_told_once() {
        let mut progress = following(15);
        let gap = Gap {
            offset: 0,
            bytes: 100,
            ..Gap::default()
        };
        assert!(progress.admit_gap(&origin("a"), &gap));
        assert!(!progress.admit_gap(&origin("a"), &gap));
        assert!(progress.admit(&origin("a"), &line(100, 10, "x")));
    }

    fn resumed(progress: &Progress) -> Progress {
        let request = QueryRequest::default();
        Progress::resumed(request, progress.position().expect("something was told"))
    }

    #[test]
    fn what_goes_on_admits_exactly_what_comes_after_also_at_equal_times() {
        let mut first = Progress::new(
            QueryRequest {
                last: Some(1),
                ..QueryRequest::default()
            },
            5 * SLACK,
        );
        assert!(first.admit(&origin("a"), &line(2, 100, "a1")));
        first.catch_up();
        let mut next = resumed(&first);
        assert_eq!(next.ask().last, None);
        // Cut off by the first one: of the same time, and of another source.
        assert!(!next.admit(&origin("b"), &line(0, 100, "b0")));
        assert!(!next.admit(&origin("a"), &line(0, 100, "a0")));
        assert!(!next.admit(&origin("a"), &line(2, 100, "a1")));
        // Written since then: of the same time, and by a run that is new.
        assert!(next.admit(&origin("a"), &line(5, 100, "a2")));
        assert!(next.admit(&origin("c"), &line(0, 101, "c0")));
    }

    #[test]
    fn what_goes_on_after_nothing_of_the_past_begins_where_the_first_one_began() {
        let mut first = following(0);
        first.catch_up();
        let mut next = resumed(&first);
        let asked = next.ask();
        assert_eq!((asked.last, asked.since_ns), (None, Some(5 * SLACK)));
    }

    #[test]
    fn what_is_missing_where_another_one_ended_is_told() {
        let mut first = following(15);
        assert!(first.admit(&origin("a"), &line(0, 100, "x")));
        first.catch_up();
        let next = resumed(&first);
        assert_eq!(next.missing(&origin("a"), 9).map(|gap| gap.bytes), Some(7));
    }

    #[test]
    fn with_conditions_nothing_is_missing_between_the_lines() {
        for request in [
            QueryRequest {
                grep: vec!["x".to_owned()],
                ..QueryRequest::default()
            },
            QueryRequest {
                exclude: vec!["x".to_owned()],
                ..QueryRequest::default()
            },
            QueryRequest {
                level: Level::Warn.into(),
                ..QueryRequest::default()
            },
            QueryRequest {
                r#where: vec![eco_proto::log::v1::Condition::default()],
                ..QueryRequest::default()
            },
        ] {
            let mut progress = Progress::new(
                QueryRequest {
                    follow: true,
                    ..request
                },
                0,
            );
            assert!(progress.admit(&origin("a"), &line(0, 100, "x")));
            assert_eq!(progress.missing(&origin("a"), 50), None);
        }
    }

    #[test]
    fn what_ends_at_present_holds_back_what_is_not_complete() {
        let mut progress = Progress::new(QueryRequest::default(), 0).up_to_present();
        assert!(progress.ends_at_present() && progress.ask().follow);
    }
}

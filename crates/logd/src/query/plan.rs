//! Decides what of which streams is the history, and where live begins.
//!
//! Runs of a slot are looked at newest first. Once enough lines are found, or the runs are too old, the older ones need
//! not be opened. A reload makes neighbours overlap, and one that fails leaves an older run alive beside its successor:
//! so a few runs in a row must be of no use before the rest is taken to be.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::chapter::{Chapter, Handover, Records};
use super::last::{Backwards, Last};
use super::outlet::Attention;
use super::source::Source;
use super::wanted::{End, wanted};
use super::{After, Query, Stop};
use crate::catalog::{Lives, Slot};
use crate::hot::{
    HotError, Life, Place, Reader, Survey, Tail, bound, is_written, last_lines, line_start, survey,
    time_after,
};

/// Runs of no use in a row after which older ones are not opened.
const OVERLAP: usize = 8;

/// What will be read.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// The history, in the order of the sources.
    pub(super) chapters: Vec<Chapter<'a>>,
    /// Lines of it, or records, to leave out before the first that was asked for.
    pub(super) skip: u64,
    /// What may still grow.
    pub(super) seeds: Vec<Seed>,
}

/// Where a stream that may still grow goes on after the history.
#[derive(Debug)]
pub struct Seed {
    /// Whose it is.
    pub source: Rc<Source>,
    /// Reads on from there.
    pub reader: Reader,
    /// What the history leaves to it.
    pub(crate) handover: Handover,
}

/// Looks at the runs of `lives` below `runs`.
pub(super) fn plan<'a>(
    query: &'a Query,
    runs: &'a Path,
    lives: &[Lives],
    attention: &'a Attention<'a>,
) -> Result<Plan<'a>, Stop> {
    let mut planner = Planner {
        query,
        runs,
        chapters: Vec::new(),
        seeds: Vec::new(),
        lines: 0,
        attention,
    };
    for life in lives {
        planner.slot(life)?;
    }
    let Planner {
        mut chapters,
        seeds,
        lines,
        ..
    } = planner;
    chapters.sort_by(|left, right| left.source().key().cmp(&right.source().key()));
    Ok(Plan {
        chapters,
        skip: query.last.map_or(0, |wanted| lines.saturating_sub(wanted)),
        seeds,
    })
}

struct Planner<'a> {
    query: &'a Query,
    runs: &'a Path,
    chapters: Vec<Chapter<'a>>,
    seeds: Vec<Seed>,
    /// Lines in the chapters, or records, counted only when the last ones are asked for.
    lines: u64,
    attention: &'a Attention<'a>,
}

/// How far back a slot was looked at.
struct Reach {
    /// Lines found, and a time before which none of them came.
    lines: u64,
    floor: u64,
    /// Runs in a row that were of no use.
    useless: usize,
}

impl<'a> Planner<'a> {
    fn slot(&mut self, lives: &Lives) -> Result<(), Stop> {
        let slot = Rc::new(lives.slot.clone());
        let mut reach = Reach {
            lines: 0,
            floor: u64::MAX,
            useless: 0,
        };
        for &run in &lives.runs {
            if reach.useless >= OVERLAP && self.query.after == After::Nothing {
                break;
            }
            let is_far = reach.useless >= OVERLAP;
            let is_useful = self.run(&slot, run, is_far, &mut reach)?;
            reach.useless = if is_useful { 0 } else { reach.useless + 1 };
        }
        Ok(())
    }

    /// Looks at a run, at one that `is_far` only if it still lives; returns whether it was of use.
    fn run(
        &mut self,
        slot: &Rc<Slot>,
        run: u64,
        is_far: bool,
        reach: &mut Reach,
    ) -> Result<bool, Stop> {
        let mut is_useful = false;
        for &stream in &self.query.streams {
            let source = Rc::new(Source::new(Rc::clone(slot), run, stream));
            let place = source.place(self.runs);
            if is_far && !is_written(&place) {
                continue;
            }
            let survey = survey(&place)?.without_marked();
            let is_useless = survey.life == Life::Ended
                && (survey.changed < self.query.since || self.has_enough(reach, survey.changed));
            if !is_useless {
                is_useful = true;
                self.stream(source, place, survey, reach)?;
            }
        }
        // Far runs that live are no reason to look at all the others between them.
        Ok(is_useful && !is_far)
    }

    /// Returns whether all that came up to `changed` is older than lines that suffice.
    fn has_enough(&self, reach: &Reach, changed: u64) -> bool {
        self.query
            .last
            .is_some_and(|wanted| reach.lines >= wanted && changed < reach.floor)
    }

    fn stream(
        &mut self,
        source: Rc<Source>,
        place: Place,
        survey: Survey,
        reach: &mut Reach,
    ) -> Result<(), Stop> {
        let is_followed = self.query.after != After::Nothing && survey.life != Life::Ended;
        let complete = if is_followed {
            line_start(&place, &survey.extents, survey.start(), survey.end())?
        } else {
            survey.end()
        };
        let (from, to) = self.range(&place, &survey, complete)?;
        let end = if is_followed && to == complete {
            End::Open
        } else {
            End::Closed
        };
        let last = self.last(&place, &survey, from..to, end)?;
        if self.query.last.is_some() {
            reach.lines = reach.lines.saturating_add(last.records);
            self.lines = self.lines.saturating_add(last.records);
        }
        let handover = Handover::default();
        if let Some(first) = last.ranges.front() {
            let begins = time_after(&place, &survey.extents, first.start)?;
            let begins = begins.unwrap_or(survey.changed);
            reach.floor = reach.floor.min(begins);
            let left = (is_followed && to == complete).then(|| Rc::clone(&handover));
            let chapter = self.chapter(&source, (&place, &survey), begins, last.ranges, left);
            self.chapters.push(chapter);
        }
        if is_followed {
            let reader = Reader::new(place, survey.extents, complete, complete, Tail::Held);
            self.seeds.push(Seed {
                source,
                reader,
                handover,
            });
        }
        Ok(())
    }

    /// Returns what of `range` is to be read.
    fn last(
        &self,
        place: &Place,
        survey: &Survey,
        range: Range<u64>,
        end: End,
    ) -> Result<Last, Stop> {
        let whole = |range: Range<u64>, records| Last {
            ranges: VecDeque::from_iter((!range.is_empty()).then_some(range)),
            records,
        };
        let may_pass = |range, sieve| wanted(place, &survey.extents, range, sieve, end);
        let Some(wanted) = self.query.last else {
            return Ok(match self.query.chooses() {
                Some(sieve) => Last {
                    ranges: may_pass(range, sieve)?,
                    records: 0,
                },
                None => whole(range, 0),
            });
        };
        let least = range.start.max(survey.start()).min(range.end);
        let Some(sieve) = self.query.chooses() else {
            let suffix = last_lines(place, &survey.extents, least, range.end, wanted)?;
            // With fewer lines than asked for, what is gone would have been among them.
            let start = if suffix.lines < wanted {
                range.start
            } else {
                suffix.start
            };
            return Ok(whole(start..range.end, suffix.lines));
        };
        let backwards = Backwards {
            place,
            extents: &survey.extents,
            sieve,
            attention: self.attention,
        };
        let ranges = may_pass(least..range.end, sieve)?;
        let mut found = backwards.last(&ranges, wanted)?;
        if found.records < wanted && range.start < least {
            found.ranges.push_front(range.start..least);
        }
        Ok(found)
    }

    fn chapter(
        &self,
        source: &Rc<Source>,
        (place, survey): (&Place, &Survey),
        begins: u64,
        ranges: VecDeque<Range<u64>>,
        handover: Option<Handover>,
    ) -> Chapter<'a> {
        let source = Rc::clone(source);
        let (place, extents) = (place.clone(), survey.extents.clone());
        if let Some(sieve) = &self.query.sieve {
            let records = Records::new(place, extents, ranges, Arc::clone(sieve), handover);
            return Chapter::records(source, begins, Box::new(records), self.attention);
        }
        let from = ranges.front().map_or(0, |range| range.start);
        let to = ranges.back().map_or(0, |range| range.end);
        let reader = Reader::new(place, extents, from, to, Tail::Passed);
        Chapter::lines(source, begins, Box::new(reader), self.attention)
    }

    /// Returns the lines between `since` and `until`, as offsets; none behind `complete`.
    fn range(&self, place: &Place, survey: &Survey, complete: u64) -> Result<(u64, u64), HotError> {
        let (extents, start, end) = (&survey.extents, survey.start(), survey.end());
        let before = |time| match time {
            0 => Ok(start),
            u64::MAX => Ok(end),
            time => bound(place, extents, time),
        };
        let to = match before(self.query.until)? {
            bound if bound >= end => complete,
            bound => line_start(place, extents, start, bound)?.min(complete),
        };
        let from = match before(self.query.since)? {
            // Nothing that is there is too old: what is gone may have been asked for, unless it was flushed or was too old
            // itself.
            bound if bound <= start => survey.losses.asked_from(self.query.since),
            bound if bound >= end => to,
            bound => line_start(place, extents, start, bound)?,
        };
        Ok((from.min(to), to))
    }
}

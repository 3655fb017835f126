//! Where an exception came from: the first frame of its stack that lies in a file of the person's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::locate::Position;

use super::code::Code;

/// A place in a file as the engine counts it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) file: PathBuf,
    pub(super) line: u32,
    pub(super) column: u32,
    /// It was behind the last line, where only the wrapper is: the file ended too early.
    pub(super) beyond: bool,
}

/// Finds the first frame in one of the files that the engine was given. They are known, so no blank, colon or parenthesis
/// in a name misleads; `wrapper` is how many columns the first line was moved by.
pub(super) fn first(
    stack: &str,
    codes: &BTreeMap<PathBuf, Code>,
    wrapper: &dyn Fn(&Path) -> u32,
) -> Option<Frame> {
    stack.lines().find_map(|frame| {
        let (file, code, place) = codes
            .iter()
            .filter_map(|(file, code)| {
                let place = after(frame, &file.to_string_lossy())?;
                Some((file, code, place))
            })
            .max_by_key(|(file, ..)| file.as_os_str().len())?;
        let mut numbers = place.trim_end_matches(')').split(':');
        let line: u32 = numbers.next()?.parse().ok()?;
        let column: u32 = numbers.next()?.parse().ok()?;
        Some(placed(file, line, column, &code.text, wrapper(file)))
    })
}

/// Writes a place down for the prelude to carry along with an exception, so that [`told`] finds it again.
pub(super) fn tell(file: &Path, at: Option<Position>) -> Option<String> {
    let Position { line, column } = at?;
    Some(format!("{line}:{column}:{}", file.to_string_lossy()))
}

/// The place that an exception carries.
pub(super) fn told(told: &str) -> Option<Frame> {
    let mut parts = told.splitn(3, ':');
    Some(Frame {
        line: parts.next()?.parse().ok()?,
        column: parts.next()?.parse().ok()?,
        file: parts.next()?.into(),
        beyond: false,
    })
}

/// What follows `name:` in a frame.
fn after<'a>(frame: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = frame.split_once(name)?;
    rest.strip_prefix(':')
}

/// Takes the wrapper off, which stands before the first line and after the last.
fn placed(file: &Path, line: u32, column: u32, text: &str, wrapper: u32) -> Frame {
    let last = u32::try_from(text.lines().count().max(1)).unwrap_or(u32::MAX);
    let beyond = line > last;
    let (line, column) = if beyond {
        let end = text.lines().last().map_or(0, |end| end.chars().count());
        (
            last,
            u32::try_from(end).unwrap_or(u32::MAX).saturating_add(1),
        )
    } else if line == 1 {
        (line, column.saturating_sub(wrapper).max(1))
    } else {
        (line, column.max(1))
    };
    Frame {
        file: file.to_owned(),
        line,
        column,
        beyond,
    }
}

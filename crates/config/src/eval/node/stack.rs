//! Where an error of node's came from, by its stack. Pure, but for asking whether a file is there.
//!
//! ```text
//! /p/a.js:3                         a SyntaxError begins with its place,
//! const x = ;                       the line
//!           ^                       and a mark under the column
//!
//! Error: no
//!     at f (/p/a.js:3:9)            others have frames: the first of a file that is there
//!     at file:///p/b.mjs:1:1
//! ```

use std::path::{Path, PathBuf};

use crate::eval::trace::Frame;

/// The first place of a stack that is in a file.
pub(super) fn first(stack: &str) -> Option<Frame> {
    heading(stack, &Path::is_file)
        .or_else(|| stack.lines().find_map(|line| frame(line, &Path::is_file)))
}

/// The place that stands above the message of a `SyntaxError`.
fn heading(stack: &str, is_file: &dyn Fn(&Path) -> bool) -> Option<Frame> {
    let mut lines = stack.lines();
    let (file, line) = lines.next()?.rsplit_once(':')?;
    let marks = lines
        .take(4)
        .find(|line| line.trim_start().starts_with('^'));
    let column = marks.map_or(0, |marks| marks.chars().take_while(|c| *c != '^').count());
    Some(Frame {
        file: path(file, is_file)?,
        line: line.parse().ok()?,
        column: u32::try_from(column).unwrap_or(0).saturating_add(1),
        beyond: false,
    })
}

fn frame(line: &str, is_file: &dyn Fn(&Path) -> bool) -> Option<Frame> {
    let place = line.trim().strip_prefix("at ")?;
    let place = place.rsplit_once('(').map_or(place, |(_, inside)| inside);
    let mut parts = place.trim_end_matches(')').rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    let file = parts.next()?;
    Some(Frame {
        file: path(file.strip_prefix("async ").unwrap_or(file), is_file)?,
        line,
        column,
        beyond: false,
    })
}

fn path(written: &str, is_file: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    let path = PathBuf::from(written.strip_prefix("file://").unwrap_or(written));
    (path.is_absolute() && is_file(&path)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(stack: &str) -> Option<(String, u32, u32)> {
        let is_file = |path: &Path| path.starts_with("/p");
        let found = heading(stack, &is_file)
            .or_else(|| stack.lines().find_map(|line| frame(line, &is_file)))?;
        Some((found.file.display().to_string(), found.line, found.column))
    }

    #[test]
    fn the_first_frame_of_a_file_counts() {
        let stack = "Error: no: at last\n    at f (node:internal/x:1:2)\n    at async Object.<anonymous> (/p/a b.js:3:9)\n    at /p/c.js:1:1";
        assert_eq!(place(stack), Some(("/p/a b.js".to_owned(), 3, 9)));
        let stack = "Error: no\n    at async file:///p/b.mjs:7:1";
        assert_eq!(place(stack), Some(("/p/b.mjs".to_owned(), 7, 1)));
    }

    #[test]
    fn a_wrong_token_is_where_the_mark_is() {
        let stack = "/p/a.js:3\nconst x = ;\n          ^\n\nSyntaxError: Unexpected token ';'\n    at wrapSafe (node:internal/y:1:2)";
        assert_eq!(place(stack), Some(("/p/a.js".to_owned(), 3, 11)));
        let stack = "file:///p/a.mjs:1\nx x\n  ^\n\nSyntaxError: Unexpected identifier 'x'";
        assert_eq!(place(stack), Some(("/p/a.mjs".to_owned(), 1, 3)));
    }

    #[test]
    fn what_is_no_place_is_none() {
        for stack in [
            "",
            "Error: x",
            "Error: /p/a.js:1:1",
            "    at f (node:fs:1:2)",
            "    at (/q/a.js:x:1)",
        ] {
            assert_eq!(place(stack), None, "{stack}");
        }
    }
}

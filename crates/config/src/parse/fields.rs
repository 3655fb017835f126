//! The fields of one app while it is read: each reading gives a value or notes a problem, and goes on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use crate::error::{Fault, Location, Problem};
use crate::locate::{self, Literal};
use crate::raw::{RawApp, Written};

use super::value::{self, Reading};

/// The texts of the files, to find places in; looked into only when there is a problem.
pub(super) struct Places {
    sources: BTreeMap<PathBuf, String>,
    main: Option<PathBuf>,
    known: RefCell<BTreeMap<PathBuf, Rc<Vec<Literal>>>>,
}

impl Places {
    pub(super) fn new(sources: BTreeMap<PathBuf, String>, main: Option<PathBuf>) -> Self {
        Self {
            sources,
            main,
            known: RefCell::default(),
        }
    }

    fn literals(&self, file: &Path) -> Option<Rc<Vec<Literal>>> {
        let text = self.sources.get(file)?;
        let mut known = self.known.borrow_mut();
        let found = known
            .entry(file.to_owned())
            .or_insert_with(|| Rc::new(locate::literals(file, text)));
        Some(Rc::clone(found))
    }

    /// Where the app's `key` is, or the app itself; `nth` tells apps of one name apart.
    fn find(&self, app: &RawApp, key: Option<&str>, nth: usize) -> Option<Location> {
        let files = [app.file.as_ref(), self.main.as_ref()];
        files.into_iter().flatten().find_map(|file| {
            let literals = self.literals(file)?;
            let literal = identify(&literals, app, nth)?;
            let at = match key {
                Some(key) => literal.key(key)?.at,
                None => literal.open,
            };
            Some(Location {
                file: file.clone(),
                line: at.line,
                column: at.column,
            })
        })
    }
}

/// The literal that is the app, if it can be told.
fn identify<'a>(literals: &'a [Literal], app: &RawApp, nth: usize) -> Option<&'a Literal> {
    ["name", "script"].into_iter().find_map(|field| {
        let Written { key, value } = app.get(field)?;
        let text = value.as_str()?;
        let alike: Vec<_> = literals
            .iter()
            .filter(|literal| literal.key(key).and_then(|key| key.value.as_deref()) == Some(text))
            .collect();
        match alike.as_slice() {
            [only] if nth == 0 => Some(*only),
            // More of them than asked about: only the names of apps are counted, so only they can be told apart.
            several if field == "name" && several.len() > 1 => several.get(nth).copied(),
            _ => None,
        }
    })
}

/// The fields of an app, and what was found wrong with them.
pub(super) struct Fields<'a> {
    pub(super) raw: &'a RawApp,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    places: &'a Places,
    nth: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(raw: &'a RawApp, places: &'a Places, nth: usize) -> Self {
        Self {
            raw,
            problems: Vec::new(),
            warnings: Vec::new(),
            places,
            nth,
        }
    }

    /// Reads a field; a value that is none becomes a problem, and the field counts as absent.
    pub(super) fn take<T>(
        &mut self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&Value) -> Reading<T>,
    ) -> Option<T> {
        let Written { key, value } = self.raw.get(name)?;
        match read(value) {
            Ok(read) => Some(read),
            Err(hint) => {
                self.mismatch(key, None, value::shown(value), expected, hint);
                None
            }
        }
    }

    /// Notes a value that will not do; `inside` is the way to it below the key, such as `.PORT`.
    pub(super) fn mismatch(
        &mut self,
        key: &str,
        inside: Option<&str>,
        found: String,
        expected: &'static str,
        hint: Option<String>,
    ) {
        let mut problem = self.problem(Some(key), Fault::Mismatch { found, expected });
        problem.path.push_str(inside.unwrap_or_default());
        problem.hint = hint;
        self.problems.push(problem);
    }

    /// A problem of the app, or of one of its keys.
    pub(super) fn problem(&self, key: Option<&str>, fault: Fault) -> Problem {
        let RawApp { path, file, .. } = self.raw;
        let path = match key {
            None => path.clone(),
            Some(key) if path.is_empty() => key.to_owned(),
            Some(key) => format!("{path}.{key}"),
        };
        Problem {
            path,
            app: self.name(),
            file: file.clone(),
            at: self.location(key),
            fault,
            hint: None,
        }
    }

    /// Where the app, or one of its keys, is written.
    pub(super) fn location(&self, key: Option<&str>) -> Option<Location> {
        self.places.find(self.raw, key, self.nth)
    }

    fn name(&self) -> Option<String> {
        let name = self.raw.get("name")?.value.as_str()?;
        Some(name.to_owned())
    }
}

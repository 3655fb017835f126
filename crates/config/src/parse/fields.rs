//! The fields of one app while it is read: each reading gives a value or notes a problem, and goes on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::error::{Fault, Location, Problem};
use crate::fields::{Field, Standing, Table};
use crate::locate::{self, Literal};
use crate::raw::{Folded, RawApp, Written, nearest};

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

/// The fields of an app, or of an object inside of it, and what was found wrong with them.
pub(super) struct Fields<'a> {
    pub(super) raw: &'a RawApp,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    pub(super) notes: Vec<Problem>,
    keys: &'a Folded,
    /// Where the object is, unless it is the app.
    inside: Option<Inside>,
    places: &'a Places,
    nth: usize,
}

/// The way to an object inside of an app.
#[derive(Clone)]
struct Inside {
    /// The app's own key, which can be found in the text.
    key: String,
    /// `readiness.http`.
    way: String,
}

impl<'a> Fields<'a> {
    pub(super) fn new(raw: &'a RawApp, places: &'a Places, nth: usize) -> Self {
        Self {
            raw,
            problems: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            keys: &raw.keys,
            inside: None,
            places,
            nth,
        }
    }

    /// A field by its own name.
    pub(super) fn get(&self, name: &str) -> Option<&'a Written> {
        self.keys.get(name)
    }

    /// Reads a field; a value that is none becomes a problem, and the field counts as absent.
    pub(super) fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Reading<T>,
    ) -> Option<T> {
        let written = self.get(name)?;
        match read(&written.value) {
            Ok(read) => Some(read),
            Err(hint) => {
                self.refuse(name, written, hint);
                None
            }
        }
    }

    /// Notes a value that will not do in the field `name`.
    pub(super) fn refuse(&mut self, name: &str, written: &Written, hint: Option<String>) {
        let Written { key, value } = written;
        let expected = self.expected(name);
        self.mismatch(key, None, value::shown(value), expected, hint);
    }

    /// What should stand in a field.
    pub(super) fn expected(&self, name: &str) -> &'static str {
        self.keys
            .table()
            .field(name)
            .map_or("another value", Field::expected)
    }

    /// Reads the object in the field `name` by a table of its own; anything but an object becomes a problem.
    pub(super) fn inside<T>(
        &mut self,
        name: &str,
        table: Table,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let written = self.get(name)?;
        if let Some(object) = value::object(&written.value) {
            return Some(self.object(table, (&written.key, ""), object, read));
        }
        self.refuse(name, written, None);
        None
    }

    /// Reads an object that stands in the field `key`, by a table of its own; `below` is the way to it from there, such as
    /// `.db`.
    pub(super) fn object<T>(
        &mut self,
        table: Table,
        (key, below): (&str, &str),
        object: &Map<String, Value>,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> T {
        let keys = Folded::new(table, object.clone());
        let inside = match &self.inside {
            None => Inside {
                key: key.to_owned(),
                way: format!("{key}{below}"),
            },
            Some(Inside { key: outer, way }) => Inside {
                key: outer.clone(),
                way: format!("{way}.{key}{below}"),
            },
        };
        let mut fields = Fields {
            raw: self.raw,
            problems: std::mem::take(&mut self.problems),
            warnings: std::mem::take(&mut self.warnings),
            notes: std::mem::take(&mut self.notes),
            keys: &keys,
            inside: Some(inside),
            places: self.places,
            nth: self.nth,
        };
        fields.oddities();
        let read = read(&mut fields);
        let Fields {
            problems,
            warnings,
            notes,
            ..
        } = fields;
        self.problems = problems;
        self.warnings = warnings;
        self.notes = notes;
        read
    }

    /// Notes what does nothing: fields without an effect, keys that nobody knows, keys that say again what another says.
    pub(super) fn oddities(&mut self) {
        self.without_effect();
        for Written { key, .. } in &self.keys.unknown {
            let hint =
                nearest(self.keys.table(), key).map(|like| format!("did you mean {like:?}?"));
            let problem = self.problem(Some(key), Fault::UnknownField);
            self.warnings.push(Problem { hint, ..problem });
        }
        for (key, taken) in &self.keys.twice {
            let fault = Fault::Twice {
                taken: taken.clone(),
            };
            let problem = self.problem(Some(key), fault);
            self.warnings.push(problem);
        }
    }

    fn without_effect(&mut self) {
        let mut fields = Vec::new();
        for (field, Written { key, .. }) in self.keys.asking() {
            match field.standing() {
                Standing::ActedOn => {}
                Standing::NotActedOn => fields.push(key.clone()),
                Standing::NoEffect(why) => {
                    let problem = self.problem(Some(key), Fault::NoEffect { why });
                    self.notes.push(problem);
                }
            }
        }
        if let Some(first) = fields.first() {
            let at = self.location(Some(first));
            let problem = self.problem(None, Fault::NotActedOn { fields });
            self.warnings.push(Problem { at, ..problem });
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

    /// A problem of the app, of an object in it, or of a key of either.
    pub(super) fn problem(&self, key: Option<&str>, fault: Fault) -> Problem {
        let RawApp { path, file, .. } = self.raw;
        let way = self.inside.as_ref().map(|inside| inside.way.as_str());
        let parts = [Some(path.as_str()), way, key];
        let parts: Vec<_> = parts
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        Problem {
            path: parts.join("."),
            app: self.name(),
            file: file.clone(),
            at: self.location(key),
            fault,
            hint: None,
        }
    }

    /// Where the app, or one of its keys, is written.
    pub(super) fn location(&self, key: Option<&str>) -> Option<Location> {
        let key = match &self.inside {
            Some(inside) => Some(inside.key.as_str()),
            None => key,
        };
        self.places.find(self.raw, key, self.nth)
    }

    fn name(&self) -> Option<String> {
        let name = self.raw.get("name")?.value.as_str()?;
        Some(name.to_owned())
    }
}

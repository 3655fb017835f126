//! PM2's loose shape: fields by whatever name, folded to one, with the key kept as it was written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::fields::{APP, Field, Standing, Table, snake};

/// A value with the key it was written under.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// An object whose keys are folded to the names of fields; `null` is as good as absent.
#[derive(Debug)]
pub(crate) struct Folded {
    table: Table,
    fields: BTreeMap<&'static str, Written>,
    /// Keys nobody knows, with what they hold.
    pub(crate) unknown: Vec<Written>,
    /// Keys that say another thing than the key that counts: (key, key that counts).
    pub(crate) twice: Vec<(String, String)>,
}

impl Folded {
    /// Folds the keys of an object by a table of fields.
    pub(crate) fn new(table: Table, object: Map<String, Value>) -> Self {
        let mut folded = Self {
            table,
            fields: BTreeMap::new(),
            unknown: Vec::new(),
            twice: Vec::new(),
        };
        let mut keys: Vec<_> = object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect();
        // A field's own name counts before its other names.
        keys.sort_by_key(|(key, _)| rank(table, key));
        for (key, value) in keys {
            let written = Written { key, value };
            match table.meant_by(&written.key) {
                Some(field) => folded.set(field, written),
                None => folded.unknown.push(written),
            }
        }
        folded
    }

    fn set(&mut self, field: &Field, written: Written) {
        match self.fields.get(field.name()) {
            Some(first) if first.value != written.value => {
                self.twice.push((written.key, first.key.clone()));
            }
            Some(_) => {}
            None => {
                self.fields.insert(field.name(), written);
            }
        }
    }

    /// The fields that may stand in it.
    pub(crate) fn table(&self) -> Table {
        self.table
    }

    /// A field by its own name.
    pub(crate) fn get(&self, name: &str) -> Option<&Written> {
        self.fields.get(name)
    }

    /// The fields that ask for something, each with what was written.
    pub(crate) fn asking(&self) -> impl Iterator<Item = (&'static Field, &Written)> {
        self.table
            .fields()
            .filter_map(|field| Some((field, self.get(field.name())?)))
            .filter(|(_, written)| asks(&written.value))
    }
}

/// An app as it stands in a file.
#[derive(Debug)]
pub(crate) struct RawApp {
    /// `apps[2]`; nothing when the file, or the command, is one app.
    pub(crate) path: String,
    /// The file that defines it; nothing for a command.
    pub(crate) file: Option<PathBuf>,
    /// Its fields.
    pub(crate) keys: Folded,
    /// `env_<block>`.
    pub(crate) blocks: BTreeMap<String, Written>,
}

impl RawApp {
    /// Folds the keys of an object.
    pub(crate) fn new(path: String, file: Option<PathBuf>, object: Map<String, Value>) -> Self {
        let mut keys = Folded::new(APP, object);
        let mut blocks = BTreeMap::new();
        for written in std::mem::take(&mut keys.unknown) {
            match written.key.strip_prefix("env_") {
                Some(block) if !block.is_empty() => {
                    blocks.insert(block.to_owned(), written);
                }
                Some(_) | None => keys.unknown.push(written),
            }
        }
        Self {
            path,
            file,
            keys,
            blocks,
        }
    }

    /// A field by its own name.
    pub(crate) fn get(&self, name: &str) -> Option<&Written> {
        self.keys.get(name)
    }
}

/// Whether a value asks for anything: `merge_logs: false` does not.
fn asks(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty() && text != "0",
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

/// 0 for a field's own name, then its other names in their order.
fn rank(table: Table, key: &str) -> usize {
    let snake = snake(key);
    table
        .meant_by(key)
        .and_then(|field| field.names().position(|name| name == key || name == snake))
        .unwrap_or_default()
}

/// The field of a table that `key` may have been meant for.
pub(crate) fn nearest(table: Table, key: &str) -> Option<&'static str> {
    let names = table
        .fields()
        .filter(|field| match field.standing() {
            Standing::ActedOn | Standing::NotActedOn => true,
            Standing::NoEffect(_) => false,
        })
        .flat_map(Field::names);
    closest(&snake(key), names)
}

/// The candidate most like `text`, if any is like it.
pub(crate) fn closest<'a>(
    text: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .map(|name| (strsim::jaro_winkler(text, name), name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

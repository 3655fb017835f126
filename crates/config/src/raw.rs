//! PM2's loose shape: fields by whatever name, folded to one, with the key kept as it was written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

/// What this version does with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It shapes the app.
    ActedOn,
    /// PM2 acts on it, this version does not, and says so.
    NotActedOn,
    /// It is about PM2's own insides or its agent inside of node programs: there is nothing to act on, and nothing to say.
    Meaningless,
}

/// A field: its name, and PM2's other names for it. The camelCase form of each is understood as well.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    aliases: &'static [&'static str],
    pub(crate) standing: Standing,
}

const fn acted(name: &'static str, aliases: &'static [&'static str]) -> Field {
    Field {
        name,
        aliases,
        standing: Standing::ActedOn,
    }
}

const fn unacted(name: &'static str, aliases: &'static [&'static str]) -> Field {
    Field {
        name,
        aliases,
        standing: Standing::NotActedOn,
    }
}

const fn meaningless(name: &'static str) -> Field {
    Field {
        name,
        aliases: &[],
        standing: Standing::Meaningless,
    }
}

/// Every field that is known.
pub(crate) const FIELDS: &[Field] = &[
    acted("name", &[]),
    acted("script", &["exec", "cmd", "command"]),
    acted("namespace", &[]),
    acted("cwd", &[]),
    acted("args", &[]),
    acted("interpreter", &["exec_interpreter"]),
    acted("interpreter_args", &["node_args"]),
    acted("exec_mode", &[]),
    acted("instances", &[]),
    acted("instance_var", &[]),
    acted("increment_var", &[]),
    acted("env", &[]),
    acted("port", &[]),
    acted("filter_env", &[]),
    acted("append_env_to_name", &[]),
    acted("uid", &["user"]),
    acted("gid", &["group"]),
    acted("autostart", &[]),
    acted("autorestart", &[]),
    acted("stop_exit_codes", &[]),
    acted("min_uptime", &[]),
    acted("max_restarts", &[]),
    acted("restart_delay", &[]),
    acted("exp_backoff_restart_delay", &[]),
    acted("max_memory_restart", &[]),
    acted("kill_timeout", &[]),
    acted("kill_signal", &["stop_signal"]),
    acted("shutdown_with_message", &[]),
    acted("treekill", &[]),
    acted("wait_ready", &[]),
    acted("listen_timeout", &[]),
    acted("watch", &[]),
    acted("ignore_watch", &[]),
    acted("watch_delay", &[]),
    acted("watch_options", &[]),
    unacted("cron_restart", &["cron"]),
    unacted("depends_on", &[]),
    unacted("disable_logs", &[]),
    unacted("env_file", &[]),
    unacted("error_file", &["error", "err", "err_file", "err_log"]),
    unacted("hosts", &[]),
    unacted("log_date_format", &[]),
    unacted("log_file", &["log"]),
    unacted("log_overflow", &[]),
    unacted("log_type", &[]),
    unacted("merge_logs", &["combine_logs"]),
    unacted("name_prefix", &[]),
    unacted("out_file", &["out", "output", "out_log"]),
    unacted("pid_file", &["pid"]),
    unacted("post_update", &[]),
    unacted("time", &[]),
    meaningless("automation"),
    meaningless("deep_monitoring"),
    meaningless("disable_source_map_support"),
    meaningless("disable_trace"),
    meaningless("event_loop_inspector"),
    meaningless("execute_command"),
    meaningless("force"),
    meaningless("install_url"),
    meaningless("io"),
    meaningless("kill_retry_time"),
    meaningless("pmx"),
    meaningless("source_map_support"),
    meaningless("trace"),
    meaningless("username"),
    meaningless("v8"),
    meaningless("vizion"),
    meaningless("windows_hide"),
    meaningless("write"),
];

/// A value with the key it was written under.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// An app as it stands in a file.
#[derive(Debug, Default)]
pub(crate) struct RawApp {
    /// `apps[2]`; nothing when the file, or the command, is one app.
    pub(crate) path: String,
    /// The file that defines it; nothing for a command.
    pub(crate) file: Option<PathBuf>,
    /// Known fields by name; `null` is as good as absent.
    fields: BTreeMap<&'static str, Written>,
    /// `env_<block>`.
    pub(crate) blocks: BTreeMap<String, Written>,
    /// Keys nobody knows.
    pub(crate) unknown: Vec<String>,
    /// Keys that say another thing than the key that counts: (key, key that counts).
    pub(crate) twice: Vec<(String, String)>,
}

impl RawApp {
    /// Folds the keys of an object.
    pub(crate) fn new(path: String, file: Option<PathBuf>, object: Map<String, Value>) -> Self {
        let mut app = Self {
            path,
            file,
            ..Self::default()
        };
        let mut keys: Vec<_> = object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect();
        // A field's own name counts before its other names.
        keys.sort_by_key(|(key, _)| rank(key));
        for (key, value) in keys {
            if let Some(field) = field(&key) {
                app.set(field, Written { key, value });
            } else if let Some(block) = key.strip_prefix("env_").filter(|block| !block.is_empty()) {
                app.blocks.insert(block.to_owned(), Written { key, value });
            } else {
                app.unknown.push(key);
            }
        }
        app
    }

    fn set(&mut self, field: &Field, written: Written) {
        match self.fields.get(field.name) {
            Some(first) if first.value != written.value => {
                self.twice.push((written.key, first.key.clone()));
            }
            Some(_) => {}
            None => {
                self.fields.insert(field.name, written);
            }
        }
    }

    /// A field by its own name.
    pub(crate) fn get(&self, name: &str) -> Option<&Written> {
        self.fields.get(name)
    }

    /// The keys, as written, of fields that ask for something which this version does not do.
    pub(crate) fn not_acted_on(&self) -> Vec<String> {
        FIELDS
            .iter()
            .filter(|field| field.standing == Standing::NotActedOn)
            .filter_map(|field| self.get(field.name))
            .filter(|written| asks(&written.value))
            .map(|written| written.key.clone())
            .collect()
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

fn field(key: &str) -> Option<&'static Field> {
    let snake = snake(key);
    FIELDS.iter().find(|field| {
        std::iter::once(&field.name)
            .chain(field.aliases)
            .any(|name| *name == key || *name == snake)
    })
}

/// 0 for a field's own name, then its other names in their order.
fn rank(key: &str) -> usize {
    let snake = snake(key);
    field(key)
        .and_then(|field| {
            field
                .aliases
                .iter()
                .position(|name| *name == key || *name == snake)
        })
        .map_or(0, |place| place + 1)
}

/// `maxMemoryRestart` as `max_memory_restart`.
fn snake(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// The known field that `key` may have been meant for.
pub(crate) fn nearest(key: &str) -> Option<&'static str> {
    let snake = snake(key);
    let names = FIELDS
        .iter()
        .filter(|field| field.standing != Standing::Meaningless)
        .flat_map(|field| std::iter::once(&field.name).chain(field.aliases));
    closest(&snake, names.copied())
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

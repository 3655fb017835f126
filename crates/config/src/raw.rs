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
    acted("name_prefix", &[]),
    acted("script", &["exec", "cmd", "command"]),
    acted("namespace", &[]),
    acted("cwd", &[]),
    acted("args", &[]),
    acted("interpreter", &["exec_interpreter"]),
    acted("interpreter_args", &["node_args"]),
    acted("source_map_support", &[]),
    acted("disable_source_map_support", &[]),
    acted("exec_mode", &[]),
    acted("execute_command", &[]),
    acted("instances", &[]),
    acted("instance_var", &[]),
    acted("increment_var", &[]),
    acted("env", &[]),
    acted("env_file", &["env_files"]),
    acted("port", &[]),
    acted("filter_env", &[]),
    acted("append_env_to_name", &[]),
    acted("uid", &["user", "username"]),
    acted("gid", &["group"]),
    acted("oneshot", &[]),
    acted("depends_on", &[]),
    acted("autostart", &[]),
    acted("autorestart", &["restart_policy", "restart"]),
    acted("stop_exit_codes", &[]),
    acted("min_uptime", &[]),
    acted("max_restarts", &[]),
    acted("restart_delay", &[]),
    acted("exp_backoff_restart_delay", &[]),
    acted("cron_restart", &["cron"]),
    acted("cron_timezone", &["timezone"]),
    acted("max_memory_restart", &[]),
    acted("limits", &[]),
    acted("kill_timeout", &["stop_grace"]),
    acted("kill_signal", &["stop_signal"]),
    acted("shutdown_with_message", &[]),
    acted("treekill", &[]),
    acted("wait_ready", &[]),
    acted("listen_timeout", &[]),
    acted("readiness", &[]),
    acted("liveness", &[]),
    acted("pid_file", &["pid"]),
    acted("watch", &[]),
    acted("ignore_watch", &[]),
    acted("watch_delay", &[]),
    acted("watch_options", &[]),
    unacted("disable_logs", &[]),
    unacted("error_file", &["error", "err", "err_file", "err_log"]),
    unacted("hosts", &[]),
    unacted("log_date_format", &[]),
    unacted("log_file", &["log"]),
    unacted("log_overflow", &[]),
    unacted("log_type", &[]),
    unacted("merge_logs", &["combine_logs"]),
    unacted("out_file", &["out", "output", "out_log"]),
    unacted("time", &[]),
    meaningless("automation"),
    meaningless("deep_monitoring"),
    meaningless("disable_trace"),
    meaningless("event_loop_inspector"),
    meaningless("force"),
    meaningless("install_url"),
    meaningless("io"),
    meaningless("kill_retry_time"),
    meaningless("pmx"),
    meaningless("post_update"),
    meaningless("trace"),
    meaningless("v8"),
    meaningless("vizion"),
    meaningless("windows_hide"),
    meaningless("write"),
];

/// The fields of `readiness`.
pub(crate) const READINESS: &[Field] = &[
    acted("http", &[]),
    acted("tcp", &[]),
    acted("exec", &[]),
    acted("log", &[]),
    acted("notify", &[]),
    acted("interval", &[]),
    acted("timeout", &[]),
    acted("start_period", &[]),
    acted("successes", &[]),
    acted("failures", &[]),
    acted("within", &[]),
];

/// The fields of `liveness`.
pub(crate) const LIVENESS: &[Field] = &[
    acted("http", &[]),
    acted("tcp", &[]),
    acted("exec", &[]),
    acted("notify", &[]),
    acted("output", &[]),
    acted("silence", &[]),
    acted("interval", &[]),
    acted("timeout", &[]),
    acted("start_period", &[]),
    acted("successes", &[]),
    acted("failures", &[]),
    acted("action", &[]),
];

/// The fields of a probe's `http`.
pub(crate) const HTTP: &[Field] = &[
    acted("url", &[]),
    acted("port", &[]),
    acted("path", &[]),
    acted("status", &[]),
];

/// The fields of `limits`.
pub(crate) const LIMITS: &[Field] = &[
    acted("memory", &[]),
    acted("cpu", &[]),
    acted("tasks", &["pids"]),
    acted("open_files", &["nofile"]),
];

/// The fields of what stands behind a name in `depends_on`.
pub(crate) const DEPENDENCY: &[Field] = &[acted("condition", &[])];

/// A value with the key it was written under.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// An object whose keys are folded to the names of fields; `null` is as good as absent.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    fields: BTreeMap<&'static str, Written>,
    /// Keys nobody knows, with what they hold.
    pub(crate) unknown: Vec<Written>,
    /// Keys that say another thing than the key that counts: (key, key that counts).
    pub(crate) twice: Vec<(String, String)>,
}

impl Folded {
    /// Folds the keys of an object by a table of fields.
    pub(crate) fn new(table: &[Field], object: Map<String, Value>) -> Self {
        let mut folded = Self::default();
        let mut keys: Vec<_> = object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect();
        // A field's own name counts before its other names.
        keys.sort_by_key(|(key, _)| rank(table, key));
        for (key, value) in keys {
            let written = Written { key, value };
            match field(table, &written.key) {
                Some(field) => folded.set(field, written),
                None => folded.unknown.push(written),
            }
        }
        folded
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
}

/// An app as it stands in a file.
#[derive(Debug, Default)]
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
        let mut keys = Folded::new(FIELDS, object);
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

fn field<'a>(table: &'a [Field], key: &str) -> Option<&'a Field> {
    let snake = snake(key);
    table.iter().find(|field| {
        std::iter::once(&field.name)
            .chain(field.aliases)
            .any(|name| *name == key || *name == snake)
    })
}

/// 0 for a field's own name, then its other names in their order.
fn rank(table: &[Field], key: &str) -> usize {
    let snake = snake(key);
    field(table, key)
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

/// The field of a table that `key` may have been meant for.
pub(crate) fn nearest(table: &'static [Field], key: &str) -> Option<&'static str> {
    let snake = snake(key);
    let names = table
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

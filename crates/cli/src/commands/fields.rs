//! Fields of an ecosystem file as options of `eco start`, for a script or command that has no file. Made from the table of
//! fields, so that what may stand in a file may be said here by the same name: `max_memory_restart` is
//! `--max-memory-restart`.

use clap::{Arg, ArgAction, ArgMatches, Command};
use eco_config::fields::{APP, Absent, Field, Shape, Standing};
use serde_json::{Map, Value};

/// One-letter options that PM2 has for fields.
const SHORT: [(&str, char); 3] = [
    ("instances", 'i'),
    ("kill_timeout", 'k'),
    ("cron_restart", 'c'),
];
/// What has an argument of its own, or is said in a file, since it is divided into fields again.
const LEFT_OUT: [&str; 3] = ["script", "name", "args"];

/// The fields that were said, by their names in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(Map<String, Value>);

/// How a field is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Its option alone.
    Alone,
    /// With a value behind.
    With,
    /// With a value behind, and more of them.
    Several,
    /// Its option alone, or values behind a `=`.
    MaybeWith,
}

impl Fields {
    /// Whether none was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For whoever makes an app of them.
    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl clap::Args for Fields {
    fn augment_args(command: Command) -> Command {
        let options = sayable().flat_map(|(field, manner)| {
            let yes = (!is_on(field)).then(|| option(field, manner));
            let no = may_be_off(field, manner).then(|| negation(field));
            yes.into_iter().chain(no)
        });
        command
            .next_help_heading(
                "Fields of a script or command, as in a file (docs/configuration.md)",
            )
            .args(options)
            .next_help_heading(None::<&str>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Fields {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let said = sayable().filter_map(|(field, manner)| {
            let is_taken_back = may_be_off(field, manner) && matches.get_flag(&negated(field));
            let value = if is_taken_back {
                Value::Bool(false)
            } else {
                value(field, manner, matches)?
            };
            Some((field.name().to_owned(), value))
        });
        Ok(Self(said.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

/// The fields that an option can say.
fn sayable() -> impl Iterator<Item = (&'static Field, Manner)> {
    APP.fields()
        .filter(|field| field.standing() == Standing::ActedOn && !LEFT_OUT.contains(&field.name()))
        .filter_map(|field| Some((field, manner(field.shape())?)))
}

/// `None`: it takes more than words.
fn manner(shape: Shape) -> Option<Manner> {
    match shape {
        Shape::Flag => Some(Manner::Alone),
        Shape::Text
        | Shape::AnyText
        | Shape::Whole(_)
        | Shape::Number
        | Shape::Port
        | Shape::Account
        | Shape::Duration
        | Shape::Size
        | Shape::OneOf(_) => Some(Manner::With),
        Shape::Words | Shape::List(_) => Some(Manner::Several),
        Shape::Either(shapes) => {
            let manners: Vec<_> = shapes.iter().copied().filter_map(manner).collect();
            match manners.as_slice() {
                [Manner::Alone, _, ..] => Some(Manner::MaybeWith),
                all if all.contains(&Manner::Several) => Some(Manner::Several),
                [first, ..] => Some(*first),
                [] => None,
            }
        }
        Shape::Variables | Shape::Keyed(_) | Shape::Object(_) | Shape::Anything => None,
    }
}

/// Whether it is a flag that is set without being said.
fn is_on(field: &Field) -> bool {
    field.absent() == Absent::Json("true")
}

/// Whether it can be said that it is not so.
fn may_be_off(field: &Field, manner: Manner) -> bool {
    is_on(field) || manner == Manner::MaybeWith
}

fn option(field: &'static Field, manner: Manner) -> Arg {
    let bare = Arg::new(field.name())
        .long(kebab(field.name()))
        .aliases(field.aliases().iter().map(|alias| kebab(alias)))
        .help(field.about())
        .hide_short_help(true);
    let lettered = match SHORT.iter().find(|(name, _)| *name == field.name()) {
        Some((_, letter)) => bare.short(*letter),
        None => bare,
    };
    match manner {
        Manner::Alone => lettered.action(ArgAction::SetTrue),
        Manner::With => lettered.value_name("VALUE").allow_hyphen_values(true),
        Manner::Several => lettered
            .value_name("VALUE")
            .allow_hyphen_values(true)
            .action(ArgAction::Append),
        Manner::MaybeWith => lettered
            .value_name("VALUE")
            .num_args(0..=1)
            .require_equals(true)
            .action(ArgAction::Append),
    }
}

fn negation(field: &'static Field) -> Arg {
    Arg::new(negated(field))
        .long(format!("no-{}", kebab(field.name())))
        .help(format!("The same as `{}: false`.", field.name()))
        .hide_short_help(true)
        .action(ArgAction::SetTrue)
}

fn negated(field: &Field) -> String {
    format!("no_{}", field.name())
}

fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

/// `None`: it was not said. One value stands as it would in a file, so that a list may be one text there, too.
fn value(field: &Field, manner: Manner, matches: &ArgMatches) -> Option<Value> {
    if manner == Manner::Alone {
        let is_said = !is_on(field) && matches.get_flag(field.name());
        return is_said.then_some(Value::Bool(true));
    }
    let mut values: Vec<Value> = matches
        .get_many::<String>(field.name())
        .into_iter()
        .flatten()
        .map(|text| Value::String(text.clone()))
        .collect();
    match values.len() {
        0 => matches
            .contains_id(field.name())
            .then_some(Value::Bool(true)),
        1 => values.pop(),
        _ => Some(Value::Array(values)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        targets: Vec<String>,
        #[command(flatten)]
        fields: Fields,
    }

    fn said(words: &[&str]) -> Value {
        let line = std::iter::once("start").chain(words.iter().copied());
        let line = Line::try_parse_from(line).expect("a sound command line");
        assert_eq!(line.targets, ["a.js"], "{words:?}");
        Value::Object(line.fields.0)
    }

    #[test]
    fn what_is_not_said_is_no_field() {
        assert_eq!(said(&["a.js"]), json!({}));
    }

    #[test]
    fn what_pm2_s_users_type_is_understood() {
        for (words, fields) in [
            (
                &["a.js", "-i", "4", "--watch"][..],
                json!({ "instances": "4", "watch": true }),
            ),
            (&["-i", "max", "a.js"], json!({ "instances": "max" })),
            (&["-i", "-1", "a.js"], json!({ "instances": "-1" })),
            (
                &["a.js", "--max-memory-restart", "300M"],
                json!({ "max_memory_restart": "300M" }),
            ),
            (
                &["a.js", "--node-args=--inspect"],
                json!({ "interpreter_args": "--inspect" }),
            ),
            (
                &["a.js", "--cron", "0 3 * * *", "-k", "5000"],
                json!({ "cron_restart": "0 3 * * *", "kill_timeout": "5000" }),
            ),
            (
                &["a.js", "--no-autorestart", "--no-treekill"],
                json!({ "autorestart": false, "treekill": false }),
            ),
            (
                &["a.js", "--stop-exit-codes", "1", "--stop-exit-codes", "2"],
                json!({ "stop_exit_codes": ["1", "2"] }),
            ),
            (
                &["a.js", "--wait-ready", "--shutdown-with-message"],
                json!({ "wait_ready": true, "shutdown_with_message": true }),
            ),
            (
                &["a.js", "--interpreter", "none", "--cwd", "/srv"],
                json!({ "interpreter": "none", "cwd": "/srv" }),
            ),
        ] {
            assert_eq!(said(words), fields, "{words:?}");
        }
    }

    #[test]
    fn a_flag_with_a_value_has_it_behind_a_sign_so_that_a_target_may_follow() {
        assert_eq!(said(&["--watch", "a.js"]), json!({ "watch": true }));
        assert_eq!(
            said(&["--watch=src", "--watch=lib", "a.js"]),
            json!({ "watch": ["src", "lib"] })
        );
        assert_eq!(
            said(&["--autorestart=on-failure", "a.js"]),
            json!({ "autorestart": "on-failure" })
        );
    }

    #[test]
    fn fields_with_fields_of_their_own_stand_in_files() {
        let said: Vec<_> = sayable().map(|(field, _)| field.name()).collect();
        for name in [
            "script",
            "env",
            "readiness",
            "liveness",
            "limits",
            "watch_options",
        ] {
            assert!(!said.contains(&name), "{name}");
        }
        assert!(said.contains(&"depends_on"));
    }
}

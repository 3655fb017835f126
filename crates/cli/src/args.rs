//! The command line. The documentation of the verbs' own arguments is with the verbs.

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::{
    apply, attach, config, delete, describe, diff, env, events, flush, id, init, kill, list, logs,
    pid, ping, reload_logs, reset, restart, resurrect, save, scale, schema, send, signal, start,
    stop, trigger, update, validate, watch, why,
};
use crate::surroundings::Surroundings;

/// Run the processes of a project, keep their output, and bring them back.
///
/// eco reads PM2 ecosystem files. Apps are named ENVIRONMENT/NAME; a SELECTOR is a name, ENVIRONMENT/NAME, an id, a glob
/// ('mds-*'), a /regex/, a namespace, 'all', a config file or a folder with one.
#[derive(Debug, Parser)]
#[command(
    name = "eco",
    version = eco_proto::VERSION,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Examples:\n  \
        eco start dev              everything in process-manager/dev, found from any folder below\n  \
        eco list                   what runs\n  \
        eco logs -f 'mds-*'        follow some of it\n  \
        eco restart dev/mds-fetcher\n\n\
        ECO_HOME is where eco lives (default: ~/.eco). ECO_ENVIRONMENT stands for --environment.\n\n\
        Exit codes:\n  \
        0    done\n  \
        1    the request or a file is wrong, or an app did not do as asked\n  \
        2    the command line cannot be understood; of eco diff: something would change\n  \
        3    whoever read the output has gone\n  \
        4    a daemon cannot be reached, started or talked with\n  \
        255  a fault of eco"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every verb takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Environment that is meant, also by `ECO_ENVIRONMENT`
    #[arg(short = 'E', long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) environment: Option<String>,
    /// When to use colours; `NO_COLOR` is heeded
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// The same as --color never
    #[arg(long, global = true, hide = true, conflicts_with = "color")]
    no_color: bool,
    /// Say nothing but data, warnings and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

impl Global {
    /// When to use colours.
    pub(crate) const fn color(&self) -> Color {
        if self.no_color {
            Color::Never
        } else {
            self.color
        }
    }

    /// The environment that the person chose.
    pub(crate) fn environment(&self, surroundings: &Surroundings) -> Option<String> {
        self.environment
            .clone()
            .or_else(|| surroundings.variable("ECO_ENVIRONMENT").map(str::to_owned))
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// All verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    #[command(flatten)]
    OfApps(Command),
    #[command(flatten)]
    OfFiles(FileCommand),
}

/// The verbs about files, which need neither a home nor a daemon.
#[derive(Debug, Subcommand)]
pub(crate) enum FileCommand {
    Init(init::Args),
    Validate(validate::Args),
    Config(config::Args),
    Schema(schema::Args),
}

/// The verbs about apps.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Start(start::Args),
    #[command(visible_aliases = ["ls", "l", "ps", "status"])]
    List(list::Args),
    #[command(visible_alias = "log")]
    Logs(Box<logs::Args>),
    Why(why::Args),
    Flush(flush::Args),
    #[command(visible_alias = "reloadLogs")]
    ReloadLogs(reload_logs::Args),
    Events(events::Args),
    Diff(diff::Args),
    Apply(apply::Args),
    Restart(restart::Args),
    Stop(stop::Args),
    #[command(visible_aliases = ["del", "rm"])]
    Delete(delete::Args),
    Scale(scale::Args),
    Reset(reset::Args),
    #[command(visible_aliases = ["desc", "info", "show"])]
    Describe(describe::Args),
    Watch(watch::Args),
    Env(env::Args),
    Pid(pid::Args),
    Id(id::Args),
    Resurrect(resurrect::Args),
    #[command(visible_alias = "dump")]
    Save(save::Args),
    Trigger(trigger::Args),
    Send(send::Args),
    Attach(attach::Args),
    #[command(visible_alias = "sendSignal")]
    Signal(signal::Args),
    Kill(kill::Args),
    Ping(ping::Args),
    Update(update::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_speaks_json() {
        for verb in Cli::command().get_subcommands() {
            let mut arguments = verb.get_arguments();
            let speaks = arguments.any(|argument| argument.get_id() == "json");
            assert!(speaks, "{}", verb.get_name());
        }
    }

    #[test]
    fn every_verb_shows_examples() {
        for verb in Cli::command().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Example")),
                "{}",
                verb.get_name()
            );
        }
    }
}

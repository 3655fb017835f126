//! `eco start`

use super::bring_up::{BringUp, Needs, bring_up};
use super::conclude::Conclusion;
use super::fields::Fields;
use super::plan::{Purpose, Reading, plan};
use super::session::Session;
use crate::error::CliError;

/// Start apps, and wait until they are up
///
/// TARGET is looked up in this order, and eco says what it took: - (an ecosystem file on stdin, its paths counted from the
/// working directory), a file (an ecosystem file, or a script to run), a folder with an ecosystem file, an environment
/// (`dev`: the nearest process-manager/dev or dev upwards), known apps, a command on PATH. Without TARGET: the ecosystem
/// file of the working directory. Apps that are up and unchanged are left alone.
///
/// Ecosystem files may be JavaScript (scripts and ES modules), TypeScript, JSON, YAML or TOML. eco evaluates programs by
/// itself; one that uses what only node has, such as child processes, is given to the node on PATH, and eco says so.
/// `ECO_CONFIG_RUNTIME` may be quickjs (never node), node (always) or auto.
///
/// Apps begin in the order of their `depends_on`, and what is down and needed is started too. A oneshot runs again, and is
/// waited for until it has completed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco start dev\n  \
    eco start ecosystem.config.js --only 'mds-*,public-api'\n  \
    eco start production --env production\n  \
    eco start server.js --name api -- --port 3000\n  \
    eco start worker.py -i 4 --watch=src --max-memory-restart 300M\n  \
    jq '.apps |= map(.instances = 1)' ecosystem.json | eco start -\n  \
    eco start 'mds-*'                       known apps that are stopped")]
pub(crate) struct Args {
    /// File, folder, environment, selector or command
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Only these apps of the file: names or globs, divided by commas
    #[arg(long, value_name = "NAMES")]
    only: Vec<String>,
    /// Block of variables to apply: `env_NAME` (default: the environment's name)
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Name of the app, for a script or command
    #[arg(long, short = 'n')]
    name: Option<String>,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    needs: Needs,
    #[command(flatten)]
    conclusion: Conclusion,
    /// Arguments of a script or command
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let reading = Reading {
        only: args.only,
        env_block: args.env,
        name: args.name,
        arguments: args.arguments,
        fields: args.fields,
    };
    let mut agent = None;
    let plan = plan(session, &mut agent, &args.targets, &reading, Purpose::Start).await?;
    let (needs, conclusion) = (args.needs, &args.conclusion);
    bring_up(session, agent, plan, BringUp::Start, needs, conclusion).await
}

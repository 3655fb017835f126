//! The verbs, one file each: what its arguments are (their documentation is the help), and what it does.
//!
//! ```text
//!  start restart ─▶ plan (words ─▶ specifications, selectors) ─┐
//!  stop delete ─┬─▶ selection (words ─▶ selectors) ────────────┼─▶ agent ─▶ conclude (wait, tell, table, failures)
//!  scale reset ─┘                                              │
//!  resurrect ──────────────────────────────────────────────────┘
//!  trigger send signal attach ─▶ selection ─▶ agent ─▶ spoken (what came of it, failures)
//!  list describe watch env pid id ─▶ selection ─▶ agent ┬─▶ view ─▶ render
//!  logs flush ─▶ sources ─▶ agent, then the log daemon ─┤
//!  reload-logs ─▶ the log daemon ────────────────────────┘
//!  validate config init schema ─▶ files (words ─▶ files), no agent needed ─▶ view ─▶ render
//! ```

mod bring_up;
mod conclude;
mod daemons;
mod desk;
mod failure;
mod fields;
mod files;
mod plan;
mod selection;
mod session;
mod sources;
mod spoken;
mod tail;

pub(crate) mod apply;
pub(crate) mod attach;
pub(crate) mod config;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod diff;
pub(crate) mod env;
pub(crate) mod events;
pub(crate) mod flush;
pub(crate) mod id;
pub(crate) mod init;
pub(crate) mod kill;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod pid;
pub(crate) mod ping;
pub(crate) mod reload_logs;
pub(crate) mod reset;
pub(crate) mod restart;
pub(crate) mod resurrect;
pub(crate) mod save;
pub(crate) mod scale;
pub(crate) mod schema;
pub(crate) mod send;
pub(crate) mod signal;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod trigger;
pub(crate) mod update;
pub(crate) mod validate;
pub(crate) mod watch;
pub(crate) mod why;

use crate::args::{Cli, Command, FileCommand, Verb};
use crate::error::CliError;
use crate::surroundings::Surroundings;
use crate::ui::Ui;
use desk::Desk;
use session::Session;

/// Does what the command line says.
pub(crate) async fn dispatch(
    cli: Cli,
    surroundings: &Surroundings,
    ui: &mut Ui,
) -> Result<(), CliError> {
    match cli.verb {
        Verb::OfApps(command) => {
            let mut session = Session::new(&cli.global, surroundings, ui)?;
            of_apps(&mut session, command).await
        }
        Verb::OfFiles(command) => {
            let mut desk = Desk::new(&cli.global, surroundings, ui);
            of_files(&mut desk, command).await
        }
    }
}

async fn of_files(desk: &mut Desk<'_>, command: FileCommand) -> Result<(), CliError> {
    match command {
        FileCommand::Init(args) => init::run(desk, &args),
        FileCommand::Validate(args) => validate::run(desk, args).await,
        FileCommand::Config(args) => config::run(desk, args),
        FileCommand::Schema(args) => schema::run(desk, &args),
    }
}

async fn of_apps(session: &mut Session<'_>, command: Command) -> Result<(), CliError> {
    match command {
        Command::Apply(args) => apply::run(session, args).await,
        Command::Why(args) => why::run(session, args).await,
        Command::Events(args) => events::run(session, args).await,
        Command::Flush(args) => flush::run(session, args).await,
        Command::ReloadLogs(args) => reload_logs::run(session, args).await,
        Command::Diff(args) => diff::run(session, args).await,
        Command::Start(args) => start::run(session, args).await,
        Command::List(args) => list::run(session, args).await,
        Command::Logs(args) => logs::run(session, *args).await,
        Command::Restart(args) => restart::run(session, args).await,
        Command::Stop(args) => stop::run(session, args).await,
        Command::Delete(args) => delete::run(session, args).await,
        Command::Scale(args) => scale::run(session, args).await,
        Command::Reset(args) => reset::run(session, args).await,
        Command::Describe(args) => describe::run(session, args).await,
        Command::Watch(args) => watch::run(session, args).await,
        Command::Env(args) => env::run(session, args).await,
        Command::Pid(args) => pid::run(session, args).await,
        Command::Id(args) => id::run(session, args).await,
        Command::Resurrect(args) => resurrect::run(session, args).await,
        Command::Save(args) => save::run(session, args).await,
        Command::Trigger(args) => trigger::run(session, args).await,
        Command::Send(args) => send::run(session, args).await,
        Command::Attach(args) => attach::run(session, args).await,
        Command::Signal(args) => signal::run(session, args).await,
        Command::Kill(args) => kill::run(session, args).await,
        Command::Ping(args) => ping::run(session, args).await,
        Command::Update(args) => update::run(session, args).await,
    }
}

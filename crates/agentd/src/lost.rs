//! What the records may not tell: whether anything is left of what was living, since after the restart of a container the
//! host is the same and all processes are gone; and which runs there have been, since records can be lost.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use eco_home::runs::RunId;
use eco_home::{Daemon, Home, run_folders};

use crate::fleet::{AppKey, Fleet, Identity, Loss, RunKey};
use crate::hands;
use crate::keeper::of_key;
use crate::os::process::{self, Process};
use crate::supervisor::run_dir;

/// Looks for the runs that were living: `None` while one is there, a process of one, or their keeper, and where none was.
pub(crate) fn processes(fleet: &Fleet, home: &Home, host: &str, boot_id: &str) -> Option<Loss> {
    let living: Vec<(RunKey, &Identity)> = fleet
        .slots()
        .filter_map(|(key, _, slot)| Some((key.run(slot.machine.run()), slot.identity.as_ref()?)))
        .collect();
    if living.is_empty() || UnixStream::connect(home.socket(Daemon::Keeper)).is_ok() {
        return None;
    }
    let leaders: BTreeSet<(i32, u64)> = living
        .iter()
        .map(|(_, identity)| (identity.pid, identity.start_ticks))
        .collect();
    let marks: BTreeSet<Vec<u8>> = living
        .iter()
        .map(|(run, _)| {
            let folder = run_dir(&home.runs(), host, run);
            hands::mark(&of_key(run), folder.as_os_str().as_bytes(), boot_id)
        })
        .collect();
    let is_of_a_run = |process: &Process| {
        leaders.contains(&(process.pid, process.start_ticks))
            || process::run_mark(process.pid).is_some_and(|mark| marks.contains(&mark))
    };
    let mut all = process::scan().into_iter().filter(Process::is_alive);
    (!all.any(|process| is_of_a_run(&process))).then_some(Loss::Processes)
}

/// The latest runs whose folders are below `runs`. Where they cannot be listed, the records alone have to do.
pub(crate) fn runs(runs: &Path, host: &str) -> Vec<RunKey> {
    let latest = run_folders::latest(runs, host).unwrap_or_else(|error| {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "cannot see which runs there have been"
        );
        Vec::new()
    });
    latest.into_iter().map(key_of).collect()
}

fn key_of(id: RunId) -> RunKey {
    let app = AppKey {
        environment: id.environment,
        name: id.app,
    };
    app.slot(id.instance).run(id.run)
}

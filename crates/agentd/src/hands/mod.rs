//! The keeper: parent of every app, holder of every descriptor, and nothing more.
//!
//! ```text
//!                          agent ◀──── unix socket, frames ────┐
//!                        requests, facts                       ▼
//!            ┌───────────────────────── keeper: one thread, one epoll loop ──────────────────────────┐
//!            │  connection ─▶ requests ─▶ spawn, adopt, signal …         facts ─▶ connection         │
//!            │  SIGCHLD ─▶ ending ─▶ tree: who is left? ─▶ last bytes ─▶ Gone                        │
//!            │  FIFO ─▶ flow ─▶ output ─▶ segment            rest, growth: how often                 │
//!            │  channel, notices ◀─▶ speech ◀─▶ connection                                           │
//!            └──────┬──────────────────────────────────────────────────────▲─────────────────────────┘
//!               fork, exec                                              splice
//!                   ▼                                                      │
//!                  app ── stdout, stderr ── out.fifo, err.fifo ────────────┘──▶ out.0001, err.0001 …
//! ```
//!
//! It decides nothing, so that it seldom changes; it knows no tokio, no gRPC and no configuration, so that it is small;
//! and it is the parent, so that the agent may die and come back while no app notices.
//!
//! Invariants
//! - A run's error never ends the keeper, and never touches another run.
//! - Facts of one run keep their order, and are remembered until the agent forgets the run.
//! - A signal goes to a process that is the run's at that moment (pid and start time), or to none.
//! - A byte that an app wrote to its output is in its FIFO or in its segment, never in the keeper's memory.
//! - What an app says over its channel, or as a notice, is read when an agent is there to hear it, and not before; it is
//!   kept until an agent has acted upon it.
//! - `Gone` is said when no process of the run is left and its FIFOs are empty; while the disk is full it waits.
//! - The keeper ends when it is asked to and has no run left; SIGTERM ends it when no run lives.
//! - Nothing of the keeper's reaches an app: no descriptor, no environment, no signal setting, no raised limit.
//! - A run has a cgroup of its own where one can be made, and lives as well without.

use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::process::ExitCode;

use eco_home::Home;
use nix::libc;

mod adopt;
mod cgroup;
mod cgroups;
mod channel;
mod connection;
mod ending;
mod exec;
mod facts;
mod fifo;
mod flow;
mod gear;
mod growth;
mod keeper;
mod limits;
mod lines;
mod mark;
mod notices;
mod output;
mod overflow;
mod poll;
mod receive;
mod requests;
mod rest;
mod run;
mod say;
mod segment;
mod spawn;
mod speech;
mod tree;
mod unheard;

pub use keeper::KeeperError;
pub(crate) use mark::mark;

/// Keeps the home that the environment names until told to end. A home that is kept already is left to its keeper.
pub fn main() -> ExitCode {
    close_inherited();
    reserve();
    let named = |name| std::env::var_os(name).map(PathBuf::from);
    let home = Home::find(named("ECO_HOME").as_deref(), named("HOME").as_deref());
    match home.map_err(KeeperError::from).and_then(|home| keep(&home)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failed(&"the keeper", &error);
            ExitCode::FAILURE
        }
    }
}

/// Closes what whoever started us left open: it would be held as long as any app lives.
#[expect(unsafe_code, reason = "nix has no close_range")]
fn close_inherited() {
    // SAFETY: the program just began, and owns no descriptor but the standard ones.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

/// Takes the number that an app's channel has, so that nothing of ours that a child needs until its exec is there.
fn reserve() {
    let Ok(file) = std::fs::File::open("/dev/null") else {
        return;
    };
    // The lowest number that is free, after all were closed.
    debug_assert_eq!(file.as_raw_fd(), channel::DESCRIPTOR);
    std::mem::forget(file);
}

/// Keeps `home` until told to end; returns at once when another keeper does.
pub fn keep(home: &Home) -> Result<(), KeeperError> {
    match keeper::Keeper::begin(home)? {
        Some(keeper) => keeper.run(home),
        None => Ok(()),
    }
}

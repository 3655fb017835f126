//! The folder where eco lives, and what its programs share about it.
//!
//! ```text
//! $ECO_HOME, else ~/.eco              mode 0700
//! ├── run/                            sockets and locks: nothing here outlives a reboot
//! │   ├── agentd.sock   agentd.lock
//! │   ├── keeper.sock   keeper.lock
//! │   └── logd.sock     logd.lock
//! ├── log/                            what the daemons themselves say, see [`own_log`]
//! ├── state/                          the agent's database
//! ├── mirrors/                        the log daemon's: how far lines were copied to the files that were asked for
//! └── runs/<host>/<environment>/<app>/<instance>/<run>/      what the apps wrote, see [`runs`]
//! ```
//!
//! One daemon of a kind serves one home: each holds a lock for as long as it lives ([`lock`]), binds a socket that
//! only its owner may use ([`socket`]), and can be started by whoever finds it missing ([`launch`]).

pub mod cgroup;
pub mod clock;
pub mod connect;
pub mod hole;
pub mod launch;
pub mod lock;
pub mod notes;
pub mod numbered;
pub mod open_files;
pub mod own_log;
pub mod run_folders;
pub mod runs;
pub mod sealed;
pub mod socket;

mod folder;

pub use folder::{Daemon, Home, HomeError, host_name};

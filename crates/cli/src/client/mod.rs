//! The daemons, as the commands see them. Nothing outside knows what carries the messages.
//!
//! ```text
//!  connect   a socket ─▶ a channel, or "nobody listens"
//!  launch    nobody listens ─▶ start the agent ─▶ a channel
//!  agent     the agent's calls; follows instances until they have settled
//!  keeper    ends everything where no agent can be had
//!  speech    the agent's calls by which people speak to apps
//!  follow    the log daemon's lines, over its deaths
//!  status    a refused call ─▶ what to tell the person
//!  gone      waits until a daemon has ended
//! ```

mod agent;
mod connect;
mod follow;
mod gone;
mod keeper;
mod launch;
mod speech;
mod status;

pub(crate) use agent::Agent;
pub(crate) use connect::LogDaemon;
pub(crate) use follow::{Reader, Told, read, read_on};
pub(crate) use gone::{
    Gone, end as end_daemon, kill as kill_daemon, listens, wait as wait_until_gone,
};
pub(crate) use keeper::Keeper;
pub(crate) use launch::{NoAgent, agent as launch_agent};

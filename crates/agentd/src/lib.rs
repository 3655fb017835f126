//! The agent that supervises the apps of a host, and the keeper that is their parent.
//!
//! ```text
//!   gRPC ─▶ rpc ──▶ supervisor ──▶ store            what should run, written before it is done
//!                    │  fleet (pure) · machine (pure)
//!                    ├──▶ keeper ══ frames ══▶ eco-keeper: hands       the parent of the apps
//!                    └──▶ feed ═══ gRPC ═══▶ eco-logd
//! ```
//!
//! - [`machine`], [`fleet`]: decide. Pure: no clock, no system call, no task.
//! - [`supervisor`]: the one task that owns the fleet. [`store`]: its records. [`resolve`], [`environment`]: what a
//!   specification means on this host.
//! - [`keeper`], [`feed`]: the conversations with the other two daemons. [`voices`]: what apps say to us, in the words of
//!   [`message`] and [`notification`]; [`stdin`]: what is written to them; [`probe`]: questions to them. [`memory`],
//!   [`sample`]: looks at processes. [`watch_files`]: a look at files; [`pid_files`]: files for others to look at. [`limits`]: what keeps the limits of processes here.
//! - [`rpc`]: requests in, replies out. [`daemon`]: puts it all together and takes it down.

pub mod daemon;
pub mod dotenv;
pub mod environment;
pub mod feed;
mod feed_logs;
pub mod fleet;
pub mod hands;
pub mod keeper;
pub mod lifelines;
pub mod limits;
mod lost;
pub mod machine;
pub mod memory;
pub mod message;
pub mod notification;
pub mod os;
pub mod pid_files;
pub mod probe;
pub mod resolve;
pub mod rpc;
pub mod sample;
pub mod schedule;
pub mod stdin;
pub mod store;
pub mod supervisor;
pub mod voices;
pub mod watch_files;

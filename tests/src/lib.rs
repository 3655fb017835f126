//! The harness of the end-to-end tests: the real programs, in a home of each test's own, with apps that do as they are told.
//!
//! Rules that keep the tests parallel, fast and honest
//! - A [`TestEnv`] has its own home, project and ports; nothing is shared between tests.
//! - Nothing waits for a span of time: [`wait_until`] waits for a condition and says which one did not come.
//! - What a test starts carries a mark in its environment, so that dropping the [`TestEnv`] ends all of it, also what a
//!   failing product has lost sight of, and nothing else.

mod answers;
mod command;
mod env;
mod follow;
mod lines;
mod list;
mod mark;
mod memory;
mod programs;
mod wait;

pub use answers::serve;
pub use command::Output;
pub use env::{Daemons, TestEnv, app};
pub use follow::Follower;
pub use lines::{Record, check_numbered, check_same_lines, records};
pub use list::{Instance, Instances};
pub use mark::{is_alive, kill, me};
pub use memory::most_held;
pub use nix::sys::signal::Signal;
pub use programs::{fake_app, program};
pub use wait::{free_port, is_free, wait_until};

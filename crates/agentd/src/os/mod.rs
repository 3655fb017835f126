//! What the kernel knows about processes: the table in /proc, descriptors of processes, and how one ended; and what it tells
//! of files.
//!
//! Shared by the agent (which measures) and the keeper (which holds). A pid alone names nobody, since the kernel gives
//! it out again: the identity of a process is its pid and its start time, and every signal goes to an identity.

pub mod account;
pub mod alarm;
pub mod errand;
pub mod exit;
pub mod inotify;
pub mod measure;
pub mod owners;
pub mod pidfd;
pub mod process;

//! End-to-end tests of eco: what a person can rely on, with the real programs.
//!
//! One module for each promise; `examples` is the one that uses the fixed ports of the example tree.

mod bad_homes;
mod bad_input;
mod changes;
mod channels;
mod config_verbs;
mod crash;
mod damage;
mod env_file;
mod events;
mod examples;
mod fields;
mod flush;
mod formats;
mod limits;
mod log_files;
mod log_options;
mod logs;
mod memory;
mod order;
mod own_logs;
mod pid_files;
mod probes;
mod recovery;
mod rest_and_return;
mod scale;
mod schedule;
mod sealing;
mod selectors;
mod shipping;
mod soak;
mod standstill;
mod start;
mod stop;
mod upkeep;
mod verbs;
mod watching;
mod why;

//! The real keeper, in a home of its own, spoken to as the agent speaks to it.

#![expect(
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    clippy::print_stdout,
    clippy::similar_names,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail as it likes, and may say why"
)]

mod adopting;
mod ending;
mod limits;
mod output;
mod spawning;
mod speech;
mod stage;
mod talking;

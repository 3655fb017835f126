//! The agent that supervises the apps of a host, and the keeper that is their parent.

pub mod machine;

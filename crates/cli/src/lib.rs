//! The eco command.

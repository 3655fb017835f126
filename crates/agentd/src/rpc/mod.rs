//! Requests in, replies out: converts, asks, converts. Nothing is decided here.

mod attach;
mod convert;
mod events;
mod health;
mod meant;
mod peer;
mod plan;
mod refuse;
mod send;
mod service;
mod signal;
mod speech;
mod trigger;
mod variables;
mod watches;

pub use service::{Peers, Service};

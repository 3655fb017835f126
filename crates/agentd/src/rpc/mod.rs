//! Requests in, replies out: converts, asks, converts. Nothing is decided here.

mod convert;
mod events;
mod health;
mod peer;
mod plan;
mod refuse;
mod service;
mod variables;

pub use service::{Peers, Service};

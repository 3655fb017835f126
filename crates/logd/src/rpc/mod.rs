//! The contract, in and out: the only place that knows gRPC. Handlers convert, call and convert.

mod answer;
mod convert;
mod service;
mod settings;

pub use service::{Service, THREADS};

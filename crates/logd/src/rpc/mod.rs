//! The contract, in and out: the only place that knows gRPC. Handlers convert, call and convert.

mod answer;
mod convert;
mod courier;
mod intake;
mod service;
mod settings;
mod shipping;

pub use courier::Courier;
pub use service::{Door, Service, THREADS};

//! PM2 ecosystem files in, checked app specifications out.

pub mod spec;
#[cfg(feature = "wire")]
pub mod wire;

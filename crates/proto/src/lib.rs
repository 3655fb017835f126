//! The contracts between eco's programs: generated messages and services, and error detail.
//!
//! Wire only: no domain type and no logic lives here but how the keeper's messages are cut. The sources, with the rules of every stream in
//! their comments, are in `proto/` at the top of the repository; protox compiles them, so no protoc is needed.
//!
//! A change that an older peer would misread goes into a new package (`v2`) beside the old one;
//! new fields with new numbers do not need one.

pub mod detail;
pub mod frame;

/// The version of this build, the same for all its programs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Apps and the agent that supervises them.
pub mod agent {
    /// The first version.
    #[expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes,
        reason = "generated; the proto files are the documentation"
    )]
    pub mod v1 {
        tonic::include_proto!("eco.agent.v1");
    }
}

/// Lines, and the daemon that keeps them.
pub mod log {
    /// The first version.
    #[expect(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::doc_lazy_continuation,
        reason = "generated; the proto files are the documentation"
    )]
    pub mod v1 {
        tonic::include_proto!("eco.log.v1");
    }
}

/// The frames between agent and keeper.
pub mod keeper {
    /// The first version.
    #[expect(
        missing_docs,
        clippy::pedantic,
        reason = "generated; the proto files are the documentation"
    )]
    pub mod v1 {
        tonic::include_proto!("eco.keeper.v1");
    }
}

/// The records of the agent's database.
pub mod state {
    /// The first version.
    #[expect(
        missing_docs,
        clippy::pedantic,
        reason = "generated; the proto files are the documentation"
    )]
    pub mod v1 {
        tonic::include_proto!("eco.state.v1");
    }
}

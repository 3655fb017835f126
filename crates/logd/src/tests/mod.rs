//! Runs as the keeper leaves them, and what is read of them: from one stream up to the daemon behind its socket.

mod conservation;
mod daemon;
mod flush;
mod follow;
mod follow_records;
mod history;
mod model;
mod passed_over;
mod records;
mod replica;
mod sealed;
mod ship;
mod speed;
mod stats;
mod streams;
mod upkeep;
mod world;

//! Asking over the network.

use std::time::Duration;

use super::judge::Reply;
use super::{connect, http};
use crate::fleet::span;
use crate::resolve::Peer;

/// Asks once; no answer within `timeout` is a failure, whatever it is that takes so long.
pub(super) async fn ask(peer: &Peer, timeout: Duration) -> Reply {
    let reply = async {
        match peer {
            Peer::Tcp(address) => connect::ask(address).await,
            Peer::Http { url, statuses } => http::ask(url, statuses).await,
        }
    };
    let reply = tokio::time::timeout(timeout, reply).await;
    reply.unwrap_or_else(|_| Reply::Failed(format!("no answer within {} ({peer})", span(timeout))))
}

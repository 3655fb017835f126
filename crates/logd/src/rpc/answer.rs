//! An answer as a stream of messages.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use eco_proto::log::v1::QueryItem;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;

use super::convert;
use crate::query::{Item, Stop};
use crate::tail::Bell;

/// What the client receives. Dropping it, which is what happens when the client goes, wakes the thread that answers, so that
/// it ends.
#[derive(Debug)]
pub struct Answer {
    items: mpsc::Receiver<Result<Item, Stop>>,
    bell: Arc<Bell>,
}

impl Answer {
    pub(super) const fn new(items: mpsc::Receiver<Result<Item, Stop>>, bell: Arc<Bell>) -> Self {
        Self { items, bell }
    }
}

impl Stream for Answer {
    type Item = Result<QueryItem, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.poll_recv(context).map(|item| {
            item.map(|item| match item {
                Ok(item) => Ok(convert::item(item)),
                Err(stop) => Err(convert::stopped(&stop)),
            })
        })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.items.close();
        self.bell.ring();
    }
}

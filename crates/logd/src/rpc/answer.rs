//! An answer as a stream of messages.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;

use super::convert;
use crate::query::Stop;
use crate::tail::Bell;

/// What the client receives. Dropping it, which is what happens when the client goes, wakes the thread that answers, so that
/// it ends.
#[derive(Debug)]
pub struct Answer<T, W> {
    items: mpsc::Receiver<Result<T, Stop>>,
    /// Puts one of them on the wire.
    convert: fn(T) -> W,
    bell: Arc<Bell>,
}

impl<T, W> Answer<T, W> {
    pub(super) const fn new(
        items: mpsc::Receiver<Result<T, Stop>>,
        convert: fn(T) -> W,
        bell: Arc<Bell>,
    ) -> Self {
        Self {
            items,
            convert,
            bell,
        }
    }
}

impl<T, W> Stream for Answer<T, W> {
    type Item = Result<W, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let convert = self.convert;
        self.items.poll_recv(context).map(|item| {
            item.map(|item| match item {
                Ok(item) => Ok(convert(item)),
                Err(stop) => Err(convert::stopped(&stop)),
            })
        })
    }
}

impl<T, W> Drop for Answer<T, W> {
    fn drop(&mut self) {
        self.items.close();
        self.bell.ring();
    }
}

//! An answer as a stream of messages.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
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
    items: Arc<Mutex<Items<T>>>,
    /// Puts one of them on the wire.
    convert: fn(T) -> W,
    bell: Arc<Bell>,
}

/// What the thread that answers sends.
type Items<T> = mpsc::Receiver<Result<T, Stop>>;

/// The answers that are being given: a thread that waits for a client to take something waits for as long as the client is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    given: Arc<Mutex<Vec<Weak<dyn HangUp>>>>,
}

/// Takes no more of what is sent.
trait HangUp: Send + Sync + std::fmt::Debug {
    fn hang_up(&self);
}

impl<T: Send> HangUp for Mutex<Items<T>> {
    fn hang_up(&self) {
        held(self).close();
    }
}

/// What is locked is whole at any moment: a panic of another thread spoils nothing.
fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answers {
    /// Gives another one.
    pub(super) fn give<T: Send + 'static, W>(
        &self,
        items: Items<T>,
        convert: fn(T) -> W,
        bell: Arc<Bell>,
    ) -> Answer<T, W> {
        let items = Arc::new(Mutex::new(items));
        let weak: Weak<Mutex<Items<T>>> = Arc::downgrade(&items);
        let mut given = held(&self.given);
        given.retain(|answer| answer.strong_count() > 0);
        given.push(weak);
        drop(given);
        Answer {
            items,
            convert,
            bell,
        }
    }

    /// Ends the threads that still wait for their clients.
    pub(super) fn hang_up(&self) {
        for answer in held(&self.given).iter().filter_map(Weak::upgrade) {
            answer.hang_up();
        }
    }
}

impl<T, W> Stream for Answer<T, W> {
    type Item = Result<W, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let convert = self.convert;
        held(&self.items).poll_recv(context).map(|item| {
            item.map(|item| match item {
                Ok(item) => Ok(convert(item)),
                Err(stop) => Err(convert::stopped(&stop)),
            })
        })
    }
}

impl<T, W> Drop for Answer<T, W> {
    fn drop(&mut self) {
        held(&self.items).close();
        self.bell.ring();
    }
}

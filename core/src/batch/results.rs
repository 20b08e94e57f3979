//! Results as they finish, in constant memory.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Meter, Work};
use crate::executor::BoxFuture;

/// The results of a batch as they finish, each with the position of its item in the input.
///
/// An item is pulled from the input only when a worker is free, and only running items are held, so
/// memory use does not grow with the number of items. Dropping the stream cancels the running
/// items.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) {
/// use chatcore::BatchProcessor;
///
/// let batch = BatchProcessor::requests(&client);
/// let mut results = batch.process_iter(["one", "two"]);
/// while let Some((place, result)) = results.next().await {
///     println!("{place}: {result:?}");
/// }
/// # }
/// ```
#[must_use = "a batch does nothing until its results are polled"]
pub struct BatchResults<S, I, O, E> {
    /// `None` once the input has ended.
    input: Option<Pin<Box<S>>>,
    work: Work<I, O, E>,
    max_workers: usize,
    running: FuturesUnordered<BoxFuture<'static, (usize, Result<O, E>)>>,
    next_place: usize,
    meter: Meter,
}

impl<S, I, O, E> BatchResults<S, I, O, E>
where
    S: Stream<Item = I>,
{
    pub(super) fn new(input: S, work: Work<I, O, E>, max_workers: usize) -> Self {
        let mut meter = Meter::new(work.executor.now());
        let (least, most) = input.size_hint();
        meter.set_total(most.filter(|&most| most == least));
        Self {
            input: Some(Box::pin(input)),
            work,
            max_workers: max_workers.max(1),
            running: FuturesUnordered::new(),
            next_place: 0,
            meter,
        }
    }
}

impl<S, I, O, E> BatchResults<S, I, O, E>
where
    S: Stream<Item = I>,
    O: Send + 'static,
    E: Send + 'static,
{
    /// The next result, with the position of its item in the input; `None` after the last one.
    ///
    /// Cancel-safe: dropping the future loses no result, and the items continue at the next call.
    pub async fn next(&mut self) -> Option<(usize, Result<O, E>)> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<S, I, O, E> Stream for BatchResults<S, I, O, E>
where
    S: Stream<Item = I>,
    O: Send + 'static,
    E: Send + 'static,
{
    type Item = (usize, Result<O, E>);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while this.running.len() < this.max_workers
            && let Some(input) = &mut this.input
        {
            match input.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    let place = this.next_place;
                    this.next_place += 1;
                    this.meter.started();
                    let work = this.work.start(item);
                    this.running
                        .push(Box::pin(async move { (place, work.await) }));
                }
                Poll::Ready(None) => {
                    this.input = None;
                    this.meter.set_total(Some(this.next_place));
                }
                Poll::Pending => break,
            }
        }
        match this.running.poll_next_unpin(cx) {
            Poll::Ready(Some((place, result))) => {
                this.work.ended(&mut this.meter, &result);
                Poll::Ready(Some((place, result)))
            }
            // Nothing runs and the input has ended.
            Poll::Ready(None) if this.input.is_none() => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }
}

impl<S, I, O, E> Unpin for BatchResults<S, I, O, E> {}

impl<S, I, O, E> fmt::Debug for BatchResults<S, I, O, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchResults")
            .field("running", &self.running.len())
            .field("taken", &self.next_place)
            .finish_non_exhaustive()
    }
}

//! Runs many items through one async function, with a limit on how many run at once.

mod held;
mod item;
mod journal_run;
mod micro;
mod outage;
mod progress;
mod results;
#[cfg(test)]
mod tests;
mod work;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;

pub use journal_run::{Finished, JournalRun};
pub use progress::Progress;
pub use results::BatchResults;

use crate::chat::{ChatRequest, ChatResponse};
use crate::client::{ChatCall, LlmClient};
use crate::error::Error;
use crate::executor::Executor;
use crate::journal::Journal;
use micro::Micro;
use progress::Meter;
use work::Work;

/// What happens to the added requests when a processor is closed.
///
/// ```
/// # async fn example(batch: chatcore::BatchProcessor<String, chatcore::ChatResponse>) {
/// use chatcore::Closing;
///
/// batch.close(Closing::Cancel).await;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closing {
    /// All added requests are finished.
    #[default]
    Finish,
    /// Waiting and running requests are dropped and fail with [`Closed`](crate::ErrorKind::Closed).
    Cancel,
}

/// Runs many items through one async function, for example chats.
///
/// - [`process_batch`](Self::process_batch): runs all items and returns the results in the order of
///   the items;
/// - [`process_iter`](Self::process_iter) and [`process_stream`](Self::process_stream): run any
///   number of items and yield results as they finish;
/// - [`add_request`](Self::add_request): takes single items from many callers and collects them
///   into batches in the background.
///
/// A failed item does not stop the others. The defaults are those of the Python client: batches of
/// 10, 5 items at once, one batch at once, and a batch starts after 1 s at the latest.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) {
/// use chatcore::BatchProcessor;
///
/// let batch = BatchProcessor::requests(&client)
///     .max_workers(20)
///     .on_progress(|p| println!("{} of {:?}", p.finished(), p.total));
/// for answer in batch.process_batch(["one", "two", "three"]).await {
///     match answer {
///         Ok(answer) => println!("{answer}"),
///         Err(error) => println!("{error}"),
///     }
/// }
/// # }
/// ```
pub struct BatchProcessor<I, O, E = Error> {
    work: Work<I, O, E>,
    limits: Limits,
    micro: Arc<Micro<I, O, E>>,
}

/// The settings for batch sizes and concurrency.
#[derive(Clone, Copy, Debug)]
struct Limits {
    batch_size: usize,
    max_workers: usize,
    timeout: Duration,
    max_concurrent_batches: usize,
}

/// The defaults, which are those of the Python client.
impl<I, O, E> BatchProcessor<I, O, E> {
    /// The default of [`batch_size`](Self::batch_size): how many added requests make a batch.
    pub const DEFAULT_BATCH_SIZE: usize = 10;
    /// The default of [`max_workers`](Self::max_workers): how many items run at once in each batch.
    pub const DEFAULT_MAX_WORKERS: usize = 5;
    /// The default of [`timeout`](Self::timeout): how long the first request of a batch waits for
    /// others.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);
    /// The default of [`max_concurrent_batches`](Self::max_concurrent_batches): how many batches of
    /// added requests run at once.
    pub const DEFAULT_CONCURRENT_BATCHES: usize = 1;

    const LIMITS: Limits = Limits {
        batch_size: Self::DEFAULT_BATCH_SIZE,
        max_workers: Self::DEFAULT_MAX_WORKERS,
        timeout: Self::DEFAULT_TIMEOUT,
        max_concurrent_batches: Self::DEFAULT_CONCURRENT_BATCHES,
    };
}

impl<I: Into<ChatRequest> + Send + 'static> BatchProcessor<I, ChatResponse> {
    /// Sends each item as [`ask`](LlmClient::ask) does, with the provider's own defaults. An item
    /// is a [`ChatRequest`], or a prompt, a message or a conversation that converts into one.
    ///
    /// An item waits for a permit as long as it takes, even if the queue is full or the rate limits
    /// are used up. The client's overall time limit applies to each attempt, from when it is sent;
    /// [`total`](crate::Timeouts::total) limits an item including its wait. The client's own number
    /// of workers still limits how many requests run at once, even if
    /// [`max_workers`](Self::max_workers) is higher.
    ///
    /// ```
    /// # async fn example(client: chatcore::LlmClient) {
    /// use chatcore::{BatchProcessor, ChatRequest};
    ///
    /// let batch = BatchProcessor::requests(&client);
    /// let requests = ["Lyon", "Porto"].map(|city| {
    ///     ChatRequest::from(format!("Where is {city}?")).system_prompt("Be brief.")
    /// });
    /// let mut results = batch.process_iter(requests);
    /// while let Some((place, result)) = results.next().await {
    ///     println!("{place}: {result:?}");
    /// }
    /// # }
    /// ```
    pub fn requests(client: &LlmClient) -> Self {
        Self::asking(client, |client, item| client.ask(item))
    }

    fn asking(
        client: &LlmClient,
        ask: impl Fn(&LlmClient, I) -> ChatCall + Send + Sync + 'static,
    ) -> Self {
        let asked = client.clone();
        let limiting = client.clone();
        let mut batch = Self::new(Arc::clone(client.executor()), move |item| {
            ask(&asked, item).patient().into_future()
        });
        batch.work.set_limit(move || limiting.status().limit);
        batch.count_tokens(|answer: &ChatResponse| {
            answer
                .usage
                .as_ref()
                .map_or(0, |usage| usage.total_tokens())
        })
    }
}

impl BatchProcessor<String, ChatResponse> {
    /// Sends each item as a prompt with the defaults of [`chat_async`](LlmClient::chat_async).
    /// Everything else is as for [`requests`](Self::requests).
    pub fn chats(client: &LlmClient) -> Self {
        Self::asking(client, |client, prompt| client.chat_async(prompt))
    }
}

impl BatchProcessor<ChatRequest, ChatResponse> {
    /// Runs the items of a journal that have no result, [`max_workers`](Self::max_workers) at once,
    /// and yields each item when it is recorded. The run is driven by polling the stream: dropping
    /// it cancels the items in flight.
    ///
    /// [`on_progress`](Self::on_progress) reports only the items of this run; [`Journal::progress`]
    /// includes earlier runs. Memory use does not grow with the number of items.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use chatcore::{ChatRequest, ChatResponse, Error, Journal, LlmClient};
    /// # async fn example(client: LlmClient, journal: Arc<dyn Journal>) -> Result<(), Error> {
    /// use chatcore::BatchProcessor;
    ///
    /// let batch = BatchProcessor::requests(&client).max_workers(20);
    /// let mut run = batch.process_journal(journal);
    /// while let Some(finished) = run.next().await {
    ///     let outcome = finished?.outcome;
    ///     println!("{} took {:?}", outcome.id, outcome.took);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn process_journal(&self, journal: Arc<dyn Journal>) -> JournalRun {
        JournalRun::new(journal, self.work.clone(), self.limits.max_workers)
    }
}

impl<I, O, E> BatchProcessor<I, O, E>
where
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    /// Creates a processor that runs `work` on each item.
    ///
    /// The executor provides the clock for progress, and runs the batches of
    /// [`add_request`](Self::add_request) as tasks. The `process_*` methods run in the caller's
    /// task.
    pub fn new<F>(
        executor: Arc<dyn Executor>,
        work: impl Fn(I) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<O, E>> + Send + 'static,
    {
        Self {
            work: Work::new(executor, work),
            limits: Self::LIMITS,
            micro: Micro::new(),
        }
    }

    /// Sets how many added requests make a batch. Default: 10; 0 counts as 1.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.limits.batch_size = batch_size.max(1);
        self
    }

    /// Sets how many items run at once in each batch. Default: 5; 0 counts as 1.
    #[must_use]
    pub fn max_workers(mut self, max_workers: usize) -> Self {
        self.limits.max_workers = max_workers.max(1);
        self
    }

    /// Sets how long the first request of a batch waits for others at most. Default: 1 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Sets how many batches of added requests run at once. Default: 1; 0 counts as 1.
    #[must_use]
    pub fn max_concurrent_batches(mut self, batches: usize) -> Self {
        self.limits.max_concurrent_batches = batches.max(1);
        self
    }

    /// Changes each item before it runs, for example to add a system prompt that all requests share.
    ///
    /// ```
    /// # fn example(client: chatcore::LlmClient) {
    /// use chatcore::{BatchProcessor, ChatRequest};
    ///
    /// let batch = BatchProcessor::requests(&client).prepare(|mut request: ChatRequest| {
    ///     request.max_tokens = request.max_tokens.or(Some(500));
    ///     request
    /// });
    /// # let _ = batch;
    /// # }
    /// ```
    #[must_use]
    pub fn prepare(mut self, change: impl Fn(I) -> I + Send + Sync + 'static) -> Self {
        self.work.set_prepare(change);
        self
    }

    /// Calls `tell` with the progress of a batch after each of its items. `tell` runs in the
    /// batch's task and should return quickly.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.work.set_on_progress(tell);
        self
    }

    /// Sets the function that counts an item's tokens for [`Progress::tokens`].
    #[must_use]
    pub fn count_tokens(mut self, count: impl Fn(&O) -> u64 + Send + Sync + 'static) -> Self {
        self.work.set_count_tokens(count);
        self
    }

    /// Runs all items, [`max_workers`](Self::max_workers) at once, and returns their results in the
    /// order of the items. Everything runs in this future: dropping it cancels the running items.
    pub async fn process_batch(&self, items: impl IntoIterator<Item = I>) -> Vec<Result<O, E>> {
        let mut results = self.process_iter(items);
        let mut in_order = Vec::new();
        while let Some((place, result)) = results.next().await {
            if in_order.len() <= place {
                in_order.resize_with(place + 1, || None);
            }
            in_order[place] = Some(result);
        }
        // No `None` is left, because each item ran to its end.
        in_order.into_iter().flatten().collect()
    }

    /// Runs the items, [`max_workers`](Self::max_workers) at once, and yields each result as it
    /// finishes, with the item's position in the input. An item is taken from the iterator only
    /// when a worker is free. Everything runs while the stream is polled: dropping it cancels the
    /// running items.
    ///
    /// ```
    /// # async fn example(batch: chatcore::BatchProcessor<String, chatcore::ChatResponse>) {
    /// let mut results = batch.process_iter((1..=1_000).map(|n| format!("Is {n} prime?")));
    /// while let Some((place, result)) = results.next().await {
    ///     println!("{place}: {result:?}");
    /// }
    /// # }
    /// ```
    pub fn process_iter<T: IntoIterator<Item = I>>(
        &self,
        items: T,
    ) -> BatchResults<impl Stream<Item = I> + use<T, I, O, E>, I, O, E> {
        self.process_stream(stream::iter(items))
    }

    /// Runs the items of a stream, [`max_workers`](Self::max_workers) at once, and yields each
    /// result as it finishes, with the item's position in the input. An item is pulled only when a
    /// worker is free. Everything runs while the returned stream is polled: dropping it cancels the
    /// running items.
    pub fn process_stream<S>(&self, items: S) -> BatchResults<S, I, O, E>
    where
        S: Stream<Item = I>,
    {
        BatchResults::new(items, self.work.clone(), self.limits.max_workers)
    }

    /// Adds one item to the batch being collected, and returns the item's result. The batch starts
    /// in the background when it is full, when its first item has waited for
    /// [`timeout`](Self::timeout), or at a [`flush`](Self::flush).
    ///
    /// Dropping the future removes the item; if it is already running, its work is cancelled.
    ///
    /// # Errors
    /// The error of the work; [`Closed`](crate::ErrorKind::Closed) after [`close`](Self::close) or
    /// if the executor shuts down; [`Internal`](crate::ErrorKind::Internal) if the work panicked.
    pub async fn add_request(&self, item: I) -> Result<O, E> {
        let added = self.micro.add(&self.work, self.limits, item)?;
        match added.await {
            Ok(result) => result,
            Err(_) => Err(micro::closed().into()),
        }
    }

    /// Starts the batch being collected, full or not. Completes when that batch and all earlier
    /// batches are done.
    ///
    /// Cancel-safe: the batches continue if the future is dropped.
    pub async fn flush(&self) {
        let last = self.micro.flush(&self.work, self.limits);
        self.micro.finished(last).await;
    }

    /// Refuses new requests. Completes when all added requests are finished or dropped, depending
    /// on `closing`. [`process_batch`](Self::process_batch), [`process_iter`](Self::process_iter)
    /// and [`process_stream`](Self::process_stream) are not affected; drop them to cancel them.
    ///
    /// Cancel-safe: the processor stays closed if the future is dropped.
    pub async fn close(&self, closing: Closing) {
        let last = match closing {
            Closing::Finish => {
                self.micro.close();
                self.micro.flush(&self.work, self.limits)
            }
            Closing::Cancel => self.micro.cancel(),
        };
        self.micro.finished(last).await;
    }
}

impl<I, O, E> fmt::Debug for BatchProcessor<I, O, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchProcessor")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

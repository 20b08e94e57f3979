//! Many items through one function, as many at once as may be.

mod held;
mod journal_run;
mod micro;
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

/// What becomes of the requests that were added, when a processor is closed.
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
    /// What was added is finished.
    #[default]
    Finish,
    /// What waits and what runs is dropped; its requests get
    /// [`Closed`](crate::ErrorKind::Closed).
    Cancel,
}

/// Runs many items through one async function: chats, or anything else.
///
/// - [`process_batch`](Self::process_batch): all items, results in their order;
/// - [`process_iter`](Self::process_iter) and [`process_stream`](Self::process_stream): any number
///   of items, results as they finish;
/// - [`add_request`](Self::add_request): one item at a time from many places, collected into
///   batches in the background.
///
/// A failed item does not stop the others. The defaults are the old client's: batches of 10, 5
/// items at once, a batch begins after 1 s at the latest, one batch at once.
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

/// How much at once.
#[derive(Clone, Copy, Debug)]
struct Limits {
    batch_size: usize,
    max_workers: usize,
    timeout: Duration,
    max_concurrent_batches: usize,
}

/// The defaults, which are the old client's.
impl<I, O, E> BatchProcessor<I, O, E> {
    /// How many added requests make a batch, unless [`batch_size`](Self::batch_size) says so.
    pub const DEFAULT_BATCH_SIZE: usize = 10;
    /// How many items run at once in each batch, unless [`max_workers`](Self::max_workers) says
    /// so.
    pub const DEFAULT_MAX_WORKERS: usize = 5;
    /// How long the first request of a batch waits for others, unless
    /// [`timeout`](Self::timeout) says so.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);
    /// How many batches of added requests run at once, unless
    /// [`max_concurrent_batches`](Self::max_concurrent_batches) says so.
    pub const DEFAULT_CONCURRENT_BATCHES: usize = 1;

    const LIMITS: Limits = Limits {
        batch_size: Self::DEFAULT_BATCH_SIZE,
        max_workers: Self::DEFAULT_MAX_WORKERS,
        timeout: Self::DEFAULT_TIMEOUT,
        max_concurrent_batches: Self::DEFAULT_CONCURRENT_BATCHES,
    };
}

impl<I: Into<ChatRequest> + Send + 'static> BatchProcessor<I, ChatResponse> {
    /// Asks each item as [`ask`](LlmClient::ask) does, with the provider's own defaults. An item is
    /// a [`ChatRequest`], or a prompt, a message or a conversation that converts into one.
    ///
    /// An item waits for its place as long as it takes, in a full queue and for the rate limits.
    /// The client's overall time limit holds for each attempt, from when it is sent;
    /// [`total`](crate::Timeouts::total) limits an item with its wait. No more than the client's
    /// own workers run at once, however many [`max_workers`](Self::max_workers) there are.
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
        Self::new(Arc::clone(client.executor()), move |item| {
            ask(&asked, item).patient().into_future()
        })
        .count_tokens(|answer: &ChatResponse| {
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
    /// Runs what is left of a journal, [`max_workers`](Self::max_workers) items at once, and gives
    /// each item as it is recorded. It runs in the caller: dropping it drops what runs.
    ///
    /// [`on_progress`](Self::on_progress) hears of the items of this call; what was done before is
    /// in [`Journal::progress`]. Memory does not grow with the number of items.
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
    /// Runs `work` on each item.
    ///
    /// The executor's clock measures progress, and its tasks run the batches of
    /// [`add_request`](Self::add_request); the other ways run in their caller.
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

    /// How many added requests make a batch. Default 10; 0 counts as 1.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.limits.batch_size = batch_size.max(1);
        self
    }

    /// How many items run at once, in each batch. Default 5; 0 counts as 1.
    #[must_use]
    pub fn max_workers(mut self, max_workers: usize) -> Self {
        self.limits.max_workers = max_workers.max(1);
        self
    }

    /// How long the first request of a batch waits for others at most. Default 1 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// How many batches of added requests run at once. Default 1; 0 counts as 1.
    #[must_use]
    pub fn max_concurrent_batches(mut self, batches: usize) -> Self {
        self.limits.max_concurrent_batches = batches.max(1);
        self
    }

    /// Tells how far a batch has come after each of its items. It is called where the batch
    /// runs, so it should be quick.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.work.set_on_progress(tell);
        self
    }

    /// Says what an item cost, for [`Progress::tokens`].
    #[must_use]
    pub fn count_tokens(mut self, count: impl Fn(&O) -> u64 + Send + Sync + 'static) -> Self {
        self.work.set_count_tokens(count);
        self
    }

    /// Runs all items, [`max_workers`](Self::max_workers) at once, and gives their results in
    /// the items' order. It runs in the caller: dropping the future drops what runs.
    pub async fn process_batch(&self, items: impl IntoIterator<Item = I>) -> Vec<Result<O, E>> {
        let mut results = self.process_iter(items);
        let mut in_order = Vec::new();
        while let Some((place, result)) = results.next().await {
            if in_order.len() <= place {
                in_order.resize_with(place + 1, || None);
            }
            in_order[place] = Some(result);
        }
        // Every place was filled: each item ran to its end.
        in_order.into_iter().flatten().collect()
    }

    /// Runs the items, [`max_workers`](Self::max_workers) at once, and gives each result as it
    /// finishes, with the item's place. It takes an item from the iterator only when it can run.
    /// It runs in the caller: dropping it drops what runs.
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

    /// Runs the items of a stream, [`max_workers`](Self::max_workers) at once, and gives each
    /// result as it finishes, with the item's place. It pulls an item only when it can run. It
    /// runs in the caller: dropping it drops what runs.
    pub fn process_stream<S>(&self, items: S) -> BatchResults<S, I, O, E>
    where
        S: Stream<Item = I>,
    {
        BatchResults::new(items, self.work.clone(), self.limits.max_workers)
    }

    /// Adds one item to the batch that is being collected, and gives its result. The batch
    /// begins in the background when it is full, when its first item has waited for
    /// [`timeout`](Self::timeout), or at a [`flush`](Self::flush).
    ///
    /// Dropping the future takes the item out; if it runs already, its work is dropped.
    ///
    /// # Errors
    /// The work's own; [`Closed`](crate::ErrorKind::Closed) after [`close`](Self::close);
    /// [`Internal`](crate::ErrorKind::Internal) where the work panicked.
    pub async fn add_request(&self, item: I) -> Result<O, E> {
        let added = self.micro.add(&self.work, self.limits, item)?;
        match added.await {
            Ok(result) => result,
            Err(_) => Err(micro::closed().into()),
        }
    }

    /// Begins the batch that is being collected, full or not. Completes when it, and all batches
    /// before it, are done.
    ///
    /// Cancel-safe: the batches go on when the future is dropped.
    pub async fn flush(&self) {
        let last = self.micro.flush(&self.work, self.limits);
        self.micro.finished(last).await;
    }

    /// Takes no more requests. Completes when what was added is finished, or dropped, as
    /// `closing` says. [`process_batch`](Self::process_batch),
    /// [`process_iter`](Self::process_iter) and [`process_stream`](Self::process_stream) are not
    /// affected: their callers drop them.
    ///
    /// Cancel-safe: the processor stays closed when the future is dropped.
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

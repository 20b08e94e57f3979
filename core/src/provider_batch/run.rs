//! A run as its caller sees it: settings, events, and the ways to stop it.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::control::{BatchEvent, Control, RunEnd};
use super::driver::Driver;
use super::store::BatchStore;
use crate::chat::ChatRequest;
use crate::client::ProviderBatches;
use crate::error::Error;
use crate::executor::BoxFuture;
use crate::journal::Journal;

/// Changes a request before it is sent.
pub(super) type Prepare = Arc<dyn Fn(ChatRequest) -> ChatRequest + Send + Sync>;
/// Whether this many tokens of prompts and of answers are too many.
pub(super) type IsOver = Arc<dyn Fn(u64, u64) -> bool + Send + Sync>;

/// The settings of a run.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) max_batches: usize,
    pub(super) max_requests: usize,
    pub(super) attempts: u32,
    pub(super) first_poll: Duration,
    pub(super) longest_poll: Duration,
    pub(super) settle: Duration,
    pub(super) prepare: Option<Prepare>,
    pub(super) is_over: Option<IsOver>,
}

/// A run of a journal's items through the provider's Batch API. See the [module](super).
///
/// The run makes progress only while [`next`](Self::next) is polled. Dropping it is like a crash:
/// nothing is lost, and another run with the same journal and store goes on.
///
/// ```
/// # use std::sync::Arc;
/// # use chatcore::{Error, Journal, LlmClient};
/// # use chatcore::provider_batch::BatchStore;
/// # async fn example(client: LlmClient, journal: Arc<dyn Journal>, store: Arc<dyn BatchStore>)
/// #     -> Result<(), Error> {
/// use chatcore::provider_batch::{BatchEvent, ProviderRun};
///
/// let mut run = ProviderRun::new(client.provider_batches()?, journal, store).attempts(2);
/// while let Some(event) = run.next().await {
///     match event? {
///         BatchEvent::Created { id, items } => println!("{id}: {items} items"),
///         BatchEvent::Finished(finished) => println!("{} is done", finished.outcome.id),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a run does nothing until its events are polled"]
pub struct ProviderRun {
    parts: Option<Parts>,
    settings: Settings,
    control: Arc<Control>,
    work: Option<BoxFuture<'static, Result<(), Error>>>,
    failure: Option<Error>,
}

/// What a run works with, before it begins.
struct Parts {
    batches: ProviderBatches,
    journal: Arc<dyn Journal>,
    store: Arc<dyn BatchStore>,
}

impl ProviderRun {
    /// The default of [`max_batches`](Self::max_batches).
    pub const DEFAULT_BATCHES: usize = 8;
    /// The default of [`attempts`](Self::attempts), which is that of a chat.
    pub const DEFAULT_ATTEMPTS: u32 = 3;

    /// The default of [`settle`](Self::settle), the longest default time limit of a request.
    pub const DEFAULT_SETTLE: Duration = Duration::from_secs(600);

    /// A run of the items of `journal` that have no result. `store` remembers its batches.
    pub fn new(
        batches: ProviderBatches,
        journal: Arc<dyn Journal>,
        store: Arc<dyn BatchStore>,
    ) -> Self {
        let max_requests = batches.limits().requests;
        Self {
            parts: Some(Parts {
                batches,
                journal,
                store,
            }),
            settings: Settings {
                max_batches: Self::DEFAULT_BATCHES,
                max_requests,
                attempts: Self::DEFAULT_ATTEMPTS,
                first_poll: Duration::from_secs(5),
                longest_poll: Duration::from_secs(60),
                settle: Self::DEFAULT_SETTLE,
                prepare: None,
                is_over: None,
            },
            control: Arc::default(),
            work: None,
            failure: None,
        }
    }

    /// Sets how many batches may be at the provider at once. Default: 8; 0 counts as 1. One body
    /// is in memory for each model of the requests, up to the size of a batch in all.
    pub fn max_batches(mut self, batches: usize) -> Self {
        self.settings.max_batches = batches.max(1);
        self
    }

    /// Sets the most requests of a batch. Default, and upper bound: the provider's limit.
    pub fn max_requests(mut self, requests: usize) -> Self {
        let most = self.settings.max_requests;
        self.settings.max_requests = requests.clamp(1, most.max(1));
        self
    }

    /// Sets how often an item is sent in all, if its batch expires or it fails with an error that
    /// may pass. Default: 3; 0 counts as 1.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// Sets how long to wait until batches are asked for their state: `first` after one was created
    /// or has ended, then longer and longer, up to `longest`. Default: 5 s and 60 s.
    pub fn poll_every(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.first_poll = first;
        self.settings.longest_poll = longest.max(first);
        self
    }

    /// Sets how long to wait until a batch whose creation failed, and which is not in the
    /// provider's list, counts as not created. Default: 10 min, the longest default time limit of a
    /// request, because a provider may carry out a creation after its connection was lost. The list
    /// is read several times meanwhile, so a batch that is listed sooner is found sooner. With a
    /// shorter time, a batch that appears later is paid twice.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settings.settle = settle;
        self
    }

    /// Changes each request before it is sent, for example to fill in what it leaves open.
    pub fn prepare(
        mut self,
        prepare: impl Fn(ChatRequest) -> ChatRequest + Send + Sync + 'static,
    ) -> Self {
        self.settings.prepare = Some(Arc::new(prepare));
        self
    }

    /// Creates no batch that could take the run over a cap. `is_over` says whether so many tokens
    /// of prompts and of answers are too many. It is asked with the tokens of the answers that the
    /// run has, and an estimate of those of the batches at the provider and of the next batch. An
    /// answer without a limit of tokens counts 256.
    pub fn cap(mut self, is_over: impl Fn(u64, u64) -> bool + Send + Sync + 'static) -> Self {
        self.settings.is_over = Some(Arc::new(is_over));
        self
    }

    /// Ends the run soon: a creation that has begun is finished. Batches at the provider stay
    /// there, and another run with the same store goes on with them.
    pub fn stop(&self) {
        self.control.order(|orders| orders.stops = true);
    }

    /// Cancels the batches at the provider, records the results that they have, and ends the run.
    /// Items without a result stay without one. A batch that may be another program's is not
    /// cancelled: see [`BatchEvent::NotCancelled`].
    pub fn cancel(&self) {
        self.control.order(|orders| orders.cancels = true);
    }

    /// How many batches of the run are at the provider.
    pub fn waiting(&self) -> usize {
        self.control.waiting()
    }

    /// How the run ended.
    pub fn end(&self) -> RunEnd {
        self.control.end()
    }

    /// The next event; `None` at the end. An error is the last item before the end.
    ///
    /// # Errors
    /// Errors of the journal and of the store; errors that every batch would meet, such as a
    /// rejected key; and errors that may pass, but did not for a long time. The run can be resumed
    /// after each of them.
    ///
    /// Cancel-safe: dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Result<BatchEvent, Error>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<BatchEvent, Error>>> {
        if let Some(parts) = self.parts.take() {
            let driver = Driver::new(
                parts.batches,
                parts.journal,
                parts.store,
                self.settings.clone(),
                Arc::clone(&self.control),
            );
            self.work = Some(Box::pin(driver.run()));
        }
        loop {
            if let Some(event) = self.control.pop() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(work) = &mut self.work else {
                return Poll::Ready(self.failure.take().map(Err));
            };
            match work.as_mut().poll(cx) {
                Poll::Ready(result) => {
                    self.work = None;
                    self.failure = result.err();
                }
                Poll::Pending => match self.control.pop() {
                    Some(event) => return Poll::Ready(Some(Ok(event))),
                    None => return Poll::Pending,
                },
            }
        }
    }
}

impl fmt::Debug for ProviderRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderRun")
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}

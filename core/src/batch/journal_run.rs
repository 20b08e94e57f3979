//! Runs a batch from a journal: claims items, sends them, records the results.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::held::Held;
use super::item::{Ran, Unanswered, record_error, run_item};
use super::outage::{Outage, Tries, Verdict, unreachable};
use super::{Meter, Work};
use crate::chat::{ChatRequest, ChatResponse};
use crate::error::Error;
use crate::executor::BoxFuture;
use crate::journal::{Claim, Item, Journal, Outcome, Recorded};
use crate::time::Instant;

/// An item that ended and was recorded.
///
/// No example: [`process_journal`](super::BatchProcessor::process_journal) has one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The item and its result.
    pub outcome: Outcome,
    /// Whether this result is the one that the journal keeps.
    pub recorded: Recorded,
}

/// The results of a batch from a [`Journal`], as they are recorded. See
/// [`process_journal`](super::BatchProcessor::process_journal).
///
/// Dropping the run cancels the items in flight and releases the run's leases.
///
/// The run only makes progress, and only renews its leases, while the stream is polled. A consumer
/// that does not poll again within [`Lease::lasts`](crate::journal::Lease::lasts) loses its leases
/// to other workers, so do slower work in a separate task.
///
/// No example here: that method has one.
#[must_use = "a batch does nothing until its results are polled"]
pub struct JournalRun {
    journal: Arc<dyn Journal>,
    work: Work<ChatRequest, ChatResponse, Error>,
    max_workers: usize,
    meter: Meter,
    stage: Stage,
    /// The pending journal operation: a claim, the wait before the next claim, the count of items,
    /// or closing.
    asking: Option<BoxFuture<'static, Asked>>,
    waiting: VecDeque<(Arc<Held>, Item)>,
    running: FuturesUnordered<BoxFuture<'static, Ran>>,
    /// Items that pause before they are sent again.
    pausing: FuturesUnordered<BoxFuture<'static, Box<Unanswered>>>,
    /// How many of them keep their place among the items in flight.
    places: usize,
    outage: Outage,
    keeping: FuturesUnordered<BoxFuture<'static, ()>>,
    held: Vec<Arc<Held>>,
    /// Whether the run ends before its items do.
    is_stopped: bool,
    /// Why the run ends early. It is the last item of the stream.
    failure: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Claiming,
    /// No more claims; the items in flight finish.
    Finishing,
    /// Nothing is in flight; leases are released and the journal is synced.
    Closing,
    Ended,
}

/// The result of the pending journal operation.
enum Asked {
    Claimed(Result<(Claim, Option<Arc<Held>>), Error>),
    Waited,
    Total(Option<usize>),
    Closed(Result<(), Error>),
}

impl JournalRun {
    pub(super) fn new(
        journal: Arc<dyn Journal>,
        work: Work<ChatRequest, ChatResponse, Error>,
        max_workers: usize,
    ) -> Self {
        Self {
            meter: Meter::new(work.executor.now()),
            journal,
            work,
            max_workers: max_workers.max(1),
            stage: Stage::Claiming,
            asking: None,
            waiting: VecDeque::new(),
            running: FuturesUnordered::new(),
            pausing: FuturesUnordered::new(),
            places: 0,
            outage: Outage::default(),
            keeping: FuturesUnordered::new(),
            held: Vec::new(),
            is_stopped: false,
            failure: None,
        }
    }

    /// Stops claiming items. The items in flight finish and are recorded, then the stream ends;
    /// another run can resume the rest. Use it for a deadline, a spending cap, or Ctrl-C.
    pub fn stop(&mut self) {
        if self.stage == Stage::Claiming {
            self.stage = Stage::Finishing;
        }
        self.is_stopped = true;
        self.waiting.clear();
        for _ in 0..self.pausing.len() {
            self.meter.left();
        }
        self.pausing.clear();
        self.places = 0;
    }

    /// How many items are in flight: started and not yet recorded.
    pub fn in_flight(&self) -> usize {
        self.running.len() + self.pausing.len()
    }

    /// The next recorded item; `None` at the end of the run. An error is the last item before the
    /// end.
    ///
    /// # Errors
    /// Errors of the journal, and errors that every item would fail with, such as a rejected key
    /// ([`Auth`](crate::ErrorKind::Auth), [`QuotaExceeded`](crate::ErrorKind::QuotaExceeded),
    /// [`Config`](crate::ErrorKind::Config), [`Closed`](crate::ErrorKind::Closed)). Such an item is not recorded
    /// as failed, so that the run can be resumed.
    ///
    /// The same happens if the provider cannot be reached any more, or drops every connection before
    /// any content; the code is then `unreachable`. An item without an answer is sent again after
    /// pauses of a second and more. If other items are answered meanwhile, its error is its own and
    /// is recorded. If none is, the run ends after three such rounds.
    ///
    /// Cancel-safe: dropping the future loses no result, and the items continue at the next call.
    pub async fn next(&mut self) -> Option<Result<Finished, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Starts claimed items while fewer than `max_workers` are in flight.
    fn begin(&mut self) {
        while self.running.len() + self.places < self.max_workers
            && let Some((held, item)) = self.waiting.pop_front()
        {
            if held.is_lost() {
                continue;
            }
            self.meter.started();
            let began = self.work.executor.now();
            self.run(held, Box::new(item), began, Tries::default());
        }
    }

    fn run(&mut self, held: Arc<Held>, item: Box<Item>, began: Instant, tries: Tries) {
        let (work, journal) = (self.work.clone(), Arc::clone(&self.journal));
        self.running.push(Box::pin(run_item(
            work,
            journal,
            held,
            item,
            began,
            tries,
            self.outage.unanswered(),
        )));
    }

    /// Sends items again whose pause is over.
    fn again(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(paused)) = self.pausing.poll_next_unpin(cx) {
            self.places -= usize::from(paused.keeps_place);
            match paused.held.is_lost() {
                // Another worker runs the item.
                true => self.meter.left(),
                false => self.run(paused.held, paused.item, paused.began, paused.tries),
            }
        }
    }

    fn unanswered(&mut self, mut item: Box<Unanswered>) {
        if self.is_stopped {
            // Not recorded, so that it is run again when the run is resumed.
            return self.meter.left();
        }
        let in_flight = (self.running.len() + self.places + 1).min(self.work.limit());
        match self.outage.judge(&mut item.tries, &item.error, in_flight) {
            Verdict::Own => {
                let (work, journal) = (self.work.clone(), Arc::clone(&self.journal));
                self.running
                    .push(Box::pin(record_error(work, journal, item)));
            }
            Verdict::Again { after, keeps_place } => {
                item.keeps_place = keeps_place;
                self.places += usize::from(keeps_place);
                let pause = self.work.executor.sleep(after);
                self.pausing.push(Box::pin(async move {
                    pause.await;
                    item
                }));
            }
            Verdict::Ended => {
                self.meter.left();
                self.failure.get_or_insert(unreachable(&item.error));
                self.stop();
            }
        }
    }

    /// Claims more items if a worker is free and no claimed item waits.
    fn ask(&mut self) {
        let free = self
            .max_workers
            .saturating_sub(self.running.len() + self.places);
        let is_idle = self.running.is_empty() && self.pausing.is_empty();
        if self.stage == Stage::Finishing && is_idle {
            // This drops a pending claim, because its items would not be started.
            self.close();
        } else if self.stage == Stage::Claiming
            && self.asking.is_none()
            && self.waiting.is_empty()
            && free > 0
        {
            let journal = Arc::clone(&self.journal);
            let executor = Arc::clone(&self.work.executor);
            self.asking = Some(Box::pin(async move {
                let asked_at = executor.now();
                let claimed = journal.claim(free).await.map(|claim| match claim {
                    Claim::Items(lease, items) => {
                        let held = Held::new(lease, items.len(), asked_at);
                        (Claim::Items(held.lease().clone(), items), Some(held))
                    }
                    other => (other, None),
                });
                Asked::Claimed(claimed)
            }));
        }
    }

    fn answered(&mut self, asked: Asked) {
        match asked {
            Asked::Claimed(Ok((Claim::Items(_, items), Some(held)))) => {
                let is_first = self.held.is_empty() && self.meter.is_fresh();
                self.held.retain(|held| held.is_left());
                self.held.push(Arc::clone(&held));
                if let Some(keep) =
                    Held::keep(&held, &self.journal, Arc::clone(&self.work.executor))
                {
                    self.keeping.push(keep);
                }
                if self.stage == Stage::Claiming {
                    let items = items.into_iter();
                    self.waiting
                        .extend(items.map(|item| (Arc::clone(&held), item)));
                }
                if is_first {
                    let journal = Arc::clone(&self.journal);
                    self.asking = Some(Box::pin(async move {
                        let counts = journal.progress().await.unwrap_or_default();
                        let left = counts.total.map(|t| t.saturating_sub(counts.finished()));
                        Asked::Total(left.and_then(|left| usize::try_from(left).ok()))
                    }));
                }
            }
            Asked::Claimed(Ok((Claim::Later(wait), _))) => {
                let sleep = self.work.executor.sleep(wait);
                self.asking = Some(Box::pin(async move {
                    sleep.await;
                    Asked::Waited
                }));
            }
            Asked::Claimed(Ok(_)) => self.stage = self.stage.max_finishing(),
            Asked::Claimed(Err(error)) => {
                // The items in flight are already paid for, so they finish and are recorded if the
                // journal still can.
                self.failure.get_or_insert(error);
                self.stop();
            }
            Asked::Waited => {}
            Asked::Total(total) => self.meter.set_total(total),
            Asked::Closed(result) => {
                self.stage = Stage::Ended;
                if let Err(error) = result {
                    self.failure.get_or_insert(error);
                }
            }
        }
    }

    /// Ends the run because the journal could not record a result. Cancels the items in flight and
    /// releases all leases.
    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
        self.stop();
        self.running.clear();
        self.close();
    }

    /// Releases every lease that still has items, then syncs the journal.
    fn close(&mut self) {
        self.stage = Stage::Closing;
        let left = self.held.drain(..).filter(|held| held.is_left());
        let close = close(Arc::clone(&self.journal), left.collect());
        self.asking = Some(Box::pin(async move { Asked::Closed(close.await) }));
    }
}

impl Stage {
    fn max_finishing(self) -> Self {
        match self {
            Self::Claiming => Self::Finishing,
            other => other,
        }
    }
}

/// Releases the leases in `left`, then syncs the journal. Returns the first error.
async fn close(journal: Arc<dyn Journal>, left: Vec<Arc<Held>>) -> Result<(), Error> {
    let mut result = Ok(());
    for held in left {
        result = result.and(journal.release(held.lease()).await);
    }
    result.and(journal.sync().await)
}

impl Stream for JournalRun {
    type Item = Result<Finished, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.stage == Stage::Ended {
                return Poll::Ready(this.failure.take().map(Err));
            }
            while let Poll::Ready(Some(())) = this.keeping.poll_next_unpin(cx) {}
            this.again(cx);
            this.begin();
            this.ask();
            if let Some(asking) = &mut this.asking
                && let Poll::Ready(asked) = asking.as_mut().poll(cx)
            {
                this.asking = None;
                this.answered(asked);
                continue;
            }
            match this.running.poll_next_unpin(cx) {
                Poll::Ready(Some(Ran::Recorded(held, finished, sent_after))) => {
                    held.ended();
                    this.outage.ended(&finished.outcome.result, sent_after);
                    this.work.ended(&mut this.meter, &finished.outcome.result);
                    return Poll::Ready(Some(Ok(*finished)));
                }
                Poll::Ready(Some(Ran::Unanswered(item))) => this.unanswered(item),
                Poll::Ready(Some(Ran::Unanswerable(error))) => {
                    this.meter.left();
                    this.failure.get_or_insert(error);
                    this.stop();
                }
                Poll::Ready(Some(Ran::Unrecorded(error))) => this.fail(error),
                // Nothing is in flight. `ask` begins closing in the next iteration.
                Poll::Ready(None) if this.stage == Stage::Finishing && this.pausing.is_empty() => {}
                _ => return Poll::Pending,
            }
        }
    }
}

impl Unpin for JournalRun {}

/// Releases the leases that still have items; in a background task if that does not complete at
/// once.
impl Drop for JournalRun {
    fn drop(&mut self) {
        let left: Vec<_> = self.held.drain(..).filter(|held| held.is_left()).collect();
        if left.is_empty() {
            return;
        }
        // Cancel the items in flight first, because their leases are released.
        self.running.clear();
        self.pausing.clear();
        self.asking = None;
        let journal = Arc::clone(&self.journal);
        let mut release: BoxFuture<'static, ()> = Box::pin(async move {
            for held in left {
                // There is no caller to report an error to. A lease that is not released expires by
                // itself.
                let _ = journal.release(held.lease()).await;
            }
        });
        let mut cx = Context::from_waker(Waker::noop());
        if release.as_mut().poll(&mut cx).is_pending() {
            self.work.executor.spawn(release);
        }
    }
}

impl fmt::Debug for JournalRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalRun")
            .field("stage", &self.stage)
            .field("running", &self.running.len())
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

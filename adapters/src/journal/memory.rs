//! A journal in memory, for tests, with leases that can expire.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatcore::journal::{Claim, Counts, Item, Journal, Lease, Outcome, Recorded, Renewal};
use chatcore::{BoxFuture, ChatRequest, Error, ErrorKind, Executor, Instant};

/// The longest wait before a worker claims again, if the run is paused or all remaining items are
/// leased. A worker does not wait for the end of a lease, because items are finished before that,
/// its own among them.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// A journal in memory, for tests. It behaves like a journal in a database, but does not survive
/// the process. Several workers can share it.
///
/// ```
/// use std::sync::Arc;
/// use chatcore::{BatchProcessor, ChatRequest, Message};
/// use chatcore_adapters::journal::MemoryJournal;
///
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let items = ["one", "two"].map(|text| (text, ChatRequest::new([Message::user(text)])));
/// let journal = Arc::new(MemoryJournal::new(Arc::clone(client.executor()), items));
/// let mut run = BatchProcessor::requests(&client).process_journal(journal.clone());
/// while let Some(finished) = run.next().await {
///     finished?;
/// }
/// for outcome in journal.outcomes() {
///     println!("{}: {:?}", outcome.id, outcome.result);
/// }
/// # Ok(())
/// # }
/// ```
pub struct MemoryJournal {
    clock: Arc<dyn Executor>,
    chunk: usize,
    lasts: Option<Duration>,
    state: Mutex<State>,
}

struct State {
    items: Vec<(String, ChatRequest)>,
    outcomes: Vec<Option<Outcome>>,
    leases: Vec<Chunk>,
    counts: Counts,
    is_paused: bool,
    is_cancelled: bool,
}

/// The lease of a chunk.
#[derive(Clone, Copy, Debug, Default)]
struct Chunk {
    fence: u64,
    is_leased: bool,
    until: Option<Instant>,
}

impl MemoryJournal {
    /// The default of [`chunk`](Self::chunk): how many items a chunk has.
    pub const DEFAULT_CHUNK: usize = 1_000;

    /// Creates a journal of these items, each with its name. Leases do not expire unless
    /// [`lease`](Self::lease) is set; `clock` measures them.
    pub fn new<S: Into<String>>(
        clock: Arc<dyn Executor>,
        items: impl IntoIterator<Item = (S, ChatRequest)>,
    ) -> Self {
        let items = items.into_iter().map(|(id, request)| (id.into(), request));
        let items: Vec<_> = items.collect();
        let mut counts = Counts::default();
        counts.total = Some(items.len() as u64);
        let journal = Self {
            clock,
            chunk: Self::DEFAULT_CHUNK,
            lasts: None,
            state: Mutex::new(State {
                outcomes: vec![None; items.len()],
                leases: Vec::new(),
                items,
                counts,
                is_paused: false,
                is_cancelled: false,
            }),
        };
        journal.chunk(Self::DEFAULT_CHUNK)
    }

    /// Sets how many items a chunk has. Default: 1,000; 0 counts as 1.
    #[must_use]
    pub fn chunk(mut self, items: usize) -> Self {
        self.chunk = items.max(1);
        {
            let mut state = self.lock();
            let chunks = state.items.len().div_ceil(items.max(1));
            state.leases = vec![Chunk::default(); chunks];
        }
        self
    }

    /// Sets how long a lease lasts without a renewal. Default: for ever.
    #[must_use]
    pub fn lease(mut self, lasts: Duration) -> Self {
        self.lasts = Some(lasts);
        self
    }

    /// Hands out no items until [`resume`](Self::resume). Items in flight continue.
    pub fn pause(&self) {
        self.lock().is_paused = true;
    }

    /// Hands out items again.
    pub fn resume(&self) {
        self.lock().is_paused = false;
    }

    /// Ends the run: no more items are handed out, and no lease is renewed. Recorded results stay,
    /// and results can still be recorded.
    pub fn cancel(&self) {
        self.lock().is_cancelled = true;
    }

    /// The results so far, in the order of the items.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.lock().outcomes.iter().flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim_now(&self) -> Claim {
        let now = self.clock.now();
        let mut state = self.lock();
        let state = &mut *state;
        if state.is_cancelled {
            return Claim::End;
        }
        let mut soonest = None;
        for (number, chunk) in state.leases.iter_mut().enumerate() {
            let places = number * self.chunk..((number + 1) * self.chunk).min(state.items.len());
            let left = places.filter(|&place| state.outcomes[place].is_none());
            let mut left = left.peekable();
            if left.peek().is_none() {
                continue;
            }
            if chunk.is_leased && chunk.until.is_none_or(|until| until > now) {
                let wait = chunk
                    .until
                    .map_or(ASK_AGAIN, |until| ASK_AGAIN.min(until - now));
                soonest = Some(soonest.unwrap_or(wait).min(wait));
                continue;
            }
            if state.is_paused {
                return Claim::Later(ASK_AGAIN);
            }
            chunk.fence += 1;
            chunk.is_leased = true;
            chunk.until = self.lasts.map(|lasts| now + lasts);
            let items = left.map(|place| {
                let (id, request) = state.items[place].clone();
                Item {
                    place: place as u64 + 1,
                    id,
                    tag: place as u64,
                    request: Ok(request),
                }
            });
            let lease = Lease {
                chunk: number as u64,
                fence: chunk.fence,
                lasts: self.lasts,
            };
            return Claim::Items(lease, items.collect());
        }
        soonest.map_or(Claim::End, Claim::Later)
    }

    fn record_now(&self, outcome: &Outcome) -> Result<Recorded, Error> {
        let mut state = self.lock();
        let state = &mut *state;
        let slot = usize::try_from(outcome.tag).ok();
        let Some(slot) = slot.and_then(|place| state.outcomes.get_mut(place)) else {
            let why = format!("the journal has no item with the tag {}", outcome.tag);
            return Err(Error::new(ErrorKind::Journal, why));
        };
        if slot.is_some() {
            return Ok(Recorded::Already);
        }
        *slot = Some(outcome.clone());
        state.counts.add(&outcome.result);
        Ok(Recorded::First)
    }

    /// The chunk of a lease, if the lease is still held.
    fn held<'a>(&self, state: &'a mut State, lease: &Lease) -> Option<&'a mut Chunk> {
        let now = self.clock.now();
        let chunk = state.leases.get_mut(usize::try_from(lease.chunk).ok()?)?;
        let is_held = chunk.is_leased
            && chunk.fence == lease.fence
            && chunk.until.is_none_or(|until| until > now);
        is_held.then_some(chunk)
    }
}

fn ready<T: Send + 'static>(value: T) -> BoxFuture<'static, Result<T, Error>> {
    Box::pin(std::future::ready(Ok(value)))
}

impl Journal for MemoryJournal {
    fn claim(&self, _want: usize) -> BoxFuture<'_, Result<Claim, Error>> {
        // Claims when polled, so that a future that is dropped unpolled takes no lease.
        Box::pin(async { Ok(self.claim_now()) })
    }

    fn record<'a>(
        &'a self,
        _lease: &'a Lease,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<Recorded, Error>> {
        Box::pin(async { self.record_now(outcome) })
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewal, Error>> {
        let now = self.clock.now();
        let mut state = self.lock();
        let is_cancelled = state.is_cancelled;
        let renewal = match self.held(&mut state, lease) {
            Some(chunk) if !is_cancelled => {
                chunk.until = self.lasts.map(|lasts| now + lasts);
                Renewal::Held
            }
            _ => Renewal::Lost,
        };
        ready(renewal)
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Error>> {
        let mut state = self.lock();
        if let Some(chunk) = self.held(&mut state, lease) {
            chunk.is_leased = false;
        }
        ready(())
    }

    fn progress(&self) -> BoxFuture<'_, Result<Counts, Error>> {
        ready(self.lock().counts)
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal")
            .field("counts", &self.lock().counts)
            .field("chunk", &self.chunk)
            .field("lasts", &self.lasts)
            .finish_non_exhaustive()
    }
}

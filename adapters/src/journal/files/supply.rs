//! Hands out the remaining items in chunks, which are read from the input on demand.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatcore::journal::{Claim, Item, Lease};
use chatcore::{Error, ErrorKind, Executor};
use event_listener::Event;

use super::done::Done;
use super::run_blocking;
use crate::journal::jsonl::Items;
use crate::journal::jsonl::input::unreadable;

/// The maximum size of a chunk, in items and in bytes of lines: large enough that the reading
/// thread costs little, and small enough to hold in memory.
const CHUNK_ITEMS: usize = 256;
const CHUNK_BYTES: usize = 4 << 20;

/// Opens the input from its beginning.
pub(super) type Open = Box<dyn Fn() -> Result<Items, Error> + Send + Sync>;

/// Hands out the items that have no result.
pub(super) struct Supply {
    executor: Arc<dyn Executor>,
    blocks: bool,
    open: Open,
    /// The input's name in messages.
    name: String,
    done: Arc<Mutex<Done>>,
    state: Mutex<State>,
    /// Notified when a chunk was read or a lease has ended.
    changed: Event,
}

#[derive(Default)]
struct State {
    /// The input at its current position; `None` before it is opened.
    items: Option<Items>,
    ready: Option<Vec<Item>>,
    leases: BTreeMap<u64, Range>,
    next_chunk: u64,
    is_reading: bool,
    is_at_end: bool,
    /// Whether lines without a result were skipped because they were leased, or were released.
    /// Another pass reads them.
    is_left_behind: bool,
    failure: Option<Error>,
}

/// The lines of a lease, and how many of its items have no result yet.
#[derive(Clone, Copy)]
struct Range {
    first: u64,
    last: u64,
    left: usize,
}

impl Supply {
    pub(super) fn new(
        executor: Arc<dyn Executor>,
        blocks: bool,
        open: Open,
        name: String,
        done: Arc<Mutex<Done>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            executor,
            blocks,
            open,
            name,
            done,
            state: Mutex::default(),
            changed: Event::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next chunk. At the end of the input this waits until all leases have ended, because
    /// released items are handed out again.
    pub(super) async fn claim(self: &Arc<Self>) -> Result<Claim, Error> {
        loop {
            let listener = {
                let mut state = self.lock();
                if let Some(items) = state.ready.take() {
                    return Ok(state.lease(items));
                }
                if let Some(error) = &state.failure {
                    return Err(error.clone());
                }
                let is_between = state.is_at_end && !state.is_reading;
                if is_between && state.leases.is_empty() {
                    if !state.is_left_behind {
                        return self.end();
                    }
                    state.is_at_end = false;
                    state.is_left_behind = false;
                    state.items = None;
                }
                if !state.is_at_end && !state.is_reading {
                    state.is_reading = true;
                    self.read(&mut state);
                }
                self.changed.listen()
            };
            listener.await;
        }
    }

    /// Called at the end of the input, when every item must have a result.
    fn end(&self) -> Result<Claim, Error> {
        let counts = self.done().counts;
        let missing = counts.total.unwrap_or(0).saturating_sub(counts.finished());
        if missing == 0 {
            return Ok(Claim::End);
        }
        let why = format!(
            "{} has become shorter since it was checked: {missing} of its items are missing; give \
             the whole input, then resume",
            self.name
        );
        Err(Error::new(ErrorKind::Journal, why).with_code(Some("another_input".to_owned())))
    }

    /// Reads a chunk in a background task, so that a dropped claim loses no items.
    fn read(self: &Arc<Self>, state: &mut State) {
        let mut told = Told(Some(Arc::clone(self)));
        let (supply, items) = (Arc::clone(self), state.items.take());
        // Sorted, because a run through a provider's Batch API holds thousands of leases. `last`
        // becomes the last line of all ranges that begin no later.
        let mut held: Vec<_> = state.leases.values().copied().collect();
        held.sort_unstable_by_key(|range| range.first);
        let mut last = 0;
        for range in &mut held {
            last = range.last.max(last);
            range.last = last;
        }
        self.executor.spawn(Box::pin(async move {
            let reader = Arc::clone(&supply);
            let read = run_blocking(supply.blocks, move || reader.read_chunk(items, &held)).await;
            told.disarm();
            {
                let mut state = supply.lock();
                state.is_reading = false;
                match read {
                    Ok(chunk) => {
                        state.is_left_behind |= chunk.is_left_behind;
                        state.is_at_end = chunk.items.is_empty();
                        state.items = Some(chunk.input);
                        state.ready = Some(chunk.items).filter(|items| !items.is_empty());
                    }
                    Err(error) => state.failure = Some(error),
                }
            }
            supply.changed.notify(usize::MAX);
        }));
    }

    fn read_chunk(&self, items: Option<Items>, held: &[Range]) -> Result<Chunk, Error> {
        let mut input = match items {
            Some(items) => items,
            None => (self.open)()?,
        };
        let mut chunk = Vec::with_capacity(CHUNK_ITEMS);
        let mut bytes = 0;
        let is_left_behind = std::cell::Cell::new(false);
        // Locked for each line only, so that results can be recorded meanwhile.
        let is_wanted = |line: u64| {
            if self.done().has(line) {
                return false;
            }
            let after = held.partition_point(|range| range.first <= line);
            let before = after.checked_sub(1).and_then(|at| held.get(at));
            let is_held = before.is_some_and(|range| line <= range.last);
            if is_held {
                is_left_behind.set(true);
            }
            !is_held
        };
        while chunk.len() < CHUNK_ITEMS && bytes < CHUNK_BYTES {
            let next = input.next_wanted(is_wanted);
            match next.map_err(|error: io::Error| unreadable(&self.name, &error))? {
                Some((item, length)) => {
                    bytes += length;
                    chunk.push(item);
                }
                None => break,
            }
        }
        Ok(Chunk {
            input,
            items: chunk,
            is_left_behind: is_left_behind.get(),
        })
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called when an item of a lease was recorded.
    pub(super) fn ended(&self, lease: &Lease) {
        let mut state = self.lock();
        if let Some(range) = state.leases.get_mut(&lease.chunk) {
            range.left -= 1;
            if range.left == 0 {
                state.leases.remove(&lease.chunk);
                drop(state);
                self.changed.notify(usize::MAX);
            }
        }
    }

    /// Releases a lease with its remaining items.
    pub(super) fn release(&self, lease: &Lease) {
        {
            let mut state = self.lock();
            if state.leases.remove(&lease.chunk).is_none() {
                return;
            }
            state.is_left_behind = true;
        }
        self.changed.notify(usize::MAX);
    }
}

impl State {
    fn lease(&mut self, items: Vec<Item>) -> Claim {
        let chunk = self.next_chunk;
        self.next_chunk += 1;
        let range = Range {
            first: items.first().map_or(0, |item| item.place),
            last: items.last().map_or(0, |item| item.place),
            left: items.len(),
        };
        self.leases.insert(chunk, range);
        let lease = Lease {
            chunk,
            fence: 0,
            lasts: None,
        };
        Claim::Items(lease, items)
    }
}

struct Chunk {
    input: Items,
    items: Vec<Item>,
    is_left_behind: bool,
}

/// Fails the waiting claims if the reading task is dropped before its end.
struct Told(Option<Arc<Supply>>);

impl Told {
    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(supply) = &self.0 {
            let why = "the executor was shut down while the input was read; resume the batch";
            let error = Error::new(ErrorKind::Journal, why);
            supply.lock().failure.get_or_insert(error);
            supply.changed.notify(usize::MAX);
        }
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Supply")
            .field("input", &self.name)
            .field("leases", &state.leases.len())
            .field("is_at_end", &state.is_at_end)
            .field("failure", &state.failure)
            .finish_non_exhaustive()
    }
}

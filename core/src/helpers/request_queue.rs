//! The old client's `AsyncRequestQueue`.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::admission::waitlist::{Ticket, WaitList};
use crate::admission::wake::wake;
use crate::error::{Error, ErrorKind};

/// A bounded queue for items of any type, first in, first out, with any number of tasks on both
/// ends.
///
/// Clones share the queue. Tasks that wait to put or to get are served in the order in which they
/// came. The queue needs no executor, and works on any.
///
/// ```
/// # use chatcore::RequestQueue;
/// # futures_lite::future::block_on(async {
/// let queue = RequestQueue::new(100);
/// queue.put("why is the sky blue?").await?;
/// queue.put("and the sea?").await?;
/// queue.close();
/// while let Some(prompt) = queue.get().await {
///     println!("{prompt}");
/// }
/// # Ok::<(), chatcore::PutError<&str>>(())
/// # }).unwrap();
/// ```
pub struct RequestQueue<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    max_size: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
    putting: WaitList,
    getting: WaitList,
}

/// Why an item was not put. Holds the item, so that it is not lost.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PutError<T> {
    /// The queue is full, or other tasks already wait to put.
    Full(T),
    /// The queue is closed.
    Closed(T),
}

impl<T> RequestQueue<T> {
    /// Creates a queue that holds at most `max_size` items; 0 counts as 1.
    pub fn new(max_size: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                max_size: max_size.max(1),
                state: Mutex::new(State {
                    items: VecDeque::new(),
                    closed: false,
                    putting: WaitList::default(),
                    getting: WaitList::default(),
                }),
            }),
        }
    }

    /// Puts `item` at the end, and waits until there is room for it.
    ///
    /// Dropping the future leaves the queue's waiting list and drops the item.
    ///
    /// # Errors
    /// [`PutError::Closed`] with the item, also if the queue is closed during the wait.
    pub async fn put(&self, item: T) -> Result<(), PutError<T>> {
        let mut item = Some(item);
        let mut place = Place::new(&self.shared, |state| &mut state.putting);
        poll_fn(|cx| {
            place.poll(cx, |state| {
                // The item is taken only on its turn, and put back if there is no room yet.
                match state.put(self.shared.max_size, item.take()?) {
                    Err(PutError::Full(back)) => {
                        item = Some(back);
                        None
                    }
                    result => Some(result),
                }
            })
        })
        .await
    }

    /// Puts `item` at the end, if there is room and no other task waits to put.
    ///
    /// # Errors
    /// [`PutError`] with the item.
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.shared.lock();
        if !state.closed && !state.putting.is_turn(None) {
            return Err(PutError::Full(item));
        }
        let result = state.put(self.shared.max_size, item);
        let next = state.getting.head();
        drop(state);
        wake(next);
        result
    }

    /// Takes the first item, and waits until there is one; `None` once the queue is closed and
    /// empty.
    ///
    /// Cancel-safe: dropping the future leaves the waiting list and loses no item.
    pub async fn get(&self) -> Option<T> {
        let mut place = Place::new(&self.shared, |state| &mut state.getting);
        poll_fn(|cx| place.poll(cx, State::get)).await
    }

    /// Takes the first item, if there is one and no task waits for it.
    pub fn try_get(&self) -> Option<T> {
        let mut state = self.shared.lock();
        if !state.getting.is_turn(None) {
            return None;
        }
        let item = state.items.pop_front();
        let next = state.putting.head();
        drop(state);
        wake(next);
        item
    }

    /// Closes the queue for new items. The items in it can still be got. Tasks that wait to put get
    /// their items back.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let mut woken = state.putting.all();
        woken.append(&mut state.getting.all());
        drop(state);
        wake(woken);
    }

    /// How many items the queue holds.
    pub fn len(&self) -> usize {
        self.shared.lock().items.len()
    }

    /// Whether the queue holds no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The maximum number of items.
    pub fn max_size(&self) -> usize {
        self.shared.max_size
    }

    /// Whether the queue was closed.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().closed
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No user code runs under the lock, so the state of a poisoned mutex is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn put(&mut self, max_size: usize, item: T) -> Result<(), PutError<T>> {
        if self.closed {
            return Err(PutError::Closed(item));
        }
        if self.items.len() >= max_size {
            return Err(PutError::Full(item));
        }
        self.items.push_back(item);
        Ok(())
    }

    /// An item, or the end (`Some(None)`); `None` to go on waiting.
    #[allow(
        clippy::option_option,
        reason = "the outer one says whether to go on waiting"
    )]
    fn get(&mut self) -> Option<Option<T>> {
        match self.items.pop_front() {
            Some(item) => Some(Some(item)),
            None => self.closed.then_some(None),
        }
    }
}

/// A place in one of the queue's two waiting lists. Dropping it leaves the list.
struct Place<'a, T> {
    shared: &'a Shared<T>,
    list: fn(&mut State<T>) -> &mut WaitList,
    ticket: Option<Ticket>,
}

impl<'a, T> Place<'a, T> {
    fn new(shared: &'a Shared<T>, list: fn(&mut State<T>) -> &mut WaitList) -> Self {
        Self {
            shared,
            list,
            ticket: None,
        }
    }

    /// Ready with the result of `act`, once it is this place's turn and `act` returns one.
    fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut State<T>) -> Option<R>,
    ) -> Poll<R> {
        let mut state = self.shared.lock();
        let state = &mut *state;
        // Nobody waits for a turn once the queue is closed.
        let is_turn = (self.list)(state).is_turn(self.ticket) || state.closed;
        if is_turn && let Some(result) = act(state) {
            (self.list)(state).leave(&mut self.ticket);
            return Poll::Ready(result);
        }
        (self.list)(state).wait(&mut self.ticket, cx.waker());
        Poll::Pending
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        (self.list)(&mut state).leave(&mut self.ticket);
        // An item was put or taken, or a place became free, so either list may have its turn.
        let next = [state.putting.head(), state.getting.head()];
        drop(state);
        wake(next.into_iter().flatten());
    }
}

impl<T> Clone for RequestQueue<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> fmt::Debug for RequestQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("RequestQueue")
            .field("len", &state.items.len())
            .field("max_size", &self.shared.max_size)
            .field("closed", &state.closed)
            .finish_non_exhaustive()
    }
}

impl<T> PutError<T> {
    /// The item that was not put.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full; wait with `put`, or get items from it first",
            Self::Closed(_) => "the queue is closed",
        })
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> StdError for PutError<T> {}

impl<T> From<PutError<T>> for Error {
    /// [`QueueFull`](ErrorKind::QueueFull) or [`Closed`](ErrorKind::Closed); the item is dropped.
    fn from(error: PutError<T>) -> Self {
        let kind = match error {
            PutError::Full(_) => ErrorKind::QueueFull,
            PutError::Closed(_) => ErrorKind::Closed,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;

    use futures_lite::future::{block_on, poll_once};
    use futures_util::future::{join, join_all};

    use super::*;

    fn once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        block_on(poll_once(future))
    }

    #[test]
    fn first_in_first_out_through_a_small_queue() {
        let queue = RequestQueue::new(2);
        let put = async {
            for i in 0..100 {
                queue.put(i).await.unwrap();
                assert!(queue.len() <= 2);
            }
            queue.close();
        };
        let get = async {
            let mut got = Vec::new();
            while let Some(i) = queue.get().await {
                got.push(i);
            }
            got
        };
        let ((), got) = block_on(join(put, get));
        assert_eq!(got, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn full_gives_the_item_back_and_those_who_wait_are_first() {
        let queue = RequestQueue::new(1);
        queue.try_put("a").unwrap();
        assert_eq!(queue.try_put("b"), Err(PutError::Full("b")));
        let mut waits = pin!(queue.put("c"));
        assert!(once(&mut waits).is_none());
        assert_eq!(queue.try_get(), Some("a"));
        // The free room belongs to the task that came first.
        assert_eq!(queue.try_put("d"), Err(PutError::Full("d")));
        once(&mut waits).unwrap().unwrap();
        assert_eq!(queue.try_get(), Some("c"));
        let error = Error::from(PutError::Full(1));
        assert_eq!(error.kind(), ErrorKind::QueueFull);
    }

    #[test]
    fn who_stops_waiting_loses_no_item_and_blocks_nobody() {
        let queue = RequestQueue::new(1);
        {
            let mut first = pin!(queue.get());
            assert!(once(&mut first).is_none());
            let mut second = Box::pin(queue.get());
            assert!(once(&mut second).is_none());
            queue.try_put(1).unwrap();
            // It is not the second task's turn, although there is an item.
            assert!(once(&mut second).is_none());
            assert_eq!(queue.try_get(), None);
            drop(second);
            assert_eq!(once(&mut first), Some(Some(1)));
        }
        queue.try_put(2).unwrap();
        let mut gives_up = Box::pin(queue.put(3));
        let mut next = pin!(queue.put(4));
        assert!(once(&mut gives_up).is_none());
        assert!(once(&mut next).is_none());
        drop(gives_up);
        assert_eq!(queue.try_get(), Some(2));
        once(&mut next).unwrap().unwrap();
        assert_eq!(queue.try_get(), Some(4));
    }

    #[test]
    fn closing_keeps_what_is_there_and_gives_back_what_waits() {
        let queue = RequestQueue::new(1);
        queue.try_put(1).unwrap();
        let mut first = pin!(queue.put(2));
        let mut second = pin!(queue.put(3));
        assert!(once(&mut first).is_none());
        assert!(once(&mut second).is_none());
        queue.close();
        assert_eq!(once(&mut second), Some(Err(PutError::Closed(3))));
        assert_eq!(once(&mut first), Some(Err(PutError::Closed(2))));
        assert_eq!(queue.try_put(4), Err(PutError::Closed(4)));
        assert_eq!(block_on(queue.get()), Some(1));
        assert_eq!(block_on(queue.get()), None);
    }

    #[test]
    fn each_item_is_got_once_by_many_threads() {
        let queue = RequestQueue::new(3);
        let (put, get) = (queue.clone(), queue.clone());
        let putting = std::thread::Builder::new().spawn(move || {
            block_on(join_all((0..1_000).map(|i| put.put(i))));
            put.close();
        });
        let getting = std::thread::Builder::new().spawn(move || {
            let mut got = Vec::new();
            while let Some(i) = block_on(get.get()) {
                got.push(i);
            }
            got
        });
        let mut got = Vec::new();
        while let Some(i) = block_on(queue.get()) {
            got.push(i);
        }
        putting.unwrap().join().unwrap();
        got.append(&mut getting.unwrap().join().unwrap());
        got.sort_unstable();
        assert!(got.into_iter().eq(0..1_000));
    }
}

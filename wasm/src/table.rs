//! What the core waits for at the host: each thing has a number, and the host says the number when
//! it has come.
//!
//! A promise of the host's would do as well, but each takes two closures on this side, which the
//! host has to watch until they are gone: more work than all else that a chat does here.

#![allow(unreachable_pub, reason = "what wasm-bindgen exports has to be public")]

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::prelude::*;

/// A number is a place in the table below these bits, and whose turn it is there above: together no
/// more than the 53 bits that the host's numbers have.
const PLACE_BITS: u32 = 24;
const TURNS: u64 = 1 << 29;

/// What the host has to say.
#[derive(Debug)]
pub(crate) enum News {
    /// Its time has come.
    Rang,
    /// The head of an answer, in lines: the status, and the name and the value of each header.
    Head(String),
    /// A piece of a body, and whether it is the last.
    Piece(Vec<u8>, bool),
    /// It failed.
    Failed(Failure),
}

/// Why something failed at the host.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: JsValue,
    /// The code of the host's error, or nothing.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// One thing that is awaited, once. Dropping it forgets it: what comes later is not kept.
#[derive(Debug)]
pub(crate) struct Awaited {
    number: u64,
}

impl Awaited {
    pub(crate) fn new() -> Self {
        with(|table| {
            table.turn = (table.turn + 1) % TURNS;
            let place = table.free.pop().unwrap_or(table.places.len());
            let entry = (table.turn, State::Awaited(None));
            match table.places.get_mut(place) {
                Some(free) => *free = entry,
                None => table.places.push(entry),
            }
            Self {
                number: table.turn << PLACE_BITS | place as u64,
            }
        })
    }

    /// What the host is to say.
    pub(crate) fn number(&self) -> f64 {
        self.number as f64
    }
}

impl Future for Awaited {
    type Output = News;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<News> {
        let before = with(|table| {
            let state = table.find(self.number)?;
            Some(mem::replace(
                state,
                State::Awaited(Some(cx.waker().clone())),
            ))
        });
        match before {
            Some(State::Came(news)) => Poll::Ready(news),
            // The waker that it may hold is dropped here, where the table is not borrowed.
            _ => Poll::Pending,
        }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let before = with(|table| {
            let before = mem::replace(table.find(self.number)?, State::Free);
            table.free.push(place(self.number));
            Some(before)
        });
        // As above.
        drop(before);
    }
}

#[derive(Debug, Default)]
struct Table {
    /// Whose turn it is, and what it waits for.
    places: Vec<(u64, State)>,
    free: Vec<usize>,
    turn: u64,
}

#[derive(Debug)]
enum State {
    Free,
    Awaited(Option<Waker>),
    Came(News),
}

impl Table {
    fn find(&mut self, number: u64) -> Option<&mut State> {
        let (turn, state) = self.places.get_mut(place(number))?;
        (*turn == number >> PLACE_BITS && !matches!(state, State::Free)).then_some(state)
    }
}

fn place(number: u64) -> usize {
    (number & ((1 << PLACE_BITS) - 1)) as usize
}

fn with<T>(work: impl FnOnce(&mut Table) -> T) -> T {
    thread_local! {
        static TABLE: RefCell<Table> = RefCell::default();
    }
    TABLE.with(|table| work(&mut table.borrow_mut()))
}

fn came(number: f64, news: News) {
    let before = with(|table| {
        let state = table.find(number as u64)?;
        Some(mem::replace(state, State::Came(news)))
    });
    if let Some(State::Awaited(Some(waker))) = before {
        waker.wake();
    }
}

/// The time of a timer has come, or what has this number is not wanted any more.
#[wasm_bindgen]
pub fn rang(number: f64) {
    came(number, News::Rang);
}

/// The head of an answer has come.
#[wasm_bindgen]
pub fn head(number: f64, lines: String) {
    came(number, News::Head(lines));
}

/// A piece of a body has come.
#[wasm_bindgen]
pub fn piece(number: f64, bytes: Vec<u8>, is_last: bool) {
    came(number, News::Piece(bytes, is_last));
}

/// A request, or reading its answer, has failed.
#[wasm_bindgen]
pub fn failed(number: f64, error: JsValue, code: String, message: String) {
    let failure = Failure {
        error,
        code,
        message,
    };
    came(number, News::Failed(failure));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll(awaited: &mut Awaited, waker: &Waker) -> Poll<News> {
        Pin::new(awaited).poll(&mut Context::from_waker(waker))
    }

    #[test]
    fn news_wakes_who_waits_and_is_told_once() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut awaited = Awaited::new();
        assert!(poll(&mut awaited, &waker).is_pending());
        piece(awaited.number(), b"news".to_vec(), true);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        let Poll::Ready(News::Piece(bytes, true)) = poll(&mut awaited, &waker) else {
            panic!("the piece did not come");
        };
        assert_eq!(bytes, b"news");
        assert!(poll(&mut awaited, &waker).is_pending());
        drop(awaited);
        assert_eq!(Arc::strong_count(&count), 2);
    }

    #[test]
    fn news_that_nobody_waits_for_is_not_kept() {
        let first = Awaited::new();
        let number = first.number();
        drop(first);
        let mut second = Awaited::new();
        // It has the same place, at another turn.
        assert_eq!(place(number as u64), place(second.number() as u64));
        rang(number);
        assert!(poll(&mut second, Waker::noop()).is_pending());
        rang(second.number());
        assert!(poll(&mut second, Waker::noop()).is_ready());
        rang(f64::NAN);
        rang(1e18);
    }
}

//! Pending host operations. Each has an id; the host calls back with the id when the operation
//! completes.
//!
//! The operations are in a generational slab, so that an id that the host still knows after its
//! operation was dropped never names another operation. Promises are not used instead, because each
//! needs two closures in the module, which the host must track until they are freed: more work than
//! everything else that a chat does here.

#![allow(unreachable_pub, reason = "what wasm-bindgen exports has to be public")]

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::prelude::*;

/// The low bits of an id, which hold the slot; the generation is in the bits above. Together they
/// fit into the 53 bits that a JavaScript number holds exactly.
const SLOT_BITS: u32 = 24;
const GENERATIONS: u64 = 1 << 29;

/// How an operation completed.
#[derive(Debug)]
pub(crate) enum Completion {
    /// A timer fired, or a promise was aborted.
    Signal,
    /// The head of a response, in lines: the status, then the name and the value of each header. Or
    /// a key.
    Text(String),
    /// A piece of a body, and whether it is the last.
    Piece(Vec<u8>, bool),
    /// The operation failed.
    Failed(Failure),
}

/// Why an operation of the host failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: JsValue,
    /// The code of the host's error; empty if it has none.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// One pending operation, a future of its completion. After it is dropped, a completion is ignored.
#[derive(Debug)]
pub(crate) struct Operation {
    id: u64,
}

impl Operation {
    pub(crate) fn new() -> Self {
        with(|slab| {
            slab.generation = (slab.generation + 1) % GENERATIONS;
            let slot = slab.free.pop().unwrap_or(slab.slots.len());
            let entry = (slab.generation, State::Pending(None));
            match slab.slots.get_mut(slot) {
                Some(free) => *free = entry,
                None => slab.slots.push(entry),
            }
            Self {
                id: slab.generation << SLOT_BITS | slot as u64,
            }
        })
    }

    /// The id with which the host calls back.
    pub(crate) fn id(&self) -> f64 {
        self.id as f64
    }
}

impl Future for Operation {
    type Output = Completion;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Completion> {
        let before = with(|slab| {
            let state = slab.find(self.id)?;
            Some(mem::replace(
                state,
                State::Pending(Some(cx.waker().clone())),
            ))
        });
        match before {
            Some(State::Completed(completion)) => Poll::Ready(completion),
            // An old waker is dropped here, while the slab is not borrowed.
            _ => Poll::Pending,
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let before = with(|slab| {
            let before = mem::replace(slab.find(self.id)?, State::Free);
            slab.free.push(slot(self.id));
            Some(before)
        });
        // Dropped while the slab is not borrowed.
        drop(before);
    }
}

#[derive(Debug, Default)]
struct Slab {
    /// The generation of each slot, and the state of the operation in it.
    slots: Vec<(u64, State)>,
    free: Vec<usize>,
    generation: u64,
}

#[derive(Debug)]
enum State {
    Free,
    Pending(Option<Waker>),
    Completed(Completion),
}

impl Slab {
    fn find(&mut self, id: u64) -> Option<&mut State> {
        let (generation, state) = self.slots.get_mut(slot(id))?;
        (*generation == id >> SLOT_BITS && !matches!(state, State::Free)).then_some(state)
    }
}

fn slot(id: u64) -> usize {
    (id & ((1 << SLOT_BITS) - 1)) as usize
}

fn with<T>(work: impl FnOnce(&mut Slab) -> T) -> T {
    thread_local! {
        static PENDING: RefCell<Slab> = RefCell::default();
    }
    PENDING.with(|slab| work(&mut slab.borrow_mut()))
}

fn complete(id: f64, completion: Completion) {
    let before = with(|slab| {
        let state = slab.find(id as u64)?;
        Some(mem::replace(state, State::Completed(completion)))
    });
    if let Some(State::Pending(Some(waker))) = before {
        waker.wake();
    }
}

/// Called when a timer fired, or a promise was aborted.
#[wasm_bindgen]
pub fn signal(id: f64) {
    complete(id, Completion::Signal);
}

/// Called when the head of a response, or a key, has come.
#[wasm_bindgen]
pub fn text(id: f64, text: String) {
    complete(id, Completion::Text(text));
}

/// Called when a piece of a body has come.
#[wasm_bindgen]
pub fn piece(id: f64, bytes: Vec<u8>, is_last: bool) {
    complete(id, Completion::Piece(bytes, is_last));
}

/// Called when an operation has failed.
#[wasm_bindgen]
pub fn failed(id: f64, error: JsValue, code: String, message: String) {
    let failure = Failure {
        error,
        code,
        message,
    };
    complete(id, Completion::Failed(failure));
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

    fn poll(operation: &mut Operation, waker: &Waker) -> Poll<Completion> {
        Pin::new(operation).poll(&mut Context::from_waker(waker))
    }

    #[test]
    fn a_completion_wakes_the_task_and_is_given_once() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut operation = Operation::new();
        assert!(poll(&mut operation, &waker).is_pending());
        piece(operation.id(), b"news".to_vec(), true);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        let Poll::Ready(Completion::Piece(bytes, true)) = poll(&mut operation, &waker) else {
            panic!("the piece did not come");
        };
        assert_eq!(bytes, b"news");
        assert!(poll(&mut operation, &waker).is_pending());
        drop(operation);
        assert_eq!(Arc::strong_count(&count), 2);
    }

    #[test]
    fn a_completion_of_a_dropped_operation_is_ignored() {
        let first = Operation::new();
        let id = first.id();
        drop(first);
        let mut second = Operation::new();
        // It has the same slot, in another generation.
        assert_eq!(slot(id as u64), slot(second.id() as u64));
        signal(id);
        assert!(poll(&mut second, Waker::noop()).is_pending());
        signal(second.id());
        assert!(poll(&mut second, Waker::noop()).is_ready());
        signal(f64::NAN);
        signal(1e18);
    }
}

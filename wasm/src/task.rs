//! Tasks on the host's event loop.

#![allow(unreachable_pub, reason = "what wasm-bindgen exports has to be public")]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use wasm_bindgen::prelude::*;

use crate::bridge::{self, Local};
use crate::error;
use crate::host;
use crate::table::Awaited;

type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    work: Local<RefCell<Option<Work>>>,
    is_queued: Local<Cell<bool>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.is_queued.replace(true) {
            return;
        }
        let is_first = QUEUE.with_borrow_mut(|queue| {
            queue.push(self);
            queue.len() == 1
        });
        if is_first {
            host::soon();
        }
    }
}

thread_local! {
    static QUEUE: RefCell<Vec<Arc<Task>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` in the background.
pub(crate) fn spawn(work: Work) {
    let task = Task {
        work: bridge::local(RefCell::new(Some(work))),
        is_queued: bridge::local(Cell::new(false)),
    };
    Arc::new(task).wake();
}

/// Goes on with what can go on.
#[wasm_bindgen]
pub fn turn() {
    for task in QUEUE.take() {
        task.is_queued.set(false);
        let waker = Waker::from(Arc::clone(&task));
        let mut work = task.work.borrow_mut();
        let Some(running) = &mut *work else { continue };
        if running
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            *work = None;
        }
    }
}

/// What a promise of the host's comes to: JSON, or nothing.
pub(crate) struct Outcome {
    /// Whether the promise is fulfilled.
    pub(crate) is_ok: bool,
    pub(crate) text: String,
    /// The host's own error that caused the one in `text`.
    pub(crate) cause: Option<JsValue>,
}

impl Outcome {
    pub(crate) fn ok(text: String) -> Self {
        Self {
            is_ok: true,
            text,
            cause: None,
        }
    }
}

/// Runs `work` for a promise of the host's; the number is the promise's. Once the host says that it
/// rang, the promise is rejected with the code `aborted`, and `work` is dropped.
pub(crate) fn promise(mut work: Pin<Box<dyn Future<Output = Outcome>>>) -> f64 {
    let mut aborts = Awaited::new();
    let number = aborts.number();
    spawn(Box::pin(async move {
        let outcome = poll_fn(|cx| match Pin::new(&mut aborts).poll(cx) {
            Poll::Ready(_) => Poll::Ready(Outcome {
                is_ok: false,
                text: error::ABORTED.to_owned(),
                cause: None,
            }),
            Poll::Pending => work.as_mut().poll(cx),
        });
        let Outcome { is_ok, text, cause } = outcome.await;
        drop(work);
        host::done(number, is_ok, &text, &cause.unwrap_or(JsValue::UNDEFINED));
    }));
    number
}

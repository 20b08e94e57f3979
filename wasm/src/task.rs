//! Tasks on the host's event loop.
//!
//! Each task has a *home*, a number: its timers and requests belong to that home. Most hosts have
//! one home, 0. On Cloudflare's workerd each incoming request is a home, because a timer or a
//! connection that one request made cannot be used by another. A task is only polled at its home,
//! so that its timers and requests are made there.

#![allow(unreachable_pub, reason = "what wasm-bindgen exports has to be public")]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use wasm_bindgen::prelude::*;

use crate::bridge::{self, Local};
use crate::error;
use crate::imports;
use crate::pending::Operation;

type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    home: f64,
    work: Local<RefCell<Option<Work>>>,
    is_queued: Local<Cell<bool>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.is_queued.replace(true) {
            return;
        }
        let home = self.home;
        // A task that wakes itself while it runs yields to others.
        let yields = RUNNING.get().0 == Arc::as_ptr(&self);
        QUEUE.with_borrow_mut(|queue| queue.push(self));
        imports::soon(home, yields);
    }
}

thread_local! {
    static QUEUE: RefCell<Vec<Arc<Task>>> = const { RefCell::new(Vec::new()) };
    /// The task that is being polled, and its home.
    static RUNNING: Cell<(*const Task, f64)> = const { Cell::new((ptr::null(), 0.0)) };
}

/// Runs `work` in the background, at the home of the running task.
pub(crate) fn spawn(work: Work) {
    spawn_at(RUNNING.get().1, work);
}

fn spawn_at(home: f64, work: Work) {
    let task = Task {
        home,
        work: bridge::local(RefCell::new(Some(work))),
        is_queued: bridge::local(Cell::new(false)),
    };
    Arc::new(task).wake();
}

/// Polls the tasks of this home that were woken.
#[wasm_bindgen(js_name = pollTasks)]
pub fn poll_tasks(home: f64) {
    let woken: Vec<_> = QUEUE.with_borrow_mut(|queue| {
        let is_here = |task: &mut Arc<Task>| task.home == home;
        queue.extract_if(.., is_here).collect()
    });
    for task in woken {
        task.is_queued.set(false);
        let waker = Waker::from(Arc::clone(&task));
        let mut work = task.work.borrow_mut();
        let Some(running) = &mut *work else { continue };
        let before = RUNNING.replace((Arc::as_ptr(&task), home));
        let is_ready = running
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        if is_ready {
            *work = None;
        }
        RUNNING.set(before);
    }
}

/// What a promise of the host settles to: JSON, or an empty text.
pub(crate) struct Outcome {
    /// Whether the promise is fulfilled.
    pub(crate) is_ok: bool,
    pub(crate) text: String,
    /// The host's own error that caused the error in `text`; vectors, for embeddings.
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

/// Runs `work` at `home` for a promise of the host, and returns the promise's id. If the host calls
/// `signal` with the id, the promise is rejected with the code `aborted`, and `work` is dropped.
pub(crate) fn promise(home: f64, mut work: Pin<Box<dyn Future<Output = Outcome>>>) -> f64 {
    let mut aborts = Operation::new();
    let id = aborts.id();
    let run = async move {
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
        imports::done(id, is_ok, &text, &cause.unwrap_or(JsValue::UNDEFINED));
    };
    spawn_at(home, Box::pin(run));
    id
}

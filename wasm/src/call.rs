//! One call: run to its end, or read as a stream.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use chatcore::json::Writer;
use chatcore::{ChatCall, ChatEvent, ChatStream};
use futures_core::Stream;
use wasm_bindgen::prelude::*;

use crate::error;
use crate::table;
use crate::task::{Outcome, promise};
use crate::wire;

/// How many events cross the border at once, so that a fast server does not fill the memory.
const MAX_BATCH: usize = 256;

/// A call that is read as a stream. Freeing it drops what runs, and closes its connection.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Call {
    state: Rc<RefCell<State>>,
    /// The promise of what is being read.
    running: Cell<f64>,
}

#[derive(Debug)]
enum State {
    New(Box<ChatCall>),
    Stream(Box<ChatStream>),
    /// It ended, or is being polled.
    Away,
}

#[wasm_bindgen]
impl Call {
    /// A promise of the events that are there, at least one, as a JSON array; an error is its last
    /// element. Nothing after the end.
    pub fn next(&self) -> f64 {
        let shared = Rc::clone(&self.state);
        let number = promise(Box::pin(async move {
            let mut stream = match shared.replace(State::Away) {
                State::New(call) => Box::new(call.stream()),
                State::Stream(stream) => stream,
                State::Away => return Outcome::ok(String::new()),
            };
            let (items, ended, cause) = batch(&mut stream).await;
            if !ended {
                shared.replace(State::Stream(stream));
            }
            Outcome {
                cause,
                ..Outcome::ok(items.map_or_else(String::new, Writer::into_text))
            }
        }));
        self.running.set(number);
        number
    }
}

impl Call {
    pub(crate) fn new(call: ChatCall) -> Self {
        Self {
            state: Rc::new(RefCell::new(State::New(Box::new(call)))),
            running: Cell::new(0.0),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.state.replace(State::Away);
        table::rang(self.running.get());
    }
}

/// A promise of the whole answer as JSON.
pub(crate) fn run(call: ChatCall) -> f64 {
    promise(Box::pin(async move {
        match call.await {
            Ok(response) => {
                let mut writer = Writer::default();
                wire::response(&mut writer, &response);
                Outcome::ok(writer.into_text())
            }
            Err(error) => Outcome {
                is_ok: false,
                text: error::json(&error),
                cause: error::cause(&error),
            },
        }
    }))
}

/// Waits for one event, and takes what else is ready; whether the stream has ended, and the host's
/// error if that ended it.
async fn batch(stream: &mut ChatStream) -> (Option<Writer>, bool, Option<JsValue>) {
    let mut items = Writer::default();
    let mut count = 0;
    let mut cause = None;
    items.open('[');
    let ended = poll_fn(|cx| {
        while count < MAX_BATCH {
            match Pin::new(&mut *stream).poll_next(cx) {
                Poll::Pending if count == 0 => return Poll::Pending,
                Poll::Pending => return Poll::Ready(false),
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Ready(Some(Err(error))) => {
                    cause = error::cause(&error);
                    error::write(&mut items, &error);
                    count += 1;
                    return Poll::Ready(true);
                }
                Poll::Ready(Some(Ok(event))) => {
                    count += 1;
                    wire::event(&mut items, &event);
                    let is_last = matches!(event, ChatEvent::Finish { .. });
                    if let (true, Some(response)) = (is_last, stream.partial()) {
                        wire::folded(&mut items, response);
                    }
                }
            }
        }
        Poll::Ready(false)
    })
    .await;
    items.close(']');
    ((count > 0).then_some(items), ended, cause)
}

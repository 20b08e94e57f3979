//! One call: run to its end, or read as a stream.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use chatcore::json::Writer;
use chatcore::{ChatCall, ChatEvent, ChatStream};
use futures_core::Stream;
use futures_util::future::AbortHandle;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use crate::error::{self, aborted, beside_cause, rejection};
use crate::promise::promise;
use crate::wire::{self, to_js};

/// How many events cross the border at once, so that a fast server does not fill the memory.
const MAX_BATCH: usize = 256;

/// One call. Aborting it, or freeing it, drops what runs, and closes its connection.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Call {
    state: Rc<RefCell<State>>,
    running: RefCell<Option<AbortHandle>>,
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
    /// The whole answer as JSON. Rejects with an error as JSON.
    pub fn run(&self) -> Promise {
        let state = self.state.replace(State::Away);
        self.promise(async move {
            let State::New(call) = state else {
                return Err(aborted());
            };
            match (*call).await {
                Ok(response) => {
                    let mut writer = Writer::default();
                    wire::response(&mut writer, &response);
                    Ok(to_js(writer))
                }
                Err(error) => Err(rejection(&error)),
            }
        })
    }

    /// The events that are there, at least one, as a JSON array; an error is its last element.
    /// `undefined` after the end. Where the host's own error ended it, an array of the JSON and
    /// that error.
    pub fn next(&self) -> Promise {
        let shared = Rc::clone(&self.state);
        self.promise(async move {
            let mut stream = match shared.replace(State::Away) {
                State::New(call) => Box::new(call.stream()),
                State::Stream(stream) => stream,
                State::Away => return Ok(JsValue::UNDEFINED),
            };
            let (items, ended, cause) = batch(&mut stream).await;
            if !ended {
                shared.replace(State::Stream(stream));
            }
            Ok(match items {
                Some(items) => beside_cause(to_js(items), cause),
                None => JsValue::UNDEFINED,
            })
        })
    }

    /// Ends it: what runs is rejected with the code `aborted`.
    pub fn abort(&self) {
        self.state.replace(State::Away);
        if let Some(handle) = self.running.take() {
            handle.abort();
        }
    }
}

impl Call {
    pub(crate) fn new(call: ChatCall) -> Self {
        Self {
            state: Rc::new(RefCell::new(State::New(Box::new(call)))),
            running: RefCell::new(None),
        }
    }

    fn promise(&self, work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
        let (promise, handle) = promise(work);
        self.running.replace(Some(handle));
        promise
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.abort();
    }
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

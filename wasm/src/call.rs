//! One call, either run to its end or read as a stream.

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
use crate::pending;
use crate::task::{self, Outcome, promise};
use crate::wire;

/// The most events that are passed to JavaScript at once, so that a fast server does not fill the
/// memory.
const MAX_BATCH: usize = 256;

/// A call that is read as a stream. Freeing it drops the running future, which closes its
/// connection.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Call {
    home: f64,
    state: Rc<RefCell<State>>,
    /// The id of the promise of the current read.
    running: Cell<f64>,
}

#[derive(Debug)]
enum State {
    New(Box<ChatCall>),
    Stream(Box<ChatStream>),
    /// The stream has ended, or is being polled.
    Away,
}

#[wasm_bindgen]
impl Call {
    /// Returns the id of a promise of the ready events, at least one, as a JSON array. An error is
    /// its last element. After the end the promise resolves to an empty text.
    pub fn next(&self) -> f64 {
        let shared = Rc::clone(&self.state);
        let read = async move {
            let mut stream = match shared.replace(State::Away) {
                State::New(call) => Box::new(call.stream()),
                State::Stream(stream) => stream,
                State::Away => return Outcome::ok(String::new()),
            };
            let Batch {
                items,
                after,
                cause,
            } = batch(&mut stream).await;
            match after {
                After::More => drop(shared.replace(State::Stream(stream))),
                After::Finished => task::spawn(Box::pin(drain(stream))),
                After::Ended => {}
            }
            Outcome {
                cause,
                ..Outcome::ok(items.map_or_else(String::new, Writer::into_text))
            }
        };
        let id = promise(self.home, Box::pin(read));
        self.running.set(id);
        id
    }
}

impl Call {
    pub(crate) fn new(home: f64, call: ChatCall) -> Self {
        Self {
            home,
            state: Rc::new(RefCell::new(State::New(Box::new(call)))),
            running: Cell::new(0.0),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.state.replace(State::Away);
        pending::signal(self.running.get());
    }
}

/// Returns the id of a promise of the whole answer as JSON.
pub(crate) fn run(home: f64, call: ChatCall) -> f64 {
    let run = async move {
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
    };
    promise(home, Box::pin(run))
}

/// Events that were ready together.
struct Batch {
    /// JSON; `None` if the stream had ended.
    items: Option<Writer>,
    after: After,
    /// The host's own error, if it ended the stream.
    cause: Option<JsValue>,
}

/// What follows a batch.
enum After {
    More,
    /// The answer is complete, but the end of its body may not have come yet.
    Finished,
    Ended,
}

/// Waits for one event, and takes all others that are ready.
async fn batch(stream: &mut ChatStream) -> Batch {
    let mut items = Writer::default();
    let mut count = 0;
    let mut cause = None;
    let mut finished = false;
    items.open('[');
    let after = poll_fn(|cx| {
        while count < MAX_BATCH {
            match Pin::new(&mut *stream).poll_next(cx) {
                Poll::Pending if count == 0 => return Poll::Pending,
                Poll::Pending if finished => return Poll::Ready(After::Finished),
                Poll::Pending => return Poll::Ready(After::More),
                Poll::Ready(None) => return Poll::Ready(After::Ended),
                Poll::Ready(Some(Err(error))) => {
                    cause = error::cause(&error);
                    error::write(&mut items, &error);
                    count += 1;
                    return Poll::Ready(After::Ended);
                }
                Poll::Ready(Some(Ok(event))) => {
                    count += 1;
                    wire::event(&mut items, &event);
                    let is_last = matches!(event, ChatEvent::Finish { .. });
                    finished |= is_last;
                    if let (true, Some(response)) = (is_last, stream.partial()) {
                        wire::folded(&mut items, response);
                    }
                }
            }
        }
        Poll::Ready(match finished {
            true => After::Finished,
            false => After::More,
        })
    })
    .await;
    items.close(']');
    Batch {
        items: (count > 0).then_some(items),
        after,
        cause,
    }
}

/// Reads the rest of the body after a complete answer, so that its connection can be reused. The
/// core ends the read if it takes long.
async fn drain(mut stream: Box<ChatStream>) {
    while stream.next().await.is_some() {}
}

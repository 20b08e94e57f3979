//! A transport whose requests each wait until the test opens a gate.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError};
use futures_lite::stream;
use http::{Request, Response};

/// The response that opens a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// A whole answer.
    Answer,
    /// A 503 that asks for a wait of this many milliseconds.
    Refusal(u64),
}

/// The gate of one request. It is closed while the value is `None`.
pub(crate) type Gate = Arc<Mutex<Option<Open>>>;

/// The gates of all requests, in the order of sending.
#[derive(Default)]
pub(crate) struct Gates(Mutex<Vec<Gate>>);

impl Gates {
    /// The gate of the request that was sent last.
    pub(crate) fn last(&self) -> Gate {
        Arc::clone(self.0.lock().unwrap().last().unwrap())
    }

    pub(crate) fn sent(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait::async_trait]
impl Transport for Gates {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let gate = Gate::default();
        self.0.lock().unwrap().push(Arc::clone(&gate));
        // No waker is needed, because a test that opens a gate polls the call itself.
        let open = poll_fn(|_| gate.lock().unwrap().map_or(Poll::Pending, Poll::Ready)).await;
        let (status, wait, body) = match open {
            Open::Answer => (
                200,
                0,
                r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#,
            ),
            Open::Refusal(wait) => (503, wait, r#"{"error":{"message":"too much"}}"#),
        };
        let body = stream::iter([Ok(Bytes::from_static(body.as_bytes()))]);
        Ok(Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("retry-after-ms", wait)
            .body(ByteStream::new(body))
            .unwrap())
    }
}

impl fmt::Debug for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gates").finish_non_exhaustive()
    }
}

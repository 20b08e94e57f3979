//! A transport that wraps another: how to get between the client and the network.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError, TransportErrorKind};
use http::{Request, Response};

/// Fails the first requests with a lost connection.
#[derive(Debug)]
pub(super) struct Flaky<T> {
    inner: T,
    failures_left: AtomicU32,
}

impl<T> Flaky<T> {
    pub(super) fn new(inner: T, failures: u32) -> Self {
        Self {
            inner,
            failures_left: AtomicU32::new(failures),
        }
    }
}

#[async_trait]
impl<T: Transport> Transport for Flaky<T> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let one_less = |left: u32| left.checked_sub(1);
        if self
            .failures_left
            .fetch_update(Relaxed, Relaxed, one_less)
            .is_ok()
        {
            let message = "the connection was lost (the example loses it)";
            return Err(TransportError::new(TransportErrorKind::Reset, message));
        }
        self.inner.send(request).await
    }
}

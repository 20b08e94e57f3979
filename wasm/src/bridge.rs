//! The one place where the host's values, which never leave their thread, become `Send`.
//!
//! The two traits of the core ask for `Send`; JavaScript has one thread for each instance of the
//! module, so that nothing here can be dropped or used on another one.

use std::future::Future;

use bytes::Bytes;
use chatcore::{ByteStream, TransportError};
use futures_core::Stream;
use send_wrapper::SendWrapper;

/// A value of the host that stays on its thread.
pub(crate) type Local<T> = SendWrapper<T>;

/// Wraps a value.
pub(crate) fn local<T>(value: T) -> Local<T> {
    SendWrapper::new(value)
}

/// Wraps a future.
pub(crate) fn future<F: Future>(future: F) -> impl Future<Output = F::Output> + Send {
    SendWrapper::new(future)
}

/// Wraps a body.
pub(crate) fn body(
    stream: impl Stream<Item = Result<Bytes, TransportError>> + 'static,
) -> ByteStream {
    ByteStream::new(SendWrapper::new(stream))
}

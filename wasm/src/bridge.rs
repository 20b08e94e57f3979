//! The only file that makes the host's values `Send`, although they never leave their thread.
//!
//! The core's traits `Executor` and `Transport` require `Send`. JavaScript has one thread for each
//! instance of the module, so nothing here can be dropped or used on another thread. The crate
//! `send_wrapper` is not used, because it checks the current thread at each use: the standard
//! library allocates a `Thread` for that with the system's allocator, and all of that code would be
//! in the npm package.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use chatcore::{ByteStream, TransportError};
use futures_core::Stream;

#[cfg(target_feature = "atomics")]
compile_error!("the module must have one thread: without `atomics` its memory cannot be shared");

/// A value of the host, which stays on its thread.
#[derive(Clone)]
pub(crate) struct Local<T>(T);

// SAFETY: WebAssembly without atomics has one thread, so there is no thread to send the value to.
// On other targets this crate is only compiled for checks: wrapped values come from the host's
// functions, and these panic there.
unsafe impl<T> Send for Local<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Local<T> {}

impl<T> Local<T> {
    fn project(self: Pin<&mut Self>) -> Pin<&mut T> {
        // SAFETY: the value is pinned with its wrapper; nothing moves it out, and `Local` does not
        // implement `Drop`.
        unsafe { self.map_unchecked_mut(|local| &mut local.0) }
    }
}

impl<T> Deref for Local<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Local")
    }
}

impl<F: Future> Future for Local<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().poll(cx)
    }
}

impl<S: Stream> Stream for Local<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.project().poll_next(cx)
    }
}

/// Wraps a value.
pub(crate) fn local<T>(value: T) -> Local<T> {
    Local(value)
}

/// Wraps a future.
pub(crate) fn future<F: Future>(future: F) -> impl Future<Output = F::Output> + Send {
    Local(future)
}

/// Wraps a body.
pub(crate) fn body(
    stream: impl Stream<Item = Result<Bytes, TransportError>> + 'static,
) -> ByteStream {
    ByteStream::new(Local(stream))
}

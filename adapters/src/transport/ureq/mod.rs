//! Blocking [ureq] calls on the workers of a [`ThreadPool`].
//!
//! A call holds a worker from its request to the end of its body, so a pool of N workers serves N
//! calls at once. It is meant for up to a few hundred. There is no reactor and no tokio.
//!
//! - **Streaming.** The worker reads the socket and hands over pieces, at most 64 KiB ahead of the
//!   reader. Then it stops reading until there is room.
//! - **Cancelling.** Dropping the future of `send`, or a body that has not ended, shuts the socket
//!   down at once, which interrupts a worker that is blocked on it. A name lookup or TCP connect in
//!   progress cannot be interrupted: nothing is sent after it, and it keeps its worker until it
//!   ends or the [`ConnectTimeout`](chatcore::ConnectTimeout) passes. A call that waits for a
//!   worker leaves the queue.
//! - **Connections.** All workers share the idle connections, so any free worker can reuse them.
//!   They are dropped after 55 seconds without use, when the next call looks for one. If a reused
//!   connection turns out to be dead, the request is sent once more on a new one, unless a byte of
//!   an answer arrived.
//! - **Limits.** The head of a response may have 64 KiB and 128 headers. The length of a body is
//!   not limited.
//! - **Proxies** come from the environment, by the rules of [`proxy`](super::proxy); loopback is
//!   then always connected to directly. ureq tunnels even plain `http` through an HTTP
//!   proxy with CONNECT, which some proxies refuse.
//! - **TLS** is rustls with ring, and the operating system decides which certificates are trusted
//!   (`SSL_CERT_FILE` and `SSL_CERT_DIR` on Linux).
//! - **Name lookups** run on a short-lived thread of ureq, so that the connect timeout applies to
//!   them.
//!
//! Closing the pool finishes the calls that are queued or in progress. A body whose reader has let
//! 64 KiB pile up then ends with [`TransportErrorKind::Closed`], so that closing never waits for a
//! reader.
//!
//! Two behaviours come from ureq. A chunked body that ends after `0\r\n`, without the final empty
//! line, counts as complete, because its last chunk has arrived. And while a request is being
//! written, nothing is read: if the server does not read the request, the write blocks for as long
//! as the server keeps the connection open, even if its answer has already arrived.

mod agents;
mod builder;
mod call;
mod connect;
mod connection;
mod error;
mod perform;
mod socket;
mod withheld;

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Secrets, Target, Transport, TransportError, TransportErrorKind};
use futures_core::Stream;
use http::{Request, Response};

pub use self::builder::UreqBuilder;
use self::call::{Call, SharedCall};
use self::perform::{SharedAgents, panicked, perform};
use super::budget::Budget;
use crate::executor::ThreadPool;
use crate::executor::threads::{JobError, OnClose};

/// The size of a connection's output buffer, and of the buffer for a body's pieces.
const BUFFER: usize = 16 * 1024;
/// The size of a connection's input buffer, which must hold the whole head of a response.
const INPUT_BUFFER: usize = 64 * 1024;
/// The largest head of a response. One byte less than the buffer, because ureq refuses a full one.
const MAX_HEAD: usize = INPUT_BUFFER - 1;
/// How long a connection may be idle. Less than the 60 seconds of common load balancers, so that
/// this side closes first.
const MAX_IDLE: Duration = Duration::from_secs(55);

/// A [`Transport`] that makes blocking ureq calls on a thread pool; see the [module](self).
///
/// Clones share their connections.
///
/// ```
/// use chatcore_adapters::executor::ThreadPool;
/// use chatcore_adapters::transport::UreqTransport;
///
/// let pool = ThreadPool::new(5)?;
/// let transport = UreqTransport::new(pool);
/// # let _ = transport;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UreqTransport {
    pool: ThreadPool,
    agents: SharedAgents,
}

impl UreqTransport {
    /// Runs calls on the workers of `pool`. Proxies come from the environment, and the system
    /// decides which certificates are trusted.
    pub fn new(pool: ThreadPool) -> Self {
        Self::builder(pool).build()
    }

    /// A builder with the defaults of [`new`](Self::new).
    pub fn builder(pool: ThreadPool) -> UreqBuilder {
        UreqBuilder::new(pool)
    }
}

#[async_trait]
impl Transport for UreqTransport {
    /// Besides connection errors, gives [`TransportErrorKind::Closed`] if the pool is closed, and
    /// [`TransportErrorKind::QueueFull`] if the pool's queue is full.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        Target::of(request.uri())?;
        let call = InFlight::start(&self.pool, Arc::clone(&self.agents), request)?;
        let head = poll_fn(|cx| call.call.poll_head(cx)).await?;
        let budget = Budget::default();
        let body = Body { call, budget };
        Ok(Response::from_parts(head, ByteStream::new(body)))
    }

    fn tell_secrets(&self, secrets: &mut Secrets) {
        self.agents.tell_secrets(secrets);
    }
}

/// A call in the pool. Dropping it cancels the call, whether it is queued or running.
///
/// It holds a handle to the pool, so that the pool stays open while bodies are read, even if the
/// transport and the application's pool are dropped.
struct InFlight {
    call: SharedCall,
    job: u64,
    watch: u64,
    pool: ThreadPool,
}

impl InFlight {
    fn start(
        pool: &ThreadPool,
        agents: SharedAgents,
        request: Request<Bytes>,
    ) -> Result<Self, TransportError> {
        let call = Arc::new(Call::default());
        let watcher = Arc::clone(&call) as Arc<dyn OnClose>;
        let watch = pool
            .watch_close(watcher)
            .ok_or_else(|| refused(JobError::Closed))?;
        let on_worker = Arc::clone(&call);
        let job = pool.submit(Box::new(move |busy| {
            let end = catch_unwind(AssertUnwindSafe(|| perform(&agents, request, &on_worker)));
            drop(busy);
            on_worker.ended(end.unwrap_or_else(|_| Err(panicked())));
        }));
        match job {
            Ok(job) => Ok(Self {
                call,
                job,
                watch,
                pool: pool.clone(),
            }),
            Err(error) => {
                pool.unwatch_close(watch);
                Err(refused(error))
            }
        }
    }
}

fn refused(error: JobError) -> TransportError {
    let kind = match error {
        JobError::Closed => TransportErrorKind::Closed,
        JobError::QueueFull { .. } => TransportErrorKind::QueueFull,
        _ => TransportErrorKind::Other,
    };
    TransportError::new(kind, error.to_string()).with_source(error)
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.pool.cancel(self.job);
        self.call.cancel();
        self.pool.unwatch_close(self.watch);
    }
}

struct Body {
    call: InFlight,
    budget: Budget,
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        ready!(self.budget.poll(cx));
        let chunk = self.call.call.poll_chunk(cx);
        if chunk.is_pending() {
            self.budget.waited();
        }
        chunk
    }
}

impl fmt::Debug for UreqTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! A socket that gives up on clients which do not send their request.
//!
//! ```text
//!  waiting ─ first byte ─► head ─ whole ─► answering ─ answered ─► waiting
//!  (idle limit)            (head limit)    (no limit here)
//! ```

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::io::{AsyncRead, AsyncWrite};
use smol::Timer;
use smol::net::TcpStream;
use trillium::Transport;

use crate::drain::Begun;

/// The limits of what comes before an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// From a head's first byte to its last; for a connection's first head, from its beginning.
    pub(super) head: Duration,
    /// From an answer's end to the first byte of the next request.
    pub(super) idle: Duration,
    /// For which a client may take nothing of what is written.
    pub(super) write: Duration,
}

/// How many requests have been answered, as those who answer tell it.
#[derive(Clone, Debug, Default)]
pub(super) struct Phase(Arc<AtomicUsize>);

impl Phase {
    /// A head is whole.
    pub(super) fn answering(&self) {
        self.0.fetch_or(1, Ordering::Relaxed);
    }

    /// Whatever is read from now on is the next request.
    pub(super) fn answered(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Odd while a request is answered.
    fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A socket with limits for the time between answers, and for writing them. When the shutdown begins, one on which
/// nothing has come reads as ended.
#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    timing: Timing,
    phase: Phase,
    /// The phase at the last read.
    seen: usize,
    drain: Begun,
    wait: Wait,
    /// Runs while the client takes nothing.
    stuck: Option<Timer>,
}

#[derive(Debug)]
enum Wait {
    /// Nothing of the next head has come.
    Idle(Timer),
    /// Some of it has.
    Head(Timer),
}

impl Timed {
    pub(super) fn new(stream: TcpStream, timing: Timing, phase: Phase, drain: Begun) -> Self {
        Self {
            stream,
            timing,
            phase,
            seen: 0,
            drain,
            wait: Wait::Idle(Timer::after(timing.head)),
            stuck: None,
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let now = this.phase.now();
        if now % 2 == 1 {
            return Pin::new(&mut this.stream).poll_read(cx, buffer);
        }
        if now != this.seen {
            this.seen = now;
            this.wait = Wait::Idle(Timer::after(this.timing.idle));
        }
        // The limit stands above what comes: a head may come for ever, byte by byte.
        let (Wait::Idle(timer) | Wait::Head(timer)) = &mut this.wait;
        if Pin::new(timer).poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let Wait::Idle(_) = this.wait {
            if read.is_ready() {
                this.wait = Wait::Head(Timer::after(this.timing.head));
            } else if this.drain.poll(cx).is_ready() {
                return Poll::Ready(Ok(0));
            }
        }
        read
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Poll::Ready(written) = Pin::new(&mut this.stream).poll_write(cx, bytes) {
            this.stuck = None;
            return Poll::Ready(written);
        }
        let limit = this.timing.write;
        let stuck = this.stuck.get_or_insert_with(|| Timer::after(limit));
        Pin::new(stuck)
            .poll(cx)
            .map(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

impl Transport for Timed {
    fn peer_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.stream.peer_addr().map(Some)
    }
}

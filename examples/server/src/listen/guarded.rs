//! A connection's socket with limits. It closes the connection of a client that does not send its
//! request or does not read its answer, lets one request through at a time, and lets other
//! connections run.
//!
//! ```text
//!  waiting ─ first byte ─► head ─ whole ─► answering ─ answered ─► waiting
//!  (idle limit)            (head limit)    (no limit here)
//! ```

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_lite::io::{AsyncRead, AsyncWrite};
use smol::Timer;
use smol::net::TcpStream;
use trillium::Transport;

use super::framing::Head;
use super::phase::{Phase, Step};
use crate::drain::Begun;

/// After this many reads in a row, other connections get a turn. Otherwise a client that sends
/// without pause would occupy the thread.
const TURN: usize = 16;

/// How many bytes of later requests are held back while one is being answered. A client that sends
/// more has to wait; if it disconnects, that is only noticed when its answer is written.
const HELD: usize = 64 << 10;

/// The timeouts for reading and writing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// From a head's first byte to its last; for a connection's first head, from the connection's
    /// start.
    pub(super) head: Duration,
    /// From the end of an answer to the first byte of the next request.
    pub(super) idle: Duration,
    /// How long a client may accept none of the bytes written to it.
    pub(super) write: Duration,
}

/// A socket with limits. When the shutdown begins, a connection that waits for a request reads as
/// ended.
#[derive(Debug)]
pub(super) struct Guarded {
    stream: TcpStream,
    timing: Timing,
    phase: Phase,
    drain: Begun,
    /// Finds the end of the current head.
    head: Head,
    wait: Wait,
    /// How many requests had been answered at the last read.
    seen: usize,
    /// Bytes that were read and belong to later requests.
    held: VecDeque<u8>,
    /// How many reads were made since the other connections had a turn.
    reads: usize,
    /// Set while the client accepts no bytes.
    stuck: Option<Stuck>,
}

#[derive(Debug)]
enum Wait {
    /// No byte of the next head has arrived.
    Idle(Timer),
    /// Part of the next head has arrived.
    Head(Timer),
}

/// A write that waits for the client.
#[derive(Debug)]
struct Stuck {
    until: Instant,
    /// When to try the write again. The system reports a socket as writable only once a third of
    /// its buffer is free, but accepts some bytes before that if asked. If this only waited for
    /// that report, a slow client would be cut off, and a client that accepts nothing would get the
    /// timeout twice.
    again: Timer,
}

impl Guarded {
    pub(super) fn new(stream: TcpStream, timing: Timing, phase: Phase, drain: Begun) -> Self {
        Self {
            stream,
            timing,
            phase,
            drain,
            head: Head::default(),
            wait: Wait::Idle(Timer::after(timing.head)),
            seen: 0,
            held: VecDeque::new(),
            reads: 0,
            stuck: None,
        }
    }

    /// Reads bytes that were held back, or else from the socket.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.held.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        Poll::Ready(self.held.read(buffer))
    }

    /// Holds back bytes that belong to a later request.
    fn hold_back(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().rev() {
            self.held.push_front(*byte);
        }
    }

    /// Reads bytes of the next request's head, but none after it.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        answered: usize,
    ) -> Poll<io::Result<usize>> {
        if answered != self.seen {
            self.seen = answered;
            self.head = Head::default();
            self.wait = Wait::Idle(Timer::after(self.timing.idle));
        }
        // The timeout is checked before reading, because a head could arrive byte by byte forever.
        let (Wait::Idle(timer) | Wait::Head(timer)) = &mut self.wait;
        if Pin::new(timer).poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let read = self.poll_bytes(cx, buffer);
        if let Wait::Idle(_) = self.wait {
            if read.is_ready() {
                self.wait = Wait::Head(Timer::after(self.timing.head));
            } else if self.drain.poll(cx).is_ready() {
                return Poll::Ready(Ok(0));
            }
        }
        let read = ready!(read)?;
        let count = self.head.take(&buffer[..read]);
        self.hold_back(&buffer[count..read]);
        Poll::Ready(Ok(count))
    }

    /// Waits for the client to disconnect while its request is being answered. Bytes that arrive
    /// meanwhile are held back.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut piece = [0; 4 << 10];
        while self.held.len() < HELD {
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece)) {
                Ok(count @ 1..) => self.held.extend(&piece[..count]),
                gone => return Poll::Ready(gone),
            }
        }
        // Too much is held back to read on. The client is connected, and the end of the answer
        // wakes the task.
        Poll::Pending
    }

    fn poll_step(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let phase = self.phase.clone();
        let mut step = phase.step();
        match &mut *step {
            Step::Upgraded => self.poll_bytes(cx, buffer),
            Step::Waiting(answered) => self.poll_head(cx, buffer, *answered),
            Step::Answering(_, body) if body.is_whole() => self.poll_gone(cx),
            Step::Answering(_, body) => {
                let read = ready!(self.poll_bytes(cx, buffer))?;
                let count = body.take(&buffer[..read])?;
                self.hold_back(&buffer[count..read]);
                Poll::Ready(Ok(count))
            }
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if this.reads == TURN {
            this.reads = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let read = this.poll_step(cx, buffer);
        this.reads = match read.is_ready() {
            true => this.reads + 1,
            false => 0,
        };
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        loop {
            if let Poll::Ready(written) = Pin::new(&mut this.stream).poll_write(cx, bytes) {
                this.stuck = None;
                return Poll::Ready(written);
            }
            let limit = this.timing.write;
            let soon = limit / 32;
            let stuck = this.stuck.get_or_insert_with(|| Stuck {
                until: Instant::now() + limit,
                again: Timer::after(soon),
            });
            ready!(Pin::new(&mut stuck.again).poll(cx));
            stuck.again.set_after(soon);
            if Instant::now() >= stuck.until {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

impl Transport for Guarded {
    fn peer_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.stream.peer_addr().map(Some)
    }
}

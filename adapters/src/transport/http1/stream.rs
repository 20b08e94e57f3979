//! A connected byte stream: a socket, possibly with layers such as TLS on top.

use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_io::Async;
use futures_lite::{AsyncRead, AsyncWrite};

use super::lookout::Lookout;

/// Some servers send an extra line end after a body. This many bytes are not such a mistake.
pub(super) const MAX_BLANK: usize = 64;

/// A layer on top of a stream, such as TLS.
pub(super) trait Layer: AsyncRead + AsyncWrite + Send + Unpin {
    /// The stream below. Streams in tests may have none.
    fn below(&self) -> Option<&Stream>;

    /// The stream below, mutably.
    fn below_mut(&mut self) -> Option<&mut Stream>;
}

pub(super) enum Stream {
    Plain(Socket),
    Layered(Box<dyn Layer>),
}

/// A socket that avoids reading while nothing can have arrived.
///
/// ```text
///        ┌──────────── all was read ────────────┐
///        ▼                                      │
///      Wait ──► Look (the others go first) ──► read
///        └────► Read (registered) ─────────────►┘
/// ```
///
/// Before it reads the socket again, a task either lets others run first or registers with the
/// reactor, *once*: the next poll reads, even if the reactor has not reported the socket as
/// readable. async-io ignores an event from the reactor turn in which the waker was registered, so
/// a task that asks before each read may never be told that it can read. That can happen wherever
/// the reactor runs on another thread, which is everywhere except in smol's own `block_on`.
pub(super) struct Socket {
    inner: Async<TcpStream>,
    lookout: Arc<Lookout>,
    next: Next,
}

/// What the next call of `poll_read` does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Lets other tasks run first, or registers, because the last read took all that had arrived.
    Wait,
    /// Reads, after other tasks had a turn. Holds how many looks are left before it registers.
    Look(u8),
    /// Reads, as an ordinary socket does.
    Read,
    /// Reads without waiting or registering.
    Try,
}

impl Socket {
    /// A socket whose first transfer is a write by this side.
    pub(super) fn new(inner: Async<TcpStream>, lookout: Arc<Lookout>) -> Self {
        Self {
            inner,
            lookout,
            next: Next::Wait,
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.next == Next::Wait {
            self.look_or_register(self.lookout.looks(), cx)?;
            return Poll::Pending;
        }
        let mut socket = self.inner.get_ref();
        let result = socket.read(buf);
        let is_empty = matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if is_empty {
            match self.next {
                Next::Try => {}
                Next::Look(left) => self.look_or_register(left.saturating_sub(1), cx)?,
                Next::Wait | Next::Read => self.register(cx)?,
            }
            return Poll::Pending;
        }
        if let Next::Look(_) = self.next {
            self.lookout.found();
        }
        self.next = match &result {
            Ok(count) if *count < buf.len() => Next::Wait,
            _ => Next::Read,
        };
        Poll::Ready(result)
    }

    /// Lets the executor's other tasks run first if `looks` are left, else registers.
    fn look_or_register(&mut self, looks: u8, cx: &mut Context<'_>) -> io::Result<()> {
        if looks > 0 {
            self.next = Next::Look(looks);
            cx.waker().wake_by_ref();
            return Ok(());
        }
        if let Next::Look(_) = self.next {
            self.lookout.found_nothing();
        }
        self.register(cx)
    }

    /// Wakes the task when the socket is readable, even if it became readable before this call.
    fn register(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.next = Next::Read;
        // The first result may come from an event that an earlier read has already consumed.
        for _ in 0..2 {
            if self.inner.poll_readable(cx)?.is_pending() {
                return Ok(());
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Whether nothing has arrived except empty lines, which are dropped. Never waits.
    fn is_quiet(&mut self) -> bool {
        let mut bytes = [0; MAX_BLANK];
        match self.inner.get_ref().peek(&mut bytes) {
            Ok(count) if count > 0 && is_blank(&bytes[..count]) => {
                let mut socket = self.inner.get_ref();
                if socket.read_exact(&mut bytes[..count]).is_err() {
                    return false;
                }
                let next = socket.peek(&mut bytes[..1]);
                next.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            }
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// Whether `bytes` contains only line ends, and fewer than `MAX_BLANK`.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.len() < MAX_BLANK && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

impl Stream {
    /// The socket at the bottom. Streams in tests may have none.
    pub(super) fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(socket) => Some(socket.inner.get_ref()),
            Self::Layered(layer) => layer.below()?.socket(),
        }
    }

    fn bottom_mut(&mut self) -> Option<&mut Socket> {
        match self {
            Self::Plain(socket) => Some(socket),
            Self::Layered(layer) => layer.below_mut()?.bottom_mut(),
        }
    }

    /// Closes both directions now, even if the descriptor has a duplicate elsewhere.
    pub(super) fn shut_down(&self) {
        if let Some(socket) = self.socket() {
            // Fails if the peer has already closed.
            socket.shutdown(Shutdown::Both).ok();
        }
    }

    /// Whether the stream is open and nothing unexpected has arrived, as required of an idle
    /// connection. Drops stray empty lines. Never waits.
    pub(super) fn is_quiet(&mut self) -> bool {
        if let Some(socket) = self.bottom_mut() {
            socket.next = Next::Try;
        }
        let is_quiet = match self {
            Self::Plain(socket) => socket.is_quiet(),
            Self::Layered(layer) => {
                let mut cx = Context::from_waker(Waker::noop());
                let mut bytes = [0; MAX_BLANK];
                // Reading also processes records without content, such as TLS 1.3 session tickets.
                match Pin::new(&mut *layer).poll_read(&mut cx, &mut bytes) {
                    Poll::Pending => true,
                    Poll::Ready(Ok(count)) if count > 0 && is_blank(&bytes[..count]) => {
                        Pin::new(layer).poll_read(&mut cx, &mut bytes).is_pending()
                    }
                    Poll::Ready(_) => false,
                }
            }
        };
        if let Some(socket) = self.bottom_mut() {
            socket.next = if is_quiet { Next::Wait } else { Next::Read };
        }
        is_quiet
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => socket.poll_read(cx, buf),
            Self::Layered(layer) => Pin::new(layer).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(&mut socket.inner).poll_write(cx, buf),
            Self::Layered(layer) => Pin::new(layer).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(&mut socket.inner).poll_write_vectored(cx, bufs),
            Self::Layered(layer) => Pin::new(layer).poll_write_vectored(cx, bufs),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(&mut socket.inner).poll_flush(cx),
            Self::Layered(layer) => Pin::new(layer).poll_flush(cx),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(&mut socket.inner).poll_close(cx),
            Self::Layered(layer) => Pin::new(layer).poll_close(cx),
        }
    }
}

//! A connected byte stream: a socket, or layers over one.

use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use async_io::Async;
use futures_lite::{AsyncRead, AsyncWrite};

/// Some servers send a line end too many after a body. As many bytes as this are no such mistake.
pub(super) const MAX_BLANK: usize = 64;

/// A layer over a socket, such as TLS.
pub(super) trait Layer: AsyncRead + AsyncWrite + Send + Unpin {
    /// The stream below. Streams of tests have none.
    fn below(&self) -> Option<&Stream>;

    /// The same, to change it.
    fn below_mut(&mut self) -> Option<&mut Stream>;
}

pub(super) enum Stream {
    Plain(Socket),
    Layered(Box<dyn Layer>),
}

/// A socket that does not read where nothing can have arrived.
///
/// A read that finds nothing is a system call for nothing, a tenth of what a small request costs,
/// so after a read that emptied the socket the next one first registers with the reactor. It does
/// so *once* and then reads, whatever the reactor said: async-io ignores an event of the reactor
/// turn in which the waker was registered, so a task that asks again before each read may never
/// be told that it can read. That happens wherever the reactor runs on another thread, which is
/// everywhere but in smol's own `block_on`.
pub(super) struct Socket {
    inner: Async<TcpStream>,
    /// Whether the last read took all that had arrived, and the reactor was not asked since.
    drained: bool,
}

impl Socket {
    /// A socket on which this side speaks first.
    pub(super) fn new(inner: Async<TcpStream>) -> Self {
        let drained = true;
        Self { inner, drained }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if std::mem::take(&mut self.drained) {
            // The waker is registered before anything is read, and the reactor reports what had
            // arrived before that too, so no wake-up is lost.
            ready!(self.inner.poll_readable(cx))?;
        }
        let count = ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.drained = count < buf.len();
        Poll::Ready(Ok(count))
    }

    /// Whether nothing but empty lines has arrived, which are dropped. Never waits.
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

/// Whether `bytes` are a few line ends and nothing else.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.len() < MAX_BLANK && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

impl Stream {
    /// The socket at the bottom; tests have streams without one.
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

    /// Closes both directions now, whoever else still holds the descriptor.
    pub(super) fn shut_down(&self) {
        if let Some(socket) = self.socket() {
            // It fails where the peer was faster.
            socket.shutdown(Shutdown::Both).ok();
        }
    }

    /// Whether the stream is open and nothing has arrived that belongs to no request, as on one
    /// that waits for its next request. Stray empty lines are dropped. Never waits.
    pub(super) fn is_quiet(&mut self) -> bool {
        if let Some(socket) = self.bottom_mut() {
            // Here a read must look at the socket, not register with the reactor.
            socket.drained = false;
        }
        let is_quiet = match self {
            Self::Plain(socket) => socket.is_quiet(),
            Self::Layered(layer) => {
                let mut cx = Context::from_waker(Waker::noop());
                let mut bytes = [0; MAX_BLANK];
                // Records without content, such as the session tickets of TLS 1.3, are taken in.
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
            socket.drained = is_quiet;
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

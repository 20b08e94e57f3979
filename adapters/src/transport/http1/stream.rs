//! A connected byte stream: a socket, or layers over one.

use std::io::{self, IoSlice};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use async_io::Async;
use futures_lite::{AsyncRead, AsyncWrite};

/// A layer over a socket, such as TLS.
pub(super) trait Layer: AsyncRead + AsyncWrite + Send + Unpin {
    /// The socket at the bottom.
    fn socket(&self) -> Option<&TcpStream>;
}

pub(super) enum Stream {
    Plain(Async<TcpStream>),
    Layered(Box<dyn Layer>),
}

impl Stream {
    /// The socket at the bottom; tests have streams without one.
    pub(super) fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(socket) => Some(socket.get_ref()),
            Self::Layered(layer) => layer.socket(),
        }
    }

    /// Closes both directions now, whoever else still holds the descriptor.
    pub(super) fn shut_down(&self) {
        if let Some(socket) = self.socket() {
            // It fails where the peer was faster.
            socket.shutdown(Shutdown::Both).ok();
        }
    }

    /// Whether the stream is open and has nothing to say, as one that waits for the next request
    /// should be. Never waits.
    pub(super) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Plain(socket) => match socket.get_ref().peek(&mut [0]) {
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
                Ok(_) => false,
            },
            // Records without content, such as the session tickets of TLS 1.3, are taken in.
            Self::Layered(layer) => {
                let mut cx = Context::from_waker(Waker::noop());
                Pin::new(layer).poll_read(&mut cx, &mut [0]).is_pending()
            }
        }
    }

    /// Waits for something to read, for when nothing can be there yet: reading first would be a
    /// system call for nothing, a tenth of what a request costs.
    pub(super) fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => socket.poll_readable(cx),
            // The layer may hold decrypted bytes that the socket does not know of.
            Self::Layered(_) => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
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
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Layered(layer) => Pin::new(layer).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Self::Layered(layer) => Pin::new(layer).poll_write_vectored(cx, bufs),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Layered(layer) => Pin::new(layer).poll_flush(cx),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_close(cx),
            Self::Layered(layer) => Pin::new(layer).poll_close(cx),
        }
    }
}

//! The traits below the lanes: opening a socket, and sending and receiving on it.

use std::fmt::{self, Debug};
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, TransportError};
use futures_core::Stream;
use http::{Request, Response};

/// Opens WebSockets for a [`WebSocketTransport`](super::WebSocketTransport).
///
/// Implement it for sockets other than those of [`Http1Connector`](super::Http1Connector): on your
/// own runtime, or in a test.
#[async_trait]
pub trait WebSocketConnector: Debug + Send + Sync + 'static {
    /// Opens a socket to the URL of `handshake` (`http` or `https`) with its headers.
    ///
    /// Connects within the [`ConnectTimeout`](chatcore::ConnectTimeout) in the request's
    /// extensions. Cancel-safe: dropping the future closes the connection.
    ///
    /// # Errors
    /// If no connection could be made. A server that responds with a status is not an error, but
    /// [`Opened::Refused`].
    async fn open(&self, handshake: Request<()>) -> Result<Opened, TransportError>;
}

/// The result of a handshake.
#[derive(Debug)]
pub enum Opened {
    /// The server accepted the WebSocket.
    Socket(WebSocket),
    /// The server responded with another status, for example 401.
    Refused(Response<ByteStream>),
}

/// An open socket. Dropping both halves closes the connection.
pub struct WebSocket {
    /// The server's text messages, and at the end the reason why there are no more.
    pub incoming: Pin<Box<dyn Stream<Item = Result<Bytes, SocketClosed>> + Send>>,
    /// Sends messages to the server.
    pub outgoing: Box<dyn Outgoing>,
}

impl Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebSocket")
    }
}

/// The sending half of a socket.
#[async_trait]
pub trait Outgoing: Send {
    /// Sends one text message.
    ///
    /// # Errors
    /// If the socket is closed.
    async fn send(&mut self, text: String) -> Result<(), SocketClosed>;

    /// Closes the socket with close code 1000.
    async fn close(&mut self);
}

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketClosed {
    /// The server's close code; 1005 if it sent none, 1006 if the connection was lost.
    pub code: u16,
    /// The server's reason, or a description of the error.
    pub reason: String,
}

impl SocketClosed {
    /// A socket closed with `code`.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// A connection lost without a close code.
    pub fn lost(reason: impl Into<String>) -> Self {
        Self::new(1006, reason)
    }

    /// Whether a new connection may help: the server went away (1001), gave no code (1005), or the
    /// connection was lost (1006). After 1000, 1002, 1003, 1007 and 1008 the server would do the
    /// same again.
    pub fn allows_reconnect(&self) -> bool {
        !matches!(self.code, 1000 | 1002 | 1003 | 1007 | 1008)
    }
}

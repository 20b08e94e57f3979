//! The seam below the lanes: how a socket is opened, and what it carries.

use std::fmt::{self, Debug};
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, TransportError};
use futures_core::Stream;
use http::{Request, Response};

/// Opens WebSockets for a [`WebSocketTransport`](super::WebSocketTransport).
///
/// Implement it where the sockets are not those of [`Http1Connector`](super::Http1Connector): on a
/// runtime of your own, or in a test.
#[async_trait]
pub trait WebSocketConnector: Debug + Send + Sync + 'static {
    /// Opens a socket to the URL of `handshake` (`http` or `https`) with its headers.
    ///
    /// The connection is made within the [`ConnectTimeout`](chatcore::ConnectTimeout) in the
    /// request's extensions. Cancel-safe: dropping the future closes the connection.
    ///
    /// # Errors
    /// Where no connection could be made. A server that answers with a status has not failed:
    /// that is [`Opened::Refused`].
    async fn open(&self, handshake: Request<()>) -> Result<Opened, TransportError>;
}

/// What came of a handshake.
#[derive(Debug)]
pub enum Opened {
    /// The server speaks WebSocket.
    Socket(WebSocket),
    /// The server answered with a status of its own, for example 401.
    Refused(Response<ByteStream>),
}

/// An open socket. Dropping both halves closes its connection.
pub struct WebSocket {
    /// The text messages of the server, and why there are no more.
    pub incoming: Pin<Box<dyn Stream<Item = Result<Bytes, SocketClosed>> + Send>>,
    /// Where messages go out.
    pub outgoing: Box<dyn Outgoing>,
}

impl Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebSocket")
    }
}

/// The half of a socket that sends.
#[async_trait]
pub trait Outgoing: Send {
    /// Sends one text message.
    ///
    /// # Errors
    /// Where the socket is closed.
    async fn send(&mut self, text: String) -> Result<(), SocketClosed>;

    /// Tells the server that this side is done, with close code 1000.
    async fn close(&mut self);
}

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketClosed {
    /// The server's close code; 1005 where it gave none, 1006 where the connection was lost.
    pub code: u16,
    /// The server's reason, or what went wrong.
    pub reason: String,
}

impl SocketClosed {
    /// A socket that was closed with `code`.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// A connection that was lost without a close code.
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

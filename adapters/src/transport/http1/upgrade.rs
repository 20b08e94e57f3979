//! Switches a connection to another protocol with `Upgrade`.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use chatcore::{ByteStream, TransportError, TransportErrorKind};
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite};
use http::{HeaderMap, Request, Response, StatusCode};
use ureq_proto::client::MAX_RESPONSE_HEADERS;
use ureq_proto::parser::try_parse_response;

use super::exchange::{Connection, has_end, poll_exchange, protocol, too_large};
use super::{Http1Transport, Via};

/// The result of a request to switch protocols.
pub(in crate::transport) enum Upgraded {
    /// The server switches protocols. `unread` holds the first bytes of the new protocol.
    Switched {
        head: HeaderMap,
        stream: UpgradedStream,
        unread: Vec<u8>,
    },
    /// The server responded with HTTP.
    Refused(Response<ByteStream>),
}

impl Http1Transport {
    /// Sends a request with `Upgrade` on a new connection. Even without TLS it goes through a
    /// proxy's tunnel, because a forwarding proxy would not pass the upgrade on.
    pub(in crate::transport) async fn upgrade(
        &self,
        request: Request<Bytes>,
    ) -> Result<Upgraded, TransportError> {
        let mut task = self.inner.prepare(request, Via::Tunnel)?;
        let mut connection = Box::pin(self.inner.connect(&task)).await?;
        let peer = task.home.origin.host.clone();
        let lost = |error| {
            let message = format!("the connection to {peer} was lost before it answered");
            TransportError::new(TransportErrorKind::Reset, message).with_source(error)
        };
        poll_fn(|cx| task.outgoing.poll_send(&mut connection.stream, cx))
            .await
            .map_err(lost)?;
        // The first head is read here, because `poll_exchange` would skip 101 as an interim
        // response.
        let mut bytes = vec![0; 4096];
        let mut scanned = 0;
        while !has_end(&connection.unread, scanned) {
            scanned = connection.unread.len();
            if scanned > self.inner.max_head {
                return Err(too_large("the headers of the answer are too large"));
            }
            match connection.stream.read(&mut bytes).await.map_err(lost)? {
                0 => return Err(lost(io::ErrorKind::UnexpectedEof.into())),
                count => connection.unread.extend_from_slice(&bytes[..count]),
            }
        }
        let parsed = try_parse_response::<MAX_RESPONSE_HEADERS>(&connection.unread);
        let malformed = |error| protocol("the head of the answer is malformed").with_source(error);
        if let Some((used, head)) = parsed.map_err(malformed)?
            && head.status() == StatusCode::SWITCHING_PROTOCOLS
        {
            let unread = connection.unread.split_off(used);
            return Ok(Upgraded::Switched {
                head: head.into_parts().0.headers,
                stream: UpgradedStream(connection),
                unread,
            });
        }
        let exchange = poll_fn(|cx| {
            poll_exchange(&mut connection, &mut task.outgoing, &mut task.incoming, cx)
        });
        match exchange.await {
            Ok(head) => Ok(Upgraded::Refused(task.receive(head, connection)?)),
            Err(failure) => Err(failure.into_error(&peer)),
        }
    }
}

/// A connection that carries another protocol. Dropping it closes the socket.
pub(in crate::transport) struct UpgradedStream(Connection);

impl AsyncRead for UpgradedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for UpgradedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.stream).poll_close(cx)
    }
}

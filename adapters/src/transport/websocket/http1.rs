//! Opens sockets through [`Http1Transport`], with its TLS, proxies and name lookup.

use async_trait::async_trait;
use async_tungstenite::tungstenite::handshake::client::generate_key;
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use async_tungstenite::tungstenite::{self, Bytes as Payload};
use async_tungstenite::{WebSocketSender, WebSocketStream};
use bytes::Bytes;
use chatcore::{TransportError, TransportErrorKind};
use futures_lite::StreamExt;
use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Request};

use super::connector::{Opened, Outgoing, SocketClosed, WebSocket, WebSocketConnector};
use crate::transport::Http1Transport;
use crate::transport::http1::{Upgraded, UpgradedStream};

/// The largest message: twice the default limit for one event of a stream.
const MAX_MESSAGE: usize = 32 << 20;

/// Opens sockets over the connections of an [`Http1Transport`].
#[derive(Clone, Debug)]
pub struct Http1Connector {
    http: Http1Transport,
}

impl Http1Connector {
    /// Opens sockets with the TLS, the proxies and the name lookup of `http`.
    pub fn new(http: Http1Transport) -> Self {
        Self { http }
    }
}

#[async_trait]
impl WebSocketConnector for Http1Connector {
    async fn open(&self, handshake: Request<()>) -> Result<Opened, TransportError> {
        let key = generate_key();
        let mut request = handshake.map(|()| Bytes::new());
        let text = |text: &str| {
            HeaderValue::try_from(text).map_err(|error| {
                TransportError::new(TransportErrorKind::Other, "the handshake has no key")
                    .with_source(error)
            })
        };
        let headers: [(HeaderName, HeaderValue); 4] = [
            (CONNECTION, HeaderValue::from_static("Upgrade")),
            (UPGRADE, HeaderValue::from_static("websocket")),
            (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
            (SEC_WEBSOCKET_KEY, text(&key)?),
        ];
        request.headers_mut().extend(headers);
        match self.http.upgrade(request).await? {
            Upgraded::Refused(response) => Ok(Opened::Refused(response)),
            Upgraded::Switched {
                head,
                stream,
                unread,
            } => {
                let accepted = head.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
                if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
                    return Err(TransportError::new(
                        TransportErrorKind::Protocol,
                        "the server switched protocols without accepting this WebSocket",
                    ));
                }
                Ok(Opened::Socket(web_socket(stream, unread).await))
            }
        }
    }
}

async fn web_socket(stream: UpgradedStream, unread: Vec<u8>) -> WebSocket {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let stream =
        WebSocketStream::from_partially_read(stream, unread, Role::Client, Some(config)).await;
    let (outgoing, incoming) = stream.split();
    let incoming = incoming.filter_map(|message| match message {
        Ok(Message::Text(text)) => Some(Ok(Payload::from(text))),
        Ok(Message::Close(frame)) => Some(Err(reason_of(frame))),
        // The library answers pings itself.
        Ok(_) => None,
        Err(error) => Some(Err(SocketClosed::lost(error.to_string()))),
    });
    WebSocket {
        incoming: Box::pin(incoming),
        outgoing: Box::new(outgoing),
    }
}

fn reason_of(frame: Option<CloseFrame>) -> SocketClosed {
    match frame {
        Some(frame) => SocketClosed::new(frame.code.into(), frame.reason.as_str()),
        None => SocketClosed::new(CloseCode::Status.into(), "the server gave no reason"),
    }
}

#[async_trait]
impl Outgoing for WebSocketSender<UpgradedStream> {
    async fn send(&mut self, text: String) -> Result<(), SocketClosed> {
        let sent = WebSocketSender::send(self, Message::text(text)).await;
        sent.map_err(|error: tungstenite::Error| SocketClosed::lost(error.to_string()))
    }

    async fn close(&mut self) {
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        // Fails if the server has already closed.
        WebSocketSender::close(self, Some(frame)).await.ok();
    }
}

//! A transport for OpenAI's Responses over WebSocket.
//!
//! ```text
//!  POST …/responses ─► create ─► pool ─► lane ─► pump ─► the server
//!                                a socket with a free
//!                                lane, else connect
//!  `data:` lines ◄──── body ◄─── inbox ◄─── pump ◄─────
//! ```
//!
//! The pipeline and the dialect see HTTP: a POST goes in, a stream of events comes out. In between,
//! the POST becomes a message `response.create` on a *lane* of a socket that stays open. Answers on
//! different lanes are interleaved on one socket; answers on the same lane follow one another.
//!
//! A turn that continues the last response of its lane sends only the new items, because the server
//! still has the others. This is what makes a conversation with many tool calls faster. If the
//! server has lost them, the whole input is sent again.

mod body;
mod builder;
mod connector;
mod context;
mod create;
#[cfg(feature = "http1")]
mod http1;
mod inbox;
mod lanes;
mod message;
mod pool;
mod pump;
mod socket;
#[cfg(test)]
#[cfg(feature = "smol")]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{
    ByteStream, ConnectTimeout, Secrets, Transport, TransportError, TransportErrorKind,
};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};

pub use self::builder::WebSocketBuilder;
pub use self::connector::{Opened, Outgoing, SocketClosed, WebSocket, WebSocketConnector};
#[cfg(feature = "http1")]
pub use self::http1::Http1Connector;

use self::body::Body;
use self::create::{Create, Target};
use self::inbox::End;
use self::message::{Message, Remedy};
use self::pool::{Pool, Seat, Taken};

/// If an idle socket is lost within this time of a request, it had been closed before the request,
/// so the request is sent again on another socket. After this time the server may have worked on
/// the request, and a chat must not be paid for twice.
const REPLACE_WITHIN: Duration = Duration::from_secs(3);

/// OpenAI's Responses over WebSocket; see the [module](self).
///
/// - A POST whose path ends with `/responses` goes over a socket, whether its answer is whole or
///   streamed. All other requests, and those with `background: true`, go over the HTTP transport
///   that this transport was made with.
/// - Calls with the same URL and the same headers, and so the same key, share sockets. A header
///   that differs from call to call (an idempotency key, a trace id, SigV4) gives each call its own
///   socket: leave it out, or use HTTP. In all there are at most eight times
///   [`max_sockets`](WebSocketBuilder::max_sockets); beyond that, requests go over HTTP.
///   [`WebSocketBuilder`] has the limits and their defaults.
/// - If a server opens no WebSocket (404, 405, 426, 501 and similar), requests go over HTTP, and a
///   socket is tried again after five minutes.
/// - An `error` that arrives first and has a status becomes the response, with that status and its
///   headers, so that retries and rate limits work as they do over HTTP.
/// - A socket lost before an answer began is [`Reset`](TransportErrorKind::Reset), which the client
///   retries; later it is [`Truncated`](TransportErrorKind::Truncated). After the close codes 1000,
///   1002, 1003, 1007 and 1008 it is [`Protocol`](TransportErrorKind::Protocol).
/// - Dropping a call frees its lane once the server has ended the answer, which is discarded. If no
///   other call on the socket is waiting for an answer, the socket is closed at once.
///
/// The WebSocket library logs messages, prompts included, at the level `trace`.
///
/// Cloning is cheap. Clones share their sockets.
///
/// ```no_run
/// use std::sync::Arc;
/// use chatcore::LlmClient;
/// use chatcore_adapters::executor::SmolExecutor;
/// use chatcore_adapters::transport::{Http1Transport, WebSocketTransport};
///
/// let executor = Arc::new(SmolExecutor::new());
/// let http = Http1Transport::new(executor.clone());
/// let transport = Arc::new(WebSocketTransport::new(executor.clone(), http));
/// let client = LlmClient::builder(executor, transport);
/// # let _ = client;
/// ```
#[derive(Clone)]
pub struct WebSocketTransport {
    pool: Arc<Pool>,
    /// The transport for all requests that do not go over a socket.
    http: Arc<dyn Transport>,
    /// Whether a turn sends only what its lane does not know yet.
    goes_on: bool,
}

#[async_trait]
impl Transport for WebSocketTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        match Create::of(&request, self.goes_on) {
            Some(create) => self.ask(&Target::of(&request), create, request).await,
            None => self.http.send(request).await,
        }
    }

    fn tell_secrets(&self, secrets: &mut Secrets) {
        self.http.tell_secrets(secrets);
    }
}

impl WebSocketTransport {
    async fn ask(
        &self,
        target: &Target,
        create: Create,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        let timeout = request.extensions().get::<ConnectTimeout>().copied();
        let mut tried = Tried::default();
        loop {
            let began = self.pool.executor.now();
            let taken = self
                .pool
                .seat(target, &create, tried.whole, timeout)
                .await?;
            let seat = match taken {
                Taken::Seat(seat) => seat,
                Taken::Refused(response) if opens_none(response.status()) => {
                    self.pool.forbid_sockets(target);
                    return self.http.send(request).await;
                }
                Taken::Refused(response) => return Ok(response),
                Taken::ByHttp => return self.http.send(request).await,
            };
            match poll_fn(|cx| seat.inbox.poll_next(cx)).await {
                Ok(text) => {
                    let message = Message::of(&text);
                    let is_ignored = |id: &String| !message.goes_on_from(id);
                    let remedy = match seat.known.as_ref().is_some_and(is_ignored) {
                        true => Remedy::NoContexts,
                        false => message.remedy().for_request(&create),
                    };
                    if !tried.helps(remedy) {
                        let response = message.as_response(&text);
                        return Ok(response.unwrap_or_else(|| answer(text, seat)));
                    }
                    match remedy {
                        Remedy::WholeContext => seat.socket.forget_contexts(),
                        Remedy::OtherSocket => seat.socket.retire(),
                        Remedy::NoContexts => self.pool.forbid_contexts(target),
                        Remedy::NoLanes => self.pool.forbid_lanes(target),
                        Remedy::None => {}
                    }
                }
                Err(end) => {
                    let at_once = self.pool.executor.now() - began < REPLACE_WITHIN;
                    let may_replace = seat.was_idle && at_once && !tried.replaced;
                    match &end {
                        End::Closed(why) if may_replace && why.allows_reconnect() => {
                            tried.replaced = true;
                        }
                        _ => return Err(unanswered(end)),
                    }
                }
            }
        }
    }
}

/// What was already tried for one request. Each remedy is tried once.
#[derive(Default)]
struct Tried {
    whole: bool,
    other_socket: bool,
    no_lanes: bool,
    replaced: bool,
}

impl Tried {
    /// Whether `remedy` was not tried yet and may help. Marks it as tried.
    fn helps(&mut self, remedy: Remedy) -> bool {
        let tried = match remedy {
            Remedy::None => return false,
            Remedy::WholeContext | Remedy::NoContexts => &mut self.whole,
            Remedy::OtherSocket => &mut self.other_socket,
            Remedy::NoLanes => &mut self.no_lanes,
        };
        !std::mem::replace(tried, true)
    }
}

/// Whether the response to a handshake means that the server opens no WebSockets at this URL. Other
/// statuses are about the key, the limits or the server's health, as they would be over HTTP.
fn opens_none(status: StatusCode) -> bool {
    let is_about_the_call = [401, 402, 403, 407, 408, 409, 429].contains(&status.as_u16());
    !is_about_the_call && (!status.is_server_error() || status == StatusCode::NOT_IMPLEMENTED)
}

/// The response whose first message is `first`.
fn answer(first: Bytes, seat: Seat) -> Response<ByteStream> {
    let mut response = Response::new(ByteStream::new(Body::new(first, seat)));
    let events = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, events);
    response
}

/// The error of a call that received no message.
fn unanswered(end: End) -> TransportError {
    match end {
        End::Closed(why) => closed(&why, TransportErrorKind::Reset, "before the answer began"),
        End::Complete | End::TooMuch | End::Abandoned => {
            TransportError::new(TransportErrorKind::Protocol, "the answer has no messages")
        }
    }
}

/// The error of a call whose socket was closed.
fn closed(why: &SocketClosed, kind: TransportErrorKind, when: &str) -> TransportError {
    let kind = match why.allows_reconnect() {
        true => kind,
        false => TransportErrorKind::Protocol,
    };
    let SocketClosed { code, reason } = why;
    TransportError::new(
        kind,
        format!("the WebSocket was closed {when}, with code {code}: {reason}"),
    )
}

impl fmt::Debug for WebSocketTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketTransport")
            .field("connector", &self.pool.connector)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

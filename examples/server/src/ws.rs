//! `/ws/chat`: several chats on one WebSocket, each of which can be cancelled.
//!
//! ```text
//!  client: {"type": "chat", "id": "a", "message": "…", …}     {"type": "cancel", "id": "a"}
//!  server: {"id": "a", "type": "delta", "text": "…"} …        {"id": "a", "type": "cancelled"}
//!          {"id": "a", "type": "done", "finish_reason": "stop", "usage": {…}}
//! ```

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use chatcore::ChatStream;
use futures_core::Stream;
use futures_lite::future::yield_now;
use serde::Serialize;
use smol::Timer;
use trillium_websockets::tungstenite;
use trillium_websockets::tungstenite::protocol::frame::coding::CloseCode;
use trillium_websockets::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use trillium_websockets::{Message, WebSocketConn};

use crate::app::Shared;
use crate::ask::{self, Form};
use crate::body;
use crate::drain::Begun;
use crate::errors::ApiError;
use crate::events::{Teller, Told};

/// A running chat.
struct Running {
    id: String,
    stream: ChatStream,
    teller: Teller,
}

/// The next event on a socket.
enum Next {
    Said(Message),
    /// The chat at this index has a message; the flag marks its last one.
    Told(usize, Told, bool),
    /// The server closes the socket, for this reason.
    End(CloseCode, &'static str),
    /// The client closes the socket.
    Closed,
    /// The connection was lost.
    Gone,
}

/// After this many steps, other connections get a turn. Otherwise a client that sends without pause
/// would occupy the thread.
const TURN: usize = 16;

/// A message, tagged with the id of its chat.
#[derive(Serialize)]
struct Tagged<'a> {
    id: &'a str,
    #[serde(flatten)]
    told: &'a Told,
}

pub(crate) fn protocol(max_body: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .max_message_size(Some(max_body))
        .max_frame_size(Some(max_body))
}

/// Serves one socket until it ends, then drops all its chats.
pub(crate) async fn serve(shared: Arc<Shared>, client: IpAddr, mut conn: WebSocketConn) {
    let mut sides = Sides {
        begun: shared.drain.begun(),
        idle: Idle::new(shared.settings.idle_timeout),
        turn: 0,
    };
    let mut running: Vec<Running> = Vec::new();
    let mut steps = 0_usize;
    loop {
        steps += 1;
        if steps.is_multiple_of(TURN) {
            yield_now().await;
        }
        let next = poll_fn(|cx| sides.poll_next(&mut conn, &mut running, cx)).await;
        let (id, told) = match next {
            Next::Gone => break,
            Next::Closed => {
                // The client waits for the reply to its close frame.
                let _ = conn.close().await;
                break;
            }
            Next::End(code, reason) => {
                let frame = CloseFrame {
                    code,
                    reason: reason.into(),
                };
                let _ = conn.send(Message::Close(Some(frame))).await;
                break;
            }
            Next::Told(place, told, is_last) => {
                let id = match is_last {
                    true => running.swap_remove(place).id,
                    false => running[place].id.clone(),
                };
                (id, told)
            }
            Next::Said(message) => {
                let answer = hear(&shared, client, &message, &mut running);
                sides.idle.again();
                match answer {
                    Some(answer) => answer,
                    // The library may have queued a reply of the protocol, such as a pong. A client
                    // that does not read its pongs is not read from either.
                    None if conn.flush().await.is_ok() => continue,
                    None => break,
                }
            }
        };
        let tagged = Tagged {
            id: &id,
            told: &told,
        };
        let json = serde_json::to_string(&tagged).unwrap_or_default();
        if conn.send(Message::text(json)).await.is_err() {
            break;
        }
    }
    if !running.is_empty() {
        shared.metrics.client_gone();
    }
}

/// Handles a message of the client. Returns the reply, if there is one.
fn hear(
    shared: &Shared,
    client: IpAddr,
    message: &Message,
    running: &mut Vec<Running>,
) -> Option<(String, Told)> {
    let text = match message {
        Message::Text(text) => text.as_str(),
        Message::Binary(_) => {
            let error = ApiError::new(400, "invalid_json", "send text, not binary messages");
            return Some((String::new(), Told::error(error)));
        }
        _ => return None,
    };
    let mut id = String::new();
    match obey(shared, client, text, running, &mut id) {
        Ok(told) => told.map(|told| (id, told)),
        Err(error) => Some((id, Told::error(error))),
    }
}

fn obey(
    shared: &Shared,
    client: IpAddr,
    text: &str,
    running: &mut Vec<Running>,
    id: &mut String,
) -> Result<Option<Told>, ApiError> {
    let mut fields = body::parse(text.as_bytes())?;
    *id = fields.text("id")?.unwrap_or_default();
    if id.is_empty() || id.len() > 128 {
        let message = "each message must name its chat with an id of 1 to 128 bytes";
        return Err(ApiError::invalid("id", message));
    }
    let place = running.iter().position(|chat| chat.id == *id);
    match fields.text("type")?.as_deref() {
        Some("chat") => {}
        Some("cancel") => {
            fields.end()?;
            // A chat that has already ended has already sent its last message.
            return Ok(place.map(|place| {
                running.swap_remove(place);
                Told::Cancelled
            }));
        }
        _ => {
            return Err(ApiError::invalid(
                "type",
                "a message's type must be chat or cancel",
            ));
        }
    }
    if place.is_some() {
        return Err(ApiError::invalid(
            "id",
            "a chat with this id is already running",
        ));
    }
    if shared.drain.has_begun() {
        return Err(ApiError::draining());
    }
    if running.len() >= shared.settings.max_chats {
        let message = format!("{} chats are already running on this socket", running.len());
        return Err(ApiError::new(429, "too_many_chats", message));
    }
    let ask = ask::read(fields, Form::Any, &shared.allowed)?;
    shared.per_client.take(client, 1, Instant::now())?;
    running.push(Running {
        id: id.clone(),
        stream: ask.call(&shared.upstream.client).stream(),
        teller: Teller::default(),
    });
    Ok(None)
}

/// What else to poll, besides the client and its chats.
struct Sides {
    begun: Begun,
    idle: Idle,
    /// Where the search for the next message begins, so that no chat waits behind another.
    turn: usize,
}

/// Measures how long nothing has run and nothing has arrived.
struct Idle {
    limit: Duration,
    timer: Timer,
}

impl Idle {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            timer: Timer::after(limit),
        }
    }

    fn again(&mut self) {
        self.timer.set_after(self.limit);
    }
}

impl Sides {
    fn poll_next(
        &mut self,
        conn: &mut WebSocketConn,
        running: &mut [Running],
        cx: &mut Context<'_>,
    ) -> Poll<Next> {
        // The client's messages are polled first, because one may cancel a chat.
        match Pin::new(conn).poll_next(cx) {
            Poll::Ready(Some(Ok(Message::Close(_)))) => return Poll::Ready(Next::Closed),
            Poll::Ready(Some(Ok(message))) => return Poll::Ready(Next::Said(message)),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(ending(&error)),
            Poll::Ready(None) => return Poll::Ready(Next::Gone),
            Poll::Pending => {}
        }
        if let Poll::Ready(next) = self.poll_chats(running, cx) {
            return Poll::Ready(next);
        }
        // Polled even while chats run, so that the start of the shutdown wakes this task.
        let has_begun = self.begun.poll(cx).is_ready();
        if !running.is_empty() {
            return Poll::Pending;
        }
        if has_begun {
            let reason = "the server is shutting down";
            return Poll::Ready(Next::End(CloseCode::Away, reason));
        }
        let is_idle = Pin::new(&mut self.idle.timer).poll(cx).is_ready();
        match is_idle {
            true => Poll::Ready(Next::End(
                CloseCode::Away,
                "the socket was idle for too long",
            )),
            false => Poll::Pending,
        }
    }

    fn poll_chats(&mut self, running: &mut [Running], cx: &mut Context<'_>) -> Poll<Next> {
        let count = running.len();
        for step in 0..count {
            let place = (self.turn + step) % count;
            let chat = &mut running[place];
            while let Poll::Ready(event) = Pin::new(&mut chat.stream).poll_next(cx) {
                let told = match event {
                    Some(event) => chat.teller.tell(event),
                    // Not reached: a stream ends with its finish or an error, after which the chat
                    // is removed.
                    None => Some(Told::Cancelled),
                };
                if let Some(told) = told {
                    self.turn = place + 1;
                    let is_last = !matches!(
                        told,
                        Told::Delta { .. } | Told::Reasoning { .. } | Told::Refusal { .. }
                    );
                    if is_last {
                        self.idle.again();
                    }
                    return Poll::Ready(Next::Told(place, told, is_last));
                }
            }
        }
        Poll::Pending
    }
}

/// How a socket ends after an error on it.
fn ending(error: &tungstenite::Error) -> Next {
    match error {
        tungstenite::Error::Capacity(_) => Next::End(CloseCode::Size, "the message is too large"),
        tungstenite::Error::Utf8(_) => Next::End(CloseCode::Invalid, "the message is not UTF-8"),
        tungstenite::Error::Protocol(_) => {
            Next::End(CloseCode::Protocol, "the frames are malformed")
        }
        _ => Next::Gone,
    }
}

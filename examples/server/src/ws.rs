//! `/ws/chat`: several chats on one socket, each of which can be cancelled.
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
use std::time::Instant;

use chatcore::ChatStream;
use futures_core::Stream;
use futures_lite::FutureExt;
use serde::Serialize;
use smol::Timer;
use trillium_websockets::tungstenite::protocol::frame::coding::CloseCode;
use trillium_websockets::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use trillium_websockets::{Message, WebSocketConn};

use crate::app::Shared;
use crate::ask::{self, Form};
use crate::body;
use crate::drain::Begun;
use crate::errors::ApiError;
use crate::events::{Teller, Told};

/// A chat that runs on a socket.
struct Running {
    id: String,
    stream: ChatStream,
    teller: Teller,
}

/// What happens next on a socket.
enum Next {
    Said(Message),
    /// The chat at this place has a piece; the flag says that it was the last one.
    Told(usize, Told, bool),
    /// The server shuts down, and nothing runs.
    Drained,
    Gone,
}

/// A piece, with the chat it belongs to.
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

/// Serves one socket until the client goes, which drops all its chats.
pub(crate) async fn serve(shared: Arc<Shared>, client: IpAddr, mut conn: WebSocketConn) {
    let mut running: Vec<Running> = Vec::new();
    let mut begun = shared.drain.begun();
    // Where the search for the next piece begins, so that no chat waits behind another.
    let mut turn = 0;
    loop {
        let next =
            poll_fn(|cx| poll_next(&mut conn, &mut running, &mut turn, &mut begun, cx)).await;
        let (id, told) = match next {
            Next::Gone => break,
            Next::Drained => {
                let frame = CloseFrame {
                    code: CloseCode::Away,
                    reason: "the server is shutting down".into(),
                };
                let _ = send(&shared, &mut conn, Message::Close(Some(frame))).await;
                return;
            }
            Next::Told(place, told, is_last) => {
                let id = match is_last {
                    true => running.swap_remove(place).id,
                    false => running[place].id.clone(),
                };
                (id, told)
            }
            Next::Said(message) => match hear(&shared, client, &message, &mut running) {
                Some(answer) => answer,
                None => continue,
            },
        };
        let tagged = Tagged {
            id: &id,
            told: &told,
        };
        let json = serde_json::to_string(&tagged).unwrap_or_default();
        if !send(&shared, &mut conn, Message::text(json)).await {
            break;
        }
    }
    if !running.is_empty() {
        shared.metrics.client_gone();
    }
}

/// Whether it was taken in time.
async fn send(shared: &Shared, conn: &mut WebSocketConn, message: Message) -> bool {
    let late = async {
        Timer::after(shared.settings.write_timeout).await;
        false
    };
    async { conn.send(message).await.is_ok() }.or(late).await
}

/// Does what the client says; gives what to answer, if anything.
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
        let message = "each message names its chat by an id of 1 to 128 bytes";
        return Err(ApiError::invalid("id", message));
    }
    let place = running.iter().position(|chat| chat.id == *id);
    match fields.text("type")?.as_deref() {
        Some("chat") => {}
        Some("cancel") => {
            fields.end()?;
            // One that has ended meanwhile has told so.
            return Ok(place.map(|place| {
                running.swap_remove(place);
                Told::Cancelled
            }));
        }
        _ => {
            return Err(ApiError::invalid(
                "type",
                "a message's type is chat or cancel",
            ));
        }
    }
    if place.is_some() {
        return Err(ApiError::invalid("id", "a chat of this id runs already"));
    }
    if shared.drain.has_begun() {
        return Err(ApiError::draining());
    }
    if running.len() >= shared.settings.max_chats {
        let message = format!("{} chats run on this socket already", running.len());
        return Err(ApiError::new(429, "too_many_chats", message));
    }
    let request = ask::read(fields, Form::Any, &shared.allowed)?;
    shared.per_client.take(client, 1, Instant::now())?;
    running.push(Running {
        id: id.clone(),
        stream: shared.upstream.client.request(request).stream(),
        teller: Teller::default(),
    });
    Ok(None)
}

fn poll_next(
    conn: &mut WebSocketConn,
    running: &mut [Running],
    turn: &mut usize,
    begun: &mut Begun,
    cx: &mut Context<'_>,
) -> Poll<Next> {
    // What the client says comes first: it may take a chat back.
    match Pin::new(conn).poll_next(cx) {
        Poll::Ready(Some(Ok(Message::Close(_))) | Some(Err(_)) | None) => {
            return Poll::Ready(Next::Gone);
        }
        Poll::Ready(Some(Ok(message))) => return Poll::Ready(Next::Said(message)),
        Poll::Pending => {}
    }
    let count = running.len();
    for step in 0..count {
        let place = (*turn + step) % count;
        let chat = &mut running[place];
        loop {
            let told = match Pin::new(&mut chat.stream).poll_next(cx) {
                Poll::Ready(Some(event)) => chat.teller.tell(event),
                // A stream ends with its finish or an error, after which it is not here any more.
                Poll::Ready(None) => Some(Told::Cancelled),
                Poll::Pending => break,
            };
            if let Some(told) = told {
                *turn = place + 1;
                let is_last = !matches!(
                    told,
                    Told::Delta { .. } | Told::Reasoning { .. } | Told::Refusal { .. }
                );
                return Poll::Ready(Next::Told(place, told, is_last));
            }
        }
    }
    match count == 0 && begun.poll(cx).is_ready() {
        true => Poll::Ready(Next::Drained),
        false => {
            // So that it wakes this task whenever it begins.
            let _ = begun.poll(cx);
            Poll::Pending
        }
    }
}

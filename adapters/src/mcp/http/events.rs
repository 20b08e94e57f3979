//! Reads an answer that is a stream of events, and goes on with it when its connection is lost.

use std::time::Duration;

use chatcore::frame::Sse;
use chatcore::{ByteStream, Error, ErrorKind};
use futures_lite::StreamExt;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_json::value::RawValue;

use super::Inner;
use super::send::{Post, too_large, unsent};
use crate::mcp::channel::Ask;
use crate::mcp::error::{McpError, McpErrorKind};
use crate::mcp::limit::within;
use crate::mcp::message::Incoming;

/// How often in a row a stream is resumed without a new event.
const FRUITLESS: u32 = 5;
/// The time before a stream is resumed, if the server does not say.
const WAIT: Duration = Duration::from_secs(1);
/// The time for the end of a stream after its last message.
const END: Duration = Duration::from_secs(1);

/// How far the events of one answer have been read, over all its connections.
struct Progress {
    /// The bytes that may still come.
    left: usize,
    /// The id of the last event, if events have ids.
    last_event: Option<HeaderValue>,
    /// How long the server asks to wait before the stream is resumed.
    wait: Duration,
    /// How often in a row no new event came.
    fruitless: u32,
    /// The first message that could not be read. It may have been the answer.
    unread: Option<McpError>,
}

impl Inner {
    /// Reads events until the outcome of the request comes.
    pub(super) async fn events(
        &self,
        ask: &Ask<'_>,
        mut body: ByteStream,
    ) -> Result<Box<RawValue>, McpError> {
        let mut progress = Progress {
            left: self.limits.answer,
            last_event: None,
            wait: WAIT,
            fruitless: 0,
            unread: None,
        };
        loop {
            let lost = match self.read(ask, &mut body, &mut progress).await? {
                Ok(outcome) => {
                    self.finish(body);
                    return outcome;
                }
                Err(lost) => lost,
            };
            drop(body);
            body = self.resume(ask, &mut progress, lost).await?;
        }
    }

    /// Reads one connection. The inner error is that of a connection that was lost.
    async fn read(
        &self,
        ask: &Ask<'_>,
        body: &mut ByteStream,
        progress: &mut Progress,
    ) -> Result<Result<Result<Box<RawValue>, McpError>, McpError>, McpError> {
        let mut sse = Sse::new(self.limits.answer);
        while let Some(chunk) = body.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return Ok(Err(unsent(error))),
            };
            let left = progress.left.checked_sub(chunk.len());
            progress.left = left.ok_or_else(|| too_large(self.limits.answer))?;
            sse.feed(chunk);
            while let Some(event) = sse.next_event().map_err(|error| self.unread(error))? {
                progress.wait = sse.retry().unwrap_or(progress.wait);
                if !event.id.is_empty() {
                    progress.last_event = HeaderValue::from_bytes(&event.id).ok();
                    progress.fruitless = 0;
                }
                let is_message = event.name.is_empty() || event.name == "message";
                // An event without data only has an id.
                if !is_message || event.data.is_empty() {
                    continue;
                }
                let messages = match Incoming::read_all(&event.data) {
                    Ok(messages) => messages,
                    Err(error) => {
                        progress.unread.get_or_insert(error);
                        continue;
                    }
                };
                for message in messages {
                    if let Some(outcome) = self.take(ask, message).await {
                        return Ok(Ok(outcome));
                    }
                }
            }
            progress.wait = sse.retry().unwrap_or(progress.wait);
        }
        if let Some(error) = progress.unread.take() {
            return Err(error);
        }
        Ok(Err(McpError::new(
            McpErrorKind::Interrupted,
            "the server ended the stream before the result",
        )))
    }

    /// Asks for the rest of a stream whose connection was lost for the reason `lost`.
    async fn resume(
        &self,
        ask: &Ask<'_>,
        progress: &mut Progress,
        mut lost: McpError,
    ) -> Result<ByteStream, McpError> {
        loop {
            lost = lost.with_kind(McpErrorKind::Interrupted);
            let Some(id) = progress.last_event.clone() else {
                return Err(lost);
            };
            if ask.version.is_stateless || progress.fruitless >= FRUITLESS {
                return Err(lost);
            }
            progress.fruitless += 1;
            self.executor.sleep(progress.wait).await;
            let post = Post::after(id)
                .version(ask.version.name)
                .session(ask.session);
            let (head, body) = match self.send(post).await {
                Ok(response) => response.into_parts(),
                Err(error) => {
                    lost = error;
                    continue;
                }
            };
            let kind = head.headers.get(CONTENT_TYPE);
            let is_stream =
                kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
            if head.status.is_success() && is_stream {
                return Ok(body);
            }
            let refusal = self.refusal(&head, body, false).await;
            let why = refusal.with_context("the stream broke and cannot be resumed");
            if !head.status.is_server_error() {
                return Err(why.with_kind(McpErrorKind::Interrupted));
            }
            lost = why;
        }
    }

    /// Reads the end of a stream in the background, so that its connection can be used again.
    fn finish(&self, mut body: ByteStream) {
        let executor = std::sync::Arc::clone(&self.executor);
        self.executor.spawn(Box::pin(async move {
            within(&*executor, END, async {
                // A server that goes on sending does not keep the connection.
                for _ in 0..16 {
                    if !matches!(body.next().await, Some(Ok(_))) {
                        break;
                    }
                }
            })
            .await;
        }));
    }

    fn unread(&self, error: Error) -> McpError {
        match error.kind() {
            ErrorKind::ResponseTooLarge => too_large(self.limits.answer),
            _ => McpError::protocol(error.message()),
        }
    }
}

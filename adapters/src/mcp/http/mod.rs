//! Streamable HTTP: every message of the client is a POST, whose answer is JSON or a stream of
//! events.
//!
//! ```text
//!  POST request ─► 200 JSON ───────────────────────────────► result
//!               ├► 200 events ─► notifications, requests ──► result
//!               │        │ broken, and an event had an id (before 2026-07-28)
//!               │        └► GET with Last-Event-ID ─► events …
//!               ├► 404 with a session ─► SessionLost: initialize again, once
//!               └► an error
//! ```

mod cancel;
mod events;
mod refusal;
mod send;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{Credentials, Executor, Secrets, Transport};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use serde_json::value::RawValue;

use super::channel::{Answer, Ask, Channel, Limits, Listener, Session};
use super::error::{McpError, McpErrorKind};
use super::limit::within;
use super::message::Incoming;
use cancel::Cancel;
use send::{Post, collect};

/// The server's id of a session.
static SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The revision of the protocol.
static PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// A server behind a URL.
#[derive(Clone, Debug)]
pub(super) struct Http(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) executor: Arc<dyn Executor>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) url: Uri,
    /// The caller's own headers.
    pub(super) headers: HeaderMap,
    pub(super) credentials: Option<Arc<dyn Credentials>>,
    pub(super) secrets: Secrets,
    pub(super) limits: Limits,
    pub(super) listener: Listener,
}

impl Http {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

#[async_trait]
impl Channel for Http {
    async fn request(&self, ask: &Ask<'_>) -> Result<Answer, McpError> {
        let mut cancel = Cancel::of(&self.0, ask);
        let answer = self.0.answer(ask).await;
        // Whatever was received is the end of the request, but a lost connection is not.
        if !matches!(&answer, Err(error) if error.kind() == McpErrorKind::Interrupted) {
            cancel.disarm();
        }
        answer.map_err(|error| self.0.redacted(error))
    }

    async fn notify(&self, session: &Session, message: Bytes) -> Result<(), McpError> {
        let post = Post::new(Method::POST, message)
            .version(session.version.name)
            .session(session.id.as_ref());
        self.0
            .tell(post)
            .await
            .map_err(|error| self.0.redacted(error))
    }

    async fn restore(&self) -> Result<bool, McpError> {
        Ok(false)
    }

    fn probe_limit(&self) -> Option<Duration> {
        None
    }

    fn has_headers(&self) -> bool {
        true
    }

    async fn close(&self, session: Option<&Session>) {
        let Some(session) = session.filter(|session| session.id.is_some()) else {
            return;
        };
        let post = Post::new(Method::DELETE, Bytes::new())
            .version(session.version.name)
            .session(session.id.as_ref());
        let inner = &self.0;
        // The server may refuse to end a session (405), which is its own matter.
        within(&*inner.executor, inner.limits.farewell, inner.tell(post)).await;
    }
}

impl Inner {
    async fn answer(&self, ask: &Ask<'_>) -> Result<Answer, McpError> {
        let mut post = Post::new(Method::POST, ask.message.clone()).session(ask.session);
        // The handshake itself settles the version.
        if ask.version.is_stateless || ask.is_cancellable {
            post = post.version(ask.version.name);
        }
        post.headers.extend(ask.headers.iter().cloned());
        let response = self.send(post).await?;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            return Err(self.refusal(&head, body, ask.session.is_some()).await);
        }
        let session = head.headers.get(&SESSION_ID).cloned();
        let kind = head.headers.get(CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim();
        let result = match kind {
            _ if head.status == StatusCode::ACCEPTED => {
                return Err(McpError::protocol(
                    "the server accepted the request (202) without an answer",
                ));
            }
            kind if kind.eq_ignore_ascii_case("text/event-stream") => {
                self.events(ask, body).await?
            }
            kind if kind.eq_ignore_ascii_case("application/json") => {
                let bytes = collect(body, self.limits.answer)
                    .await
                    .map_err(interrupted)?;
                self.whole(ask, &bytes).await?
            }
            kind => {
                let kind: String = kind.chars().take(80).collect();
                return Err(McpError::protocol(format!(
                    "the server answered with the content type {kind:?}, not with JSON or events; \
                     check that the URL is that of an MCP server",
                )));
            }
        };
        Ok(Answer { result, session })
    }

    /// Reads an answer that is one body.
    async fn whole(&self, ask: &Ask<'_>, bytes: &[u8]) -> Result<Box<RawValue>, McpError> {
        for message in Incoming::read_all(bytes)? {
            if let Some(outcome) = self.take(ask, message).await {
                return outcome;
            }
        }
        Err(McpError::protocol(
            "the server answered another request than the one that was sent",
        ))
    }

    /// Handles one message. Returns the outcome of the request, if the message is that.
    async fn take(
        &self,
        ask: &Ask<'_>,
        message: Incoming,
    ) -> Option<Result<Box<RawValue>, McpError>> {
        match message {
            Incoming::Response { id, outcome } if id.is_none_or(|id| id == ask.id) => {
                return Some(outcome);
            }
            Incoming::Notification { method, params } => {
                self.listener.tell(&method, params.as_deref());
            }
            // Since 2026-07-28 a server must not ask, and a client must not answer.
            Incoming::Request { id, method } if !ask.version.is_stateless => {
                let post = Post::new(Method::POST, super::message::reply(&id, &method))
                    .version(ask.version.name)
                    .session(ask.session);
                // Sent from here, so that a server that asks without end waits for each answer.
                within(&*self.executor, self.limits.farewell, self.tell(post)).await;
            }
            _ => {}
        }
        None
    }

    /// Removes all secrets from what a server said.
    fn redacted(&self, error: McpError) -> McpError {
        error.edit(|text| {
            self.secrets.redact(text);
            if let Some(credentials) = &self.credentials {
                credentials.redact(text);
            }
        })
    }
}

/// The error of an answer that was lost while it came.
fn interrupted(error: McpError) -> McpError {
    match error.kind() {
        McpErrorKind::Connection => error.with_kind(McpErrorKind::Interrupted),
        _ => error,
    }
}

//! What a connection to a server must be able to do, whichever way the bytes travel.

use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::McpError;
use super::version::Version;

/// A way to reach one server: HTTP requests, or a pair of streams.
#[async_trait]
pub(super) trait Channel: Debug + Send + Sync + 'static {
    /// Sends a request and waits for its answer.
    ///
    /// Cancel-safe: dropping the future tells the server that the answer is not wanted, if the
    /// request may have been sent.
    async fn request(&self, ask: &Ask<'_>) -> Result<Answer, McpError>;

    /// Sends a notification.
    async fn notify(&self, session: &Session, message: Bytes) -> Result<(), McpError>;

    /// Makes the connection again if it is lost. The server then knows nothing of its session.
    ///
    /// Returns whether it was lost.
    async fn restore(&self) -> Result<bool, McpError>;

    /// How long the server may take to answer the question for its version before it is taken for
    /// an old one, which may never answer. `None` if old ones answer.
    fn probe_limit(&self) -> Option<Duration>;

    /// Whether requests have headers.
    fn has_headers(&self) -> bool {
        false
    }

    /// Ends the session and the connection.
    async fn close(&self, session: Option<&Session>);
}

/// What the client and the server agreed on.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The revision of the protocol.
    pub(super) version: Version,
    /// The server's id of the session, for HTTP before 2026-07-28.
    pub(super) id: Option<HeaderValue>,
    /// What the server says of itself.
    pub(super) server: ServerInfo,
}

/// What a server says of itself. It is not verified.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerInfo {
    /// Its name.
    pub(super) name: String,
    /// The version of its program.
    pub(super) version: String,
    /// How to use it, written for a model.
    pub(super) instructions: Option<String>,
    /// Whether it has tools.
    pub(super) has_tools: bool,
}

/// A request.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// Its number, which no other request of the client has.
    pub(super) id: u64,
    /// The message.
    pub(super) message: Bytes,
    /// The revision of the protocol that the message is written in.
    pub(super) version: Version,
    /// The server's id of the session, if there is one.
    pub(super) session: Option<&'a HeaderValue>,
    /// Headers that repeat parts of the message, for HTTP.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether the server may be told that the answer is not wanted any more.
    pub(super) is_cancellable: bool,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The result.
    pub(super) result: Box<RawValue>,
    /// The server's id of the session, if it came with the answer.
    pub(super) session: Option<HeaderValue>,
}

/// Limits of what a server may send, and of what waits for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The time for one request, with everything that it takes.
    pub(super) request: Duration,
    /// The time for the handshake.
    pub(super) connect: Duration,
    /// The time for a message that nobody waits for, and for the end of a server.
    pub(super) farewell: Duration,
    /// The bytes of one answer, with the notifications before it.
    pub(super) answer: usize,
    /// The tools in all pages of the list.
    pub(super) tools: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(60),
            connect: Duration::from_secs(30),
            farewell: Duration::from_secs(2),
            answer: 16 * 1024 * 1024,
            tools: 1_000,
        }
    }
}

/// The caller's function for notifications.
#[derive(Clone, Default)]
pub(super) struct Listener(Option<Arc<Listen>>);

type Listen = dyn Fn(&str, &Value) + Send + Sync;

impl Listener {
    pub(super) fn new(listen: impl Fn(&str, &Value) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listen)))
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Reports a notification. A panic of the function ends here, because the answers of other
    /// calls come on the same stream.
    pub(super) fn tell(&self, method: &str, params: Option<&RawValue>) {
        let Some(listen) = &self.0 else {
            return;
        };
        let params = params.map(|raw| serde_json::from_str(raw.get()));
        // Fields that cannot be read, because they are too deep, are reported as none.
        let params = params.and_then(Result::ok).unwrap_or_default();
        // The panic hook has already reported it.
        catch_unwind(AssertUnwindSafe(|| listen(method, &params))).ok();
    }
}

impl Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.is_set()).finish()
    }
}

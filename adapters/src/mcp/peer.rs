//! One server, as all clones of a client and its tools share it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatcore::Executor;
use http::{HeaderName, HeaderValue};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::channel::{Ask, Channel, Limits, Session};
use super::error::{McpError, McpErrorKind};
use super::headers::{ParamHeader, standard_headers};
use super::limit::within;
use super::message::request;
use super::version::Version;

/// A server, and what was agreed with it.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) executor: Arc<dyn Executor>,
    pub(super) channel: Arc<dyn Channel>,
    pub(super) limits: Limits,
    /// The name and version of the client, as they are sent.
    pub(super) client_info: Value,
    /// Whether notifications about progress are wanted.
    pub(super) wants_progress: bool,
    pub(super) agreed: async_lock::Mutex<Agreed>,
    /// The headers that repeat arguments, by the names of the tools that have any.
    pub(super) param_headers: Mutex<HashMap<String, Arc<[ParamHeader]>>>,
    pub(super) last_id: AtomicU64,
    pub(super) is_closed: AtomicBool,
}

/// What was agreed. Locked during a handshake, so that calls which wait for it share one.
#[derive(Debug, Default)]
pub(super) struct Agreed {
    pub(super) session: Option<Arc<Session>>,
    /// The version that is spoken: set by the caller, or found out.
    pub(super) version: Option<Version>,
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub(super) struct Wish<'a> {
    pub(super) method: &'static str,
    pub(super) params: Map<String, Value>,
    /// The name of the tool, which is repeated in a header.
    pub(super) name: Option<&'a str>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Peer {
    pub(super) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The session, which is begun first if there is none.
    pub(super) async fn session(&self) -> Result<Arc<Session>, McpError> {
        let mut agreed = self.agreed.lock().await;
        self.check_open()?;
        let is_new = self.channel.restore().await?;
        match &agreed.session {
            // A stateless server that was started again knows all that it needs.
            Some(session) if !is_new || session.version.is_stateless => Ok(Arc::clone(session)),
            _ => self.begin(&mut agreed).await,
        }
    }

    /// A new session in place of `lost`, unless another call has begun one already.
    async fn renewed(&self, lost: &Arc<Session>) -> Result<Arc<Session>, McpError> {
        let mut agreed = self.agreed.lock().await;
        self.check_open()?;
        match &agreed.session {
            Some(session) if !Arc::ptr_eq(session, lost) => Ok(Arc::clone(session)),
            _ => self.begin(&mut agreed).await,
        }
    }

    fn check_open(&self) -> Result<(), McpError> {
        match self.is_closed.load(Ordering::Acquire) {
            true => Err(McpError::new(McpErrorKind::Closed, "the client is closed")),
            false => Ok(()),
        }
    }

    async fn begin(&self, agreed: &mut Agreed) -> Result<Arc<Session>, McpError> {
        agreed.session = None;
        let limit = self.limits.connect;
        let session = within(&*self.executor, limit, self.negotiate(agreed.version)).await;
        let session = session.unwrap_or_else(|| Err(timeout(limit, "to connect")));
        let session = session.map_err(not_a_call)?;
        agreed.version = Some(session.version);
        let session = Arc::new(session);
        agreed.session = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Sends a request, in a new session if the server has lost the old one, and waits for its
    /// result.
    pub(super) async fn request(&self, wish: &Wish<'_>) -> Result<Box<RawValue>, McpError> {
        let limit = self.limits.request;
        let work = async {
            let session = self.session().await?;
            match self.send(&session, wish).await {
                Err(error) if error.kind() == McpErrorKind::SessionLost => {
                    let session = self.renewed(&session).await?;
                    self.send(&session, wish).await
                }
                other => other,
            }
        };
        let result = within(&*self.executor, limit, work).await;
        result.unwrap_or_else(|| Err(timeout(limit, "for the answer")))
    }

    async fn send(&self, session: &Session, wish: &Wish<'_>) -> Result<Box<RawValue>, McpError> {
        let id = self.next_id();
        let version = session.version;
        let params = self.params(version, wish.params.clone(), Some(id));
        let mut headers = standard_headers(version, wish.method, wish.name);
        if version.is_stateless {
            headers.extend(wish.headers.iter().cloned());
        }
        let ask = Ask {
            id,
            message: request(id, wish.method, params),
            version,
            session: session.id.as_ref(),
            headers,
            is_cancellable: true,
        };
        Ok(self.channel.request(&ask).await?.result)
    }

    /// Adds what each request says about the protocol. `progress` is the token of notifications
    /// about its progress.
    pub(super) fn params(
        &self,
        version: Version,
        mut params: Map<String, Value>,
        progress: Option<u64>,
    ) -> Map<String, Value> {
        let mut meta = Map::new();
        if version.is_stateless {
            let mut put = |name: &str, value: Value| {
                meta.insert(format!("io.modelcontextprotocol/{name}"), value);
            };
            put("protocolVersion", version.name.into());
            put("clientInfo", self.client_info.clone());
            put("clientCapabilities", json!({}));
        }
        if let Some(token) = progress.filter(|_| self.wants_progress) {
            meta.insert("progressToken".to_owned(), token.into());
        }
        if !meta.is_empty() {
            params.insert("_meta".to_owned(), meta.into());
        }
        params
    }

    /// The headers that repeat arguments of the tool `name`.
    pub(super) fn param_headers(&self, name: &str) -> Option<Arc<[ParamHeader]>> {
        let known = self.param_headers.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.get(name).cloned()
    }

    /// Ends the session and the connection. Further requests fail.
    pub(super) async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        // A handshake that hangs does not keep a program alive.
        let agreed = within(&*self.executor, self.limits.farewell, self.agreed.lock()).await;
        let session = agreed.and_then(|mut agreed| agreed.session.take());
        self.channel.close(session.as_deref()).await;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let Some(session) = self.agreed.get_mut().session.take() else {
            return;
        };
        // A session of HTTP is ended with a request; the other connections end by themselves.
        if session.id.is_some() {
            let channel = Arc::clone(&self.channel);
            self.executor.spawn(Box::pin(async move {
                channel.close(Some(&session)).await;
            }));
        }
    }
}

pub(super) fn timeout(limit: Duration, what: &str) -> McpError {
    McpError::new(
        McpErrorKind::Timeout,
        format!("timed out after {limit:?}, waiting {what}"),
    )
}

/// The error of a request that runs no tool. It may simply be sent again.
pub(super) fn not_a_call(error: McpError) -> McpError {
    match error.kind() {
        McpErrorKind::Interrupted => error.with_kind(McpErrorKind::Connection),
        _ => error,
    }
}

//! The settings of a client.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore::{ApiKey, Credentials, Executor, Secrets, Target, Transport};
use futures_lite::{AsyncRead, AsyncWrite};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde_json::{Value, json};

use super::channel::{Channel, Limits, Listener};
use super::client::McpClient;
use super::error::{McpError, McpErrorKind};
use super::http::{Http, Inner};
use super::peer::{Agreed, Peer};
use super::streams::Streams;
use super::version::{Version, names};

/// Builds an [`McpClient`]; made by [`McpClient::http`], `McpClient::stdio` or
/// [`McpClient::streams`].
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chatcore_adapters::executor::SmolExecutor;
/// use chatcore_adapters::mcp::McpClient;
/// use chatcore_adapters::transport::Http1Transport;
///
/// let executor = Arc::new(SmolExecutor::new());
/// let http = Http1Transport::new(executor.clone());
/// let client = McpClient::http(executor, http, "http://localhost:3001/mcp")
///     .request_timeout(Duration::from_secs(300))
///     .on_notification(|method, params| println!("{method}: {params}"))
///     .build()?;
/// # Ok::<(), chatcore_adapters::mcp::McpError>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct McpClientBuilder {
    executor: Arc<dyn Executor>,
    way: Way,
    bearer: Option<ApiKey>,
    credentials: Option<Arc<dyn Credentials>>,
    headers: Vec<(String, String)>,
    allows_http: bool,
    limits: Limits,
    listener: Listener,
    version: Option<String>,
    client_info: Value,
}

type Output = Box<dyn AsyncRead + Send + Unpin>;
type Input = Box<dyn AsyncWrite + Send + Unpin>;

/// How the server is reached.
enum Way {
    Http {
        transport: Arc<dyn Transport>,
        url: String,
    },
    #[cfg(feature = "mcp-stdio")]
    Stdio(super::McpCommand),
    Streams(Output, Input),
}

impl McpClientBuilder {
    fn new(executor: Arc<dyn Executor>, way: Way) -> Self {
        Self {
            executor,
            way,
            bearer: None,
            credentials: None,
            headers: Vec::new(),
            allows_http: false,
            limits: Limits::default(),
            listener: Listener::default(),
            version: None,
            client_info: json!({"name": "chatcore", "version": env!("CARGO_PKG_VERSION")}),
        }
    }

    pub(super) fn http(
        executor: Arc<dyn Executor>,
        transport: Arc<dyn Transport>,
        url: String,
    ) -> Self {
        Self::new(executor, Way::Http { transport, url })
    }

    #[cfg(feature = "mcp-stdio")]
    pub(super) fn stdio(executor: Arc<dyn Executor>, command: super::McpCommand) -> Self {
        Self::new(executor, Way::Stdio(command))
    }

    pub(super) fn streams(executor: Arc<dyn Executor>, output: Output, input: Input) -> Self {
        Self::new(executor, Way::Streams(output, input))
    }

    /// Sends a token with each request over HTTP, as `Authorization: Bearer …`.
    pub fn bearer(mut self, token: impl Into<ApiKey>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// Sends credentials that can change, such as a [`TokenSource`](chatcore::TokenSource), with
    /// each request over HTTP. After a 401 they are renewed, and the request is sent once more.
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Adds a header to each request over HTTP. Its value counts as a secret: errors do not show
    /// it, if it has 8 characters or more. Headers of the protocol cannot be replaced.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Allows credentials and own headers over `http` to another machine, where others can read
    /// them.
    pub fn allow_http(mut self) -> Self {
        self.allows_http = true;
        self
    }

    /// The time limit of one request, with the connection and the session that it may need, and of
    /// the list of tools with all its pages: 60 seconds by default, as in the official SDKs.
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.limits.request = limit;
        self
    }

    /// The time limit of a handshake, with the start of a server's program: 30 seconds by default.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.limits.connect = limit;
        self
    }

    /// The maximum number of bytes of one answer, with the notifications that come before it, and of
    /// all pages of the list of tools together: 16 MiB by default.
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.limits.answer = bytes;
        self
    }

    /// The maximum number of tools in the server's list: 1,000 by default.
    pub fn max_tools(mut self, tools: usize) -> Self {
        self.limits.tools = tools;
        self
    }

    /// Reports the server's notifications: `notifications/progress`, `notifications/message` (a
    /// log), `notifications/tools/list_changed` and others, each with its method and its `params`.
    /// By default they are ignored, and no progress is asked for.
    ///
    /// The function runs where the stream is read, so it must not block. A panic of it ends there.
    pub fn on_notification(
        mut self,
        listen: impl Fn(&str, &Value) + Send + Sync + 'static,
    ) -> Self {
        self.listener = Listener::new(listen);
        self
    }

    /// Speaks this revision of the protocol, such as `2025-06-18`, and does not ask the server for
    /// its versions. A server before 2026-07-28 may choose an older one.
    pub fn protocol_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The name and version of the program, which the server sees: by default those of chatcore.
    pub fn client_info(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.client_info = json!({"name": name.into(), "version": version.into()});
        self
    }

    /// Makes the client. Nothing is sent and no program is started yet.
    ///
    /// # Errors
    /// [`Config`](McpErrorKind::Config) for a URL, a token, a header or a version that cannot be
    /// used.
    pub fn build(self) -> Result<McpClient, McpError> {
        let version = match &self.version {
            None => None,
            Some(name) => Some(Version::of(name).ok_or_else(|| {
                config(format!(
                    "{name:?} is no version of MCP that chatcore speaks: {}",
                    names()
                ))
            })?),
        };
        let wants_progress = self.listener.is_set();
        let (executor, limits) = (Arc::clone(&self.executor), self.limits);
        let client_info = self.client_info.clone();
        let channel: Arc<dyn Channel> = self.channel()?;
        Ok(McpClient {
            peer: Arc::new(Peer {
                executor,
                channel,
                limits,
                client_info,
                wants_progress,
                agreed: async_lock::Mutex::new(Agreed {
                    session: None,
                    version,
                }),
                param_headers: Mutex::new(HashMap::new()),
                last_id: AtomicU64::new(0),
                is_closed: AtomicBool::new(false),
            }),
        })
    }

    fn channel(self) -> Result<Arc<dyn Channel>, McpError> {
        let has_credentials =
            self.bearer.is_some() || self.credentials.is_some() || !self.headers.is_empty();
        let (transport, url) = match self.way {
            Way::Http { transport, url } => (transport, url),
            _ if has_credentials => {
                return Err(config(
                    "headers and tokens are for servers over HTTP; give a program its secrets in \
                     its environment",
                ));
            }
            #[cfg(feature = "mcp-stdio")]
            Way::Stdio(command) => {
                return Ok(Arc::new(super::stdio::Stdio::new(
                    self.executor,
                    command,
                    self.limits,
                    self.listener,
                )));
            }
            Way::Streams(output, input) => {
                return Ok(Arc::new(Streams::start(
                    self.executor,
                    output,
                    input,
                    self.limits,
                    self.listener,
                )));
            }
        };
        let url = checked(&url, self.allows_http || !has_credentials)?;
        let mut secrets = Secrets::new();
        transport.tell_secrets(&mut secrets);
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let header = HeaderName::try_from(name)
                .map_err(|_| config(format!("{name:?} is not the name of a header")))?;
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| config(format!("the value of the header {name} cannot be sent")))?;
            value.set_sensitive(true);
            secrets.add(value.to_str().unwrap_or(""));
            headers.append(header, value);
        }
        if let Some(token) = &self.bearer {
            if token.is_empty() {
                return Err(config("the bearer token is empty"));
            }
            let value = token.header("Bearer ").map_err(|error| {
                let why = error.message().replace("API key", "bearer token");
                config(why)
            })?;
            secrets.add(value.to_str().unwrap_or(""));
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Arc::new(Http::new(Inner {
            executor: self.executor,
            transport,
            url,
            headers,
            credentials: self.credentials,
            secrets,
            limits: self.limits,
            listener: self.listener,
        })))
    }
}

/// Reads a URL. Errors do not show it, because its query may contain a key.
fn checked(url: &str, may_be_open: bool) -> Result<Uri, McpError> {
    let uri: Uri = url
        .trim()
        .parse()
        .map_err(|_| config("the server's address is not a URL"))?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_http {
        return Err(config(
            "the server's URL begins neither with https:// nor with http://",
        ));
    }
    if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
        return Err(config(
            "the server's URL has a user name or password in it; use .header(…) or .bearer(…)",
        ));
    }
    let target = Target::of(&uri).map_err(|error| config(error.to_string()))?;
    if !target.tls && !target.host.is_loopback() && !may_be_open {
        return Err(config(
            "the token or the headers would be sent over http to another machine, where others \
             can read them; use https, or .allow_http()",
        ));
    }
    Ok(uri)
}

fn config(message: impl Into<String>) -> McpError {
    McpError::new(McpErrorKind::Config, message)
}

impl fmt::Debug for McpClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpClientBuilder")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

//! Finds the revision of the protocol that both sides speak, and begins a session.
//!
//! ```text
//!  server/discover ─► its versions ───────────────────────────► no session is needed
//!        │ -32022, with its versions ─► the newest common one ─┐
//!        │ any other refusal: the server is older              │
//!        └────────────────► initialize ◄───────────────────────┘
//!                           notifications/initialized ─────────► session
//! ```

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channel::{Answer, Ask, ServerInfo, Session};
use super::error::{McpError, McpErrorKind};
use super::headers::standard_headers;
use super::limit::within;
use super::message::{notification, request};
use super::peer::Peer;
use super::version::{NEWEST, NEWEST_WITH_HANDSHAKE, Version, names};

/// The server does not speak the version of the request.
const UNSUPPORTED_VERSION: i64 = -32022;
/// Codes that only servers since 2026-07-28 use.
const MODERN: std::ops::RangeInclusive<i64> = -32022..=-32020;

/// The most characters of a server's name and version that are kept.
const NAME: usize = 200;
/// The most characters of a server's instructions that are kept.
const INSTRUCTIONS: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discovered {
    supported_versions: Vec<String>,
    #[serde(default)]
    capabilities: Map<String, Value>,
    #[serde(default, rename = "_meta")]
    meta: Map<String, Value>,
    #[serde(default)]
    instructions: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialized {
    protocol_version: String,
    #[serde(default)]
    capabilities: Map<String, Value>,
    #[serde(default)]
    server_info: Value,
    #[serde(default)]
    instructions: Option<String>,
}

#[derive(Deserialize)]
struct Supported {
    supported: Vec<String>,
}

impl Peer {
    /// Begins a session. `known` is the version of the last one.
    pub(super) async fn negotiate(&self, known: Option<Version>) -> Result<Session, McpError> {
        match known {
            Some(version) if version.is_stateless => self.discover(version).await,
            Some(version) => self.initialize(version).await,
            None => self.probe().await,
        }
    }

    async fn probe(&self) -> Result<Session, McpError> {
        let discovery = self.discover(NEWEST);
        let discovered = match self.channel.probe_limit() {
            Some(limit) => within(&*self.executor, limit, discovery).await,
            None => Some(discovery.await),
        };
        let Some(discovered) = discovered else {
            // An old server may say nothing, and a new one may start slowly.
            return match self.initialize(NEWEST_WITH_HANDSHAKE).await {
                Err(error) if error.kind() == McpErrorKind::Rpc => self.discover(NEWEST).await,
                other => other,
            };
        };
        match discovered {
            Ok(session) => Ok(session),
            Err(error) if error.kind() == McpErrorKind::Unsupported => Err(error),
            Err(error) if error.code() == Some(UNSUPPORTED_VERSION) => {
                self.initialize(common(&error)?).await
            }
            Err(error) if error.code().is_some_and(|code| MODERN.contains(&code)) => Err(error),
            Err(error) if means_older(&error) => self.initialize(NEWEST_WITH_HANDSHAKE).await,
            Err(error) => match error.kind() {
                // Some programs end at a request that they do not know.
                McpErrorKind::Interrupted | McpErrorKind::Connection
                    if self.channel.restore().await? =>
                {
                    self.initialize(NEWEST_WITH_HANDSHAKE).await
                }
                _ => Err(error),
            },
        }
    }

    /// Asks a server since 2026-07-28 for its versions.
    async fn discover(&self, version: Version) -> Result<Session, McpError> {
        let params = self.params(version, Map::new(), None);
        let answer = self.ask(version, "server/discover", params).await?;
        let discovered: Discovered = read(&answer, "server/discover")?;
        let names = discovered.supported_versions.iter().map(String::as_str);
        let version = match Version::among(names) {
            Some(version) if version.is_stateless => version,
            Some(version) => return self.initialize(version).await,
            None => return Err(nothing_common(&discovered.supported_versions)),
        };
        let info = discovered
            .meta
            .get("io.modelcontextprotocol/serverInfo")
            .unwrap_or(&Value::Null);
        Ok(Session {
            version,
            id: None,
            server: server(info, &discovered.capabilities, discovered.instructions),
        })
    }

    /// Begins a session with a server before 2026-07-28.
    async fn initialize(&self, version: Version) -> Result<Session, McpError> {
        let mut params = Map::new();
        params.insert("protocolVersion".to_owned(), version.name.into());
        params.insert("capabilities".to_owned(), json!({}));
        params.insert("clientInfo".to_owned(), self.client_info.clone());
        let answer = self.ask(version, "initialize", params).await?;
        let initialized: Initialized = read(&answer, "initialize")?;
        let version = match Version::of(&initialized.protocol_version) {
            Some(version) if !version.is_stateless => version,
            _ => return Err(nothing_common(&[initialized.protocol_version])),
        };
        let session = Session {
            version,
            id: answer.session,
            server: server(
                &initialized.server_info,
                &initialized.capabilities,
                initialized.instructions,
            ),
        };
        let message = notification("notifications/initialized", Map::new());
        self.channel.notify(&session, message).await?;
        Ok(session)
    }

    async fn ask(
        &self,
        version: Version,
        method: &str,
        params: Map<String, Value>,
    ) -> Result<Answer, McpError> {
        let id = self.next_id();
        let ask = Ask {
            id,
            message: request(id, method, params),
            version,
            session: None,
            headers: standard_headers(version, method, None),
            // The specification forbids it for the handshake.
            is_cancellable: false,
        };
        self.channel.request(&ask).await
    }
}

fn read<'a, T: Deserialize<'a>>(answer: &'a Answer, method: &str) -> Result<T, McpError> {
    serde_json::from_str(answer.result.get()).map_err(|error| {
        McpError::protocol(format!("the server's answer to {method} cannot be read"))
            .with_source(error)
    })
}

/// Whether a refusal of `server/discover` may come from a server that is older than the method.
fn means_older(error: &McpError) -> bool {
    match error.kind() {
        McpErrorKind::Rpc | McpErrorKind::Protocol => true,
        McpErrorKind::Status => error.status().is_some_and(|status| {
            let code = status.as_u16();
            status.is_client_error() && ![407, 408, 429].contains(&code)
                || [500, 501].contains(&code)
        }),
        _ => false,
    }
}

/// The newest common version, from the error of a server that names its own.
fn common(error: &McpError) -> Result<Version, McpError> {
    let named = error.data().map(Supported::deserialize);
    let supported = named.and_then(Result::ok).map(|it| it.supported);
    let supported = supported.unwrap_or_default();
    // The version that was refused is not among them.
    let common = Version::among(supported.iter().map(String::as_str));
    let common = common.filter(|version| !version.is_stateless);
    common.ok_or_else(|| nothing_common(&supported))
}

fn nothing_common(theirs: &[String]) -> McpError {
    let theirs: Vec<String> = theirs
        .iter()
        .take(20)
        .map(|name| name.chars().take(40).collect())
        .collect();
    McpError::new(
        McpErrorKind::Unsupported,
        format!(
            "the server speaks the MCP versions {theirs:?}, and this client {}",
            names()
        ),
    )
}

fn server(
    info: &Value,
    capabilities: &Map<String, Value>,
    instructions: Option<String>,
) -> ServerInfo {
    let text = |name: &str| {
        let text = info.get(name).and_then(Value::as_str).unwrap_or("");
        text.chars().take(NAME).collect()
    };
    ServerInfo {
        name: text("name"),
        version: text("version"),
        instructions: instructions.map(|text| text.chars().take(INSTRUCTIONS).collect()),
        has_tools: capabilities.contains_key("tools"),
    }
}

//! The client of one server.

use std::fmt;
use std::sync::Arc;

use chatcore::Executor;
use serde_json::Value;

use super::builder::McpClientBuilder;
use super::content::McpResult;
use super::error::McpError;
use super::list::McpToolList;
use super::peer::Peer;

/// A client of one MCP server.
///
/// It connects when it is first used, so that making one sends nothing. Cloning is cheap; clones
/// share the connection and the session. When the last clone and the last tool made from it are
/// dropped, the session is ended in the background and a server's program is ended.
///
/// A session that the server has lost is begun again, once for each request. A server's program
/// that has ended is started again by the next request. Requests are not repeated otherwise: a tool
/// may have run even if its answer was lost ([`Interrupted`](super::McpErrorKind::Interrupted)).
///
/// Every future may be dropped. A server is then told that the answer is not wanted.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use chatcore::serde_json::json;
/// use chatcore_adapters::executor::SmolExecutor;
/// use chatcore_adapters::mcp::McpClient;
/// use chatcore_adapters::transport::Http1Transport;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let executor = Arc::new(SmolExecutor::new());
/// let http = Http1Transport::new(executor.clone());
/// let client = McpClient::http(executor, http, "https://mcp.example.com/mcp")
///     .bearer("token")
///     .build()?;
/// for tool in client.list_tools().await?.tools {
///     println!("{}: {}", tool.name, tool.description.unwrap_or_default());
/// }
/// let result = client.call_tool("add", json!({"a": 2, "b": 3})).await?;
/// println!("{}", result.text());
/// client.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct McpClient {
    pub(super) peer: Arc<Peer>,
}

impl McpClient {
    /// A client of the server at `url`, an MCP endpoint of streamable HTTP. Requests go through
    /// `transport`; time and background tasks come from `executor`.
    pub fn http(
        executor: Arc<dyn Executor>,
        transport: impl chatcore::Transport,
        url: impl Into<String>,
    ) -> McpClientBuilder {
        McpClientBuilder::http(executor, Arc::new(transport), url.into())
    }

    /// A client of a server which is a local program. It is started when the client is first used.
    /// Two tasks on `executor` carry its input and output, and one keeps the end of its standard
    /// error.
    #[cfg(feature = "mcp-stdio")]
    pub fn stdio(executor: Arc<dyn Executor>, command: super::McpCommand) -> McpClientBuilder {
        McpClientBuilder::stdio(executor, command)
    }

    /// A client of a server at the other end of two byte streams with one message a line, for
    /// example of a Unix socket: `output` is what the server writes, `input` what it reads. Two
    /// tasks on `executor` carry them, and begin when the client is built.
    pub fn streams(
        executor: Arc<dyn Executor>,
        output: impl futures_lite::AsyncRead + Send + Unpin + 'static,
        input: impl futures_lite::AsyncWrite + Send + Unpin + 'static,
    ) -> McpClientBuilder {
        McpClientBuilder::streams(executor, Box::new(output), Box::new(input))
    }

    /// Connects, unless the client is connected already, and returns what the server says of
    /// itself.
    ///
    /// # Errors
    /// See [`McpErrorKind`](super::McpErrorKind).
    pub async fn connect(&self) -> Result<McpServerInfo, McpError> {
        let session = self.peer.session().await?;
        Ok(McpServerInfo {
            name: session.server.name.clone(),
            version: session.server.version.clone(),
            instructions: session.server.instructions.clone(),
            protocol_version: session.version.name.to_owned(),
        })
    }

    /// The server's tools as the server describes them, from all pages of its list.
    ///
    /// A server without tools has an empty list. Tools with a definition that is not valid are
    /// listed apart.
    ///
    /// # Errors
    /// See [`McpErrorKind`](super::McpErrorKind). [`TooLarge`](super::McpErrorKind::TooLarge) for a
    /// list with more tools than [`max_tools`](McpClientBuilder::max_tools) or without an end.
    pub async fn list_tools(&self) -> Result<McpToolList, McpError> {
        self.peer.list_tools().await
    }

    /// Calls the tool `name`, by the server's name, with `arguments`, an object. `null` counts as an
    /// object without fields.
    ///
    /// A tool that failed is a result with [`is_error`](McpResult::is_error).
    ///
    /// # Errors
    /// See [`McpErrorKind`](super::McpErrorKind).
    pub async fn call_tool(&self, name: &str, arguments: Value) -> Result<McpResult, McpError> {
        self.peer.call_tool(name, arguments).await
    }

    /// Ends the session, and the server's program with all that it has started: they get SIGTERM if
    /// they have not ended after one second, and are killed after two. Later requests fail with [`Closed`](super::McpErrorKind::Closed). Requests that wait
    /// fail when the program or the stream ends; over HTTP they go on.
    ///
    /// Dropping the future leaves the rest to the background.
    pub async fn close(&self) {
        self.peer.close().await;
    }
}

impl fmt::Debug for McpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpClient")
            .field("channel", &self.peer.channel)
            .finish_non_exhaustive()
    }
}

/// What a server says of itself. Nobody has verified it.
///
/// ```
/// # async fn example(client: chatcore_adapters::mcp::McpClient) -> Result<(), chatcore_adapters::mcp::McpError> {
/// let server = client.connect().await?;
/// println!("{} {}, MCP {}", server.name, server.version, server.protocol_version);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpServerInfo {
    /// Its name. Empty if it has none.
    pub name: String,
    /// The version of its program. Empty if it has none.
    pub version: String,
    /// How to use the server, written for a model. Add it to the system prompt if you trust the
    /// server.
    pub instructions: Option<String>,
    /// The revision of the protocol that is spoken with it.
    pub protocol_version: String,
}

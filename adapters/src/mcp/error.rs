//! Why a request to an MCP server failed.

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

/// The most characters of a message that are shown, because a server may send any number.
const SHOWN: usize = 2000;

/// The kind of an [`McpError`].
///
/// ```
/// use chatcore_adapters::mcp::McpErrorKind;
///
/// assert!(!McpErrorKind::Interrupted.is_before_running());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum McpErrorKind {
    /// A setting is wrong: the URL, a header, the program. Nothing was sent.
    Config,
    /// The arguments are not a JSON object. Nothing was sent.
    InvalidInput,
    /// The server does not accept the token (401), or not for this request (403).
    Auth,
    /// The server answered with a JSON-RPC error: [`McpError::code`] says which one.
    Rpc,
    /// The server answered with an HTTP error and no JSON-RPC error: [`McpError::status`] says
    /// which one.
    Status,
    /// No connection was made, or the server's program did not start or has ended.
    Connection,
    /// The connection was lost before the result came, and the server cannot resume it. The tool
    /// may have run.
    Interrupted,
    /// The time limit of the request ran out. The server was told to stop, if that is possible.
    Timeout,
    /// The server does not know its own session, twice in a row.
    SessionLost,
    /// The answer does not match the protocol.
    Protocol,
    /// The answer, or the list of tools, is larger than the limit.
    TooLarge,
    /// The server and this client have no version of the protocol in common, or the server needs
    /// something that this client does not offer, such as a question to the user.
    Unsupported,
    /// The client is closed.
    Closed,
}

impl McpErrorKind {
    /// Whether an error of this kind means that the server cannot have run the request.
    pub fn is_before_running(self) -> bool {
        matches!(
            self,
            Self::Config | Self::InvalidInput | Self::Auth | Self::SessionLost | Self::Closed
        )
    }
}

/// Why a request to an MCP server failed. `Display` says what happened and what to do next, in one
/// line.
///
/// No form of it contains a token, the value of a header, or a variable of the server's program,
/// as far as the client knows them. The text of an error of a [tool](super::McpTool) is sent to the
/// model; what a program wrote to its standard error is only in [`stderr`](Self::stderr).
///
/// ```
/// # async fn example(client: chatcore_adapters::mcp::McpClient) {
/// use chatcore_adapters::mcp::McpErrorKind;
///
/// match client.tools().await {
///     Ok(tools) => println!("{} tools", tools.len()),
///     Err(error) if error.kind() == McpErrorKind::Auth => println!("log in first: {error}"),
///     Err(error) => println!("{error} (code {:?})", error.code()),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct McpError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: McpErrorKind,
    message: String,
    code: Option<i64>,
    data: Option<Value>,
    status: Option<StatusCode>,
    stderr: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl McpError {
    pub(super) fn new(kind: McpErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            code: None,
            data: None,
            status: None,
            stderr: None,
            source: None,
        }))
    }

    /// A JSON-RPC error of the server.
    pub(super) fn rpc(code: i64, message: String, data: Option<Value>) -> Self {
        let mut error = Self::new(McpErrorKind::Rpc, message);
        error.0.code = Some(code);
        error.0.data = data;
        error
    }

    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::new(McpErrorKind::Protocol, message)
    }

    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(super) fn with_kind(mut self, kind: McpErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Adds what was being done, before the message.
    pub(super) fn with_context(mut self, context: &str) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// Adds the cause, which must contain no secret.
    pub(super) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Adds the end of what the server's program wrote to its standard error.
    #[cfg(feature = "mcp-stdio")]
    pub(super) fn with_stderr(mut self, stderr: String) -> Self {
        self.0.stderr = Some(stderr).filter(|text| !text.is_empty());
        self
    }

    /// Changes the texts that came from the server.
    pub(super) fn edit(mut self, edit: impl Fn(&mut String)) -> Self {
        edit(&mut self.0.message);
        if let Some(stderr) = &mut self.0.stderr {
            edit(stderr);
        }
        if let Some(data) = self.0.data.take() {
            let mut text = data.to_string();
            let before = text.clone();
            edit(&mut text);
            self.0.data = match text == before {
                true => Some(data),
                // A text in which something was redacted may be JSON no more.
                false => Some(serde_json::from_str(&text).unwrap_or(Value::String(text))),
            };
        }
        self
    }

    /// The kind of the error.
    pub fn kind(&self) -> McpErrorKind {
        self.0.kind
    }

    /// What happened, without the advice that `Display` adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The code of the server's JSON-RPC error.
    pub fn code(&self) -> Option<i64> {
        self.0.code
    }

    /// The data of the server's JSON-RPC error.
    pub fn data(&self) -> Option<&Value> {
        self.0.data.as_ref()
    }

    /// The HTTP status, if it was not a success.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The end of what the server's program wrote to its standard error, at most 2 KiB, if the
    /// program has ended. Neither `Display` nor `Debug` shows it, so that no model reads it.
    ///
    /// It may contain secrets: only the values that `McpCommand::env` sets are removed from it, if
    /// they have 8 characters or more. Write it to a log that only people read.
    pub fn stderr(&self) -> Option<&str> {
        self.0.stderr.as_deref()
    }

    /// What to do next, where that is the same for all errors of the kind.
    fn advice(&self) -> Option<&'static str> {
        Some(match self.0.kind {
            McpErrorKind::Auth => {
                "set a token for this server with .bearer(…) or .credentials(…); chatcore does not \
                 run OAuth's flows"
            }
            McpErrorKind::Status if self.0.status.is_some_and(|it| it.is_redirection()) => {
                "redirects are not followed; give the address itself"
            }
            McpErrorKind::Status if self.0.status == Some(StatusCode::NOT_FOUND) => {
                "check the path of the URL, which often ends in /mcp"
            }
            McpErrorKind::Connection => "check the server's address, or its command",
            McpErrorKind::Interrupted => "the tool may have run; check before you call it again",
            McpErrorKind::Timeout => "raise the limit with .request_timeout(…)",
            McpErrorKind::TooLarge => "raise the limits with .max_answer(…) or .max_tools(…)",
            McpErrorKind::Closed => "create a new client",
            _ => return None,
        })
    }
}

impl fmt::Display for McpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, char) in self.0.message.chars().enumerate() {
            match char {
                _ if place == SHOWN => {
                    f.write_char('…')?;
                    break;
                }
                // They would break the line, reverse its direction or control a terminal.
                '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char(' ')?,
                char if char.is_control() => f.write_char(' ')?,
                char => f.write_char(char)?,
            }
        }
        match (self.0.code, self.0.status) {
            (Some(code), Some(status)) => write!(f, " (code {code}, HTTP {})", status.as_u16())?,
            (Some(code), None) => write!(f, " (code {code})")?,
            (None, Some(status)) => write!(f, " (HTTP {})", status.as_u16())?,
            (None, None) => {}
        }
        match self.advice() {
            Some(advice) => write!(f, ": {advice}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for McpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "McpError({:?}): {self}", self.0.kind)
    }
}

impl StdError for McpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

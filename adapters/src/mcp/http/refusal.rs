//! What an HTTP error means.

use chatcore::ByteStream;
use http::StatusCode;
use http::response::Parts;

use super::Inner;
use super::send::{asks_for_oauth, collect};
use crate::mcp::error::{McpError, McpErrorKind};
use crate::mcp::message::Incoming;

/// The most bytes of an error's body that are read.
const BODY: usize = 64 * 1024;
/// The most characters of a body without a JSON-RPC error that are shown.
const SHOWN: usize = 200;
/// What to check if nothing at the URL takes the request.
const WRONG_URL: &str = "; check that the URL is that of the MCP endpoint, often with the path \
                         /mcp, and that the server speaks streamable HTTP, because the older \
                         transport with an endpoint /sse is not spoken";

impl Inner {
    /// The error for a response with this head. `has_session` says whether the request named a
    /// session.
    pub(super) async fn refusal(
        &self,
        head: &Parts,
        body: ByteStream,
        has_session: bool,
    ) -> McpError {
        let status = head.status;
        let bytes = collect(body, BODY).await.unwrap_or_default();
        let rpc = match Incoming::read(&bytes) {
            Ok(Incoming::Response {
                outcome: Err(error),
                ..
            }) => Some(error),
            _ => None,
        };
        let error = match status {
            StatusCode::UNAUTHORIZED => {
                let how = match asks_for_oauth(&head.headers) {
                    true => ", and asks for a token of OAuth",
                    false => "",
                };
                McpError::new(
                    McpErrorKind::Auth,
                    format!("the server does not accept the credentials{how}"),
                )
            }
            StatusCode::FORBIDDEN => {
                McpError::new(McpErrorKind::Auth, "the server forbids the request")
            }
            _ if has_session && is_about_session(status, rpc.as_ref()) => McpError::new(
                McpErrorKind::SessionLost,
                "the server does not know the session any more",
            ),
            _ => match rpc {
                Some(error) => error,
                None => McpError::new(McpErrorKind::Status, plain(status, &bytes)),
            },
        };
        error.with_status(status)
    }
}

/// Whether a refusal means that the session is lost. The protocol says 404. Servers that were made
/// from the official SDK's examples answer 400 with a message about the session instead. In both
/// cases the request was not run.
fn is_about_session(status: StatusCode, rpc: Option<&McpError>) -> bool {
    let says_session = |error: &McpError| {
        error.code() == Some(-32000) && error.message().to_ascii_lowercase().contains("session")
    };
    match status {
        StatusCode::NOT_FOUND => true,
        StatusCode::BAD_REQUEST => rpc.is_some_and(says_session),
        _ => false,
    }
}

/// The message for an error without a JSON-RPC error.
fn plain(status: StatusCode, bytes: &[u8]) -> String {
    let reason = status.canonical_reason().unwrap_or("an error");
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    // A web page says nothing in its first characters.
    let shown: String = match text.is_empty() || text.starts_with('<') {
        true => String::new(),
        false => format!(": {}", text.chars().take(SHOWN).collect::<String>()),
    };
    let check = match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => WRONG_URL,
        _ => "",
    };
    format!("the server answered: {reason}{shown}{check}")
}

//! Calls a tool.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::content::McpResult;
use super::error::{McpError, McpErrorKind};
use super::peer::{Peer, Wish};

/// The headers do not repeat the message rightly.
const HEADER_MISMATCH: i64 = -32020;
/// The server needs a capability that the client has not.
const MISSING_CAPABILITY: i64 = -32021;

/// How often a server may ask for the same request again without asking for anything else.
const ROUNDS: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    #[serde(default)]
    result_type: Option<String>,
    #[serde(default)]
    input_requests: Map<String, Value>,
    #[serde(default)]
    request_state: Option<String>,
}

impl Peer {
    pub(super) async fn call_tool(
        &self,
        name: &str,
        arguments: Value,
    ) -> Result<McpResult, McpError> {
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            Value::Null => Map::new(),
            _ => {
                return Err(McpError::new(
                    McpErrorKind::InvalidInput,
                    format!("the arguments of the tool {name} are not a JSON object"),
                ));
            }
        };
        match self.rounds(name, &arguments).await {
            // The tool's schema has changed, or was never asked for.
            Err(error) if error.code() == Some(HEADER_MISMATCH) => {
                self.list_tools().await?;
                self.rounds(name, &arguments).await
            }
            other => other,
        }
        .map_err(|error| match error.code() {
            Some(MISSING_CAPABILITY) => error.with_kind(McpErrorKind::Unsupported),
            _ => error,
        })
    }

    /// Repeats the request as long as the server only wants it again with its own note.
    async fn rounds(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<McpResult, McpError> {
        let headers = self.param_headers(name);
        let headers = headers.iter().flat_map(|headers| headers.iter());
        let mut params = Map::new();
        params.insert("name".to_owned(), name.into());
        params.insert("arguments".to_owned(), arguments.clone().into());
        let mut wish = Wish {
            method: "tools/call",
            params,
            name: Some(name),
            headers: headers.filter_map(|header| header.of(arguments)).collect(),
        };
        for _ in 0..ROUNDS {
            let result = self.request(&wish).await?;
            let kind: Kind = serde_json::from_str(result.get()).map_err(|error| {
                McpError::protocol("the server's result cannot be read").with_source(error)
            })?;
            match kind.result_type.as_deref() {
                None | Some("complete") => return McpResult::read(&result),
                Some("input_required") if kind.input_requests.is_empty() => {
                    match kind.request_state {
                        Some(state) => {
                            wish.params.insert("requestState".to_owned(), state.into());
                        }
                        None => break,
                    }
                }
                Some("input_required") => {
                    return Err(McpError::new(
                        McpErrorKind::Unsupported,
                        format!(
                            "the tool {name} asks for more input, which this client does not give"
                        ),
                    ));
                }
                Some(_) => {
                    return Err(McpError::new(
                        McpErrorKind::Unsupported,
                        format!("the tool {name} gave a result of an unknown type"),
                    ));
                }
            }
        }
        Err(McpError::protocol(format!(
            "the server wants the call of {name} again and again"
        )))
    }
}

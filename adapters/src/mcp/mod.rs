//! A client of MCP (Model Context Protocol) servers, whose tools a model may call.
//!
//! ```text
//!  McpClient ─► peer: session, requests ─► channel ─► HTTP, over any Transport
//!                 │                                ├► a local program (mcp-stdio)
//!                 │                                └► a pair of byte streams
//!                 └ negotiate: which revision of the protocol
//! ```
//!
//! [`McpClient::tools`] makes tools for a [`Toolbox`](chatcore::Toolbox) of what the server has.
//!
//! It speaks the revisions from 2024-11-05 to 2026-07-28, and finds out which one the server
//! speaks. It offers the server nothing in return: no sampling, no roots, no elicitation. A `ping`
//! of the server is answered, and its other requests are refused.
//!
//! The flows of OAuth are not run; give the client a token.

mod builder;
mod call;
mod channel;
mod client;
mod content;
mod error;
mod headers;
mod http;
mod limit;
mod list;
mod message;
mod negotiate;
mod peer;
mod schema;
#[cfg(feature = "mcp-stdio")]
mod stdio;
mod streams;
mod tools;
mod version;

pub use self::builder::McpClientBuilder;
pub use self::client::{McpClient, McpServerInfo};
pub use self::content::{McpContent, McpResult};
pub use self::error::{McpError, McpErrorKind};
pub use self::list::{McpAnnotations, McpRejected, McpToolInfo, McpToolList};
#[cfg(feature = "mcp-stdio")]
pub use self::stdio::McpCommand;
pub use self::tools::{McpTool, McpTools};

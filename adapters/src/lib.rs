//! Native executors and HTTP transports for [`chatcore`], one feature each, and functions that
//! create a client in one line.
//!
//! ```no_run
//! use chatcore_adapters::BlockingChat;
//!
//! # #[cfg(all(feature = "smol", feature = "http1"))]
//! # fn main() -> Result<(), chatcore::Error> {
//! let client = chatcore_adapters::from_env()?; // DEEPSEEK_API_KEY, or USE_MOCK_LLM=true with the feature `demo`
//! println!("{}", client.chat("Why is the sky blue?")?);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "smol", feature = "http1")))]
//! # fn main() {}
//! ```
//!
//! # Which pair
//!
//! | features | client | what runs |
//! |---|---|---|
//! | `smol`, `http1` (default) | `smol_client`, `from_env` | any number of chats on smol's reactor thread and its background thread |
//! | `threads`, `ureq` | `threads_client` | `LLM_ASYNC_WORKERS` threads with blocking calls, as the old Python client did |
//! | `surf` | your own | an unmaintained client, for applications that have it already |
//! | `demo` | `demo::DemoTransport` | nothing leaves the process |
//!
//! `smol_builder` and `threads_builder` build the same clients, for settings that have no
//! environment variable. Every executor works with every transport: pass both to
//! [`chatcore::LlmClient::builder`]. None of the default features depends on tokio.
//!
//! With the feature `websocket`, `transport::WebSocketTransport` speaks OpenAI's Responses API over
//! persistent sockets. With the feature `sigv4`, `credentials::SigV4` signs each attempt for AWS.
//! With `aws-event-stream`, `framing::aws_event_stream` splits the streams of Amazon Bedrock.
//!
//! With the feature `journal-files`, `journal::files::FilesJournal` keeps a batch in files, so that
//! it can be resumed after its process ends. With `postgres`, `journal::postgres::PostgresJournal`
//! keeps it in a database, for workers on many machines; `journal-memory` has a journal for tests.
//! With `provider-batches`, `journal::files::BatchFile` remembers the batches of a run through the
//! provider's Batch API, and the simulator has these APIs.
//!
//! With the feature `mcp`, `mcp::McpClient` makes tools of what an MCP server has, over HTTP; with
//! `mcp-stdio`, of a server that is a local program, too.
//!
//! # Blocking and async
//!
//! [`LlmClient`](chatcore::LlmClient) is async. [`BlockingChat`] adds the Python client's `chat`
//! and `chat_with_context`, [`BlockingCall`] waits for any chat call, and [`run_async_in_sync`]
//! waits for any future.

#![cfg_attr(docsrs, feature(doc_cfg))]
// `Debug` output of a value from outside may hold a secret, or control characters: see `Quoted`.
#![cfg_attr(not(test), warn(clippy::use_debug))]

#[cfg(feature = "answers")]
pub mod answers;
mod blocking;
#[cfg(any(
    all(feature = "smol", feature = "http1"),
    all(feature = "threads", feature = "ureq")
))]
mod client;
#[cfg(feature = "sigv4")]
pub mod credentials;
#[cfg(feature = "demo")]
pub mod demo;
pub mod executor;
#[cfg(feature = "aws-event-stream")]
pub mod framing;
#[cfg(any(
    feature = "journal-files",
    feature = "journal-memory",
    feature = "postgres"
))]
pub mod journal;
#[cfg(feature = "mcp")]
pub mod mcp;
#[cfg(feature = "sim")]
pub mod sim;
pub mod transport;

pub use blocking::{BlockingCall, BlockingChat, BlockingEvents, run_async_in_sync};
#[cfg(all(feature = "smol", feature = "http1"))]
pub use client::{from_env, smol_builder, smol_client};
#[cfg(all(feature = "threads", feature = "ureq"))]
pub use client::{threads_builder, threads_client};

/// Compiles every Rust snippet of docs/providers.md.
#[cfg(all(doctest, feature = "sigv4", feature = "aws-event-stream"))]
#[doc = include_str!("../../docs/providers.md")]
mod docs_providers {}

/// Compiles every Rust snippet of docs/proxies.md.
#[cfg(all(doctest, feature = "smol", feature = "http1"))]
#[doc = include_str!("../../docs/proxies.md")]
mod docs_proxies {}

/// Compiles every Rust snippet of docs/mcp.md.
#[cfg(all(doctest, feature = "mcp-stdio", feature = "smol", feature = "http1"))]
#[doc = include_str!("../../docs/mcp.md")]
mod docs_mcp {}

/// Compiles every Rust snippet of docs/batches.md.
#[cfg(all(
    doctest,
    feature = "journal-files",
    feature = "smol",
    feature = "http1"
))]
#[doc = include_str!("../../docs/batches.md")]
mod docs_batches {}

/// Compiles every Rust snippet of docs/fleet.md.
#[cfg(all(doctest, feature = "postgres", feature = "smol", feature = "http1"))]
#[doc = include_str!("../../docs/fleet.md")]
mod docs_fleet {}

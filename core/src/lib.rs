//! One LLM chat client whose core runs on any executor.
//!
//! A prompt passes through four layers, and its answer comes back through the same four. Each layer
//! depends only on the one below it.
//!
//! ```text
//!  prompt ─► client ──► pipeline ───────► transport ──► the network
//!            what is    when and how      how bytes
//!            asked      often it runs     travel
//!               │            │                │
//!               └── dialect: how it is spoken (pure: bytes in, events out)
//!  answer ◄─ client ◄── pipeline ◄─────── transport
//! ```
//!
//! The core opens no socket, starts no thread and reads no clock. It uses an [`Executor`] for
//! tasks, sleep and time, and a [`Transport`] to send requests. The crate `chatcore-adapters` has
//! both for native programs; the npm package `chatcore` has both for browsers; an executor for your
//! own event loop takes under 60 lines.
//!
//! # A first chat
//!
//! ```
//! # use std::sync::Arc;
//! # use chatcore::{Executor, Transport};
//! use chatcore::{Config, LlmClient};
//!
//! # async fn example(executor: Arc<dyn Executor>, transport: Arc<dyn Transport>) -> Result<(), chatcore::Error> {
//! let client = LlmClient::builder(executor, transport)
//!     .config(Config::from_env()?) // DEEPSEEK_API_KEY, or see `SETTINGS`
//!     .build()?;
//! println!("{}", client.ask("你好").await?);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | you want to | see |
//! |---|---|
//! | ask a question, stream an answer, continue a conversation | [`LlmClient`], [`ChatCall`], [`ChatStream`] |
//! | read answers or tool arguments into Rust types | `ChatCall::json`, `JsonCall`, `JsonStream`, `Tool::of`; the features `schema` and `typed` |
//! | let a model call functions of the program | `Toolbox`, `FunctionTool`, `ToolLoop`; the feature `typed` |
//! | compute embeddings | [`EmbedCall`], [`EmbedRequest`], [`Embeddings`] |
//! | list a provider's models | [`LlmClient::models`], [`ModelInfo`] |
//! | choose or describe a provider | [`Provider`], [`dialect`] |
//! | read settings from the environment | [`Config`], [`AsyncConfig`], [`SETTINGS`] |
//! | look up what a model costs | [`Provider::price`], [`MODEL_PRICES`] |
//! | look up or set the rules of a model | [`MODEL_RULES`], [`Defaults`], [`Provider::with_model_rules`] |
//! | handle errors | [`Error`], [`ErrorKind`], [`Phase`] |
//! | run many calls at once | [`BatchProcessor`], [`gather_with_limit`], [`WhenFull`], [`Status`] |
//! | run a batch that can be resumed | [`BatchProcessor::process_journal`], [`journal`] |
//! | run a batch through the provider's Batch API, at half the price | `provider_batch`, with the feature `provider-batches` |
//! | set rate limits, retries and hedging | [`RateLimits`], [`RetryPolicy`], [`Adaptive`], [`Hedging`] |
//! | observe every call | [`Observer`]; the feature `tracing` |
//! | embed the core in your own runtime | [`Executor`], [`Transport`] |
//!
//! # Features
//!
//! Each dialect other than OpenAI's chat completions has a feature, which includes the providers
//! that use it: `anthropic`, `gemini`, `ollama`, and `openai-responses` (which includes the
//! providers `openai` and `azure`). All are on by default; leave out the ones you do not need to
//! make a program smaller.
//!
//! Each of them includes the feature `jobs`: [`LlmClient::embed`] and [`LlmClient::models`]. A
//! program that only chats, with providers that use chat completions, can leave out both
//! (`default-features = false`).
//!
//! `limits` is on by default: rate limits, an adaptive limit on the requests in flight, hedging, and
//! [`RateLimiter`]. Without it the number of workers is a client's only limit.
//!
//! `typed` is off by default, and adds typed answers and arguments: `ChatCall::json_schema`,
//! `ToolCall::arguments`, `JsonStream`, `PartialJson`; and tools that run, `Toolbox`. It adds one crate to the tree,
//! `serde_path_to_error`. `schema` adds to it the schemas of Rust types, `ChatCall::json` and
//! `Tool::of`, and six more crates: `schemars`, `dyn-clone` and `ref-cast`, which are linked, and
//! `schemars_derive`, `serde_derive_internals` and `ref-cast-impl`, which only run at compile time
//! (`cargo tree -e normal -p chatcore --features schema`).
//!
//! `sources` is on by default: [`ModelRule::source`](models::ModelRule::source) and
//! [`ModelRule::date`](models::ModelRule::date) of the table [`MODEL_RULES`]. No call needs them.
//!
//! `provider-batches` is off by default. It adds `LlmClient::provider_batches` and the module
//! `provider_batch`: the Batch APIs of OpenAI, Anthropic and Gemini, and runs that survive a restart.
//!
//! `tracing` is off by default. It opens one span for each call, including all its attempts, as a
//! child of the span that is current when the call is first polled. The span's fields have the
//! names of OpenTelemetry's GenAI conventions (`gen_ai.request.model`, `gen_ai.usage.input_tokens`,
//! `error.type` with the value of [`ErrorKind::as_str`], and so on), so a layer such as
//! `tracing-opentelemetry` can export them unchanged. A span never contains prompts, answers or
//! keys.
//!
//! The public API uses types of only these other crates: `bytes`, `http`, `futures_core`, `serde`
//! and `serde_json`. All but `serde` are re-exported here, and so is the macro of `async_trait`,
//! with which [`Transport`] and [`Credentials`] are implemented. A crate that uses the re-exports
//! does not need these dependencies itself.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::use_debug, reason = "tests show values"))]

// The Ollama dialect refers to this crate by name, as an external dialect does: see
// `tests/stranger`.
#[cfg(feature = "ollama")]
extern crate self as chatcore;

mod admission;
mod batch;
mod catalogue;
pub mod chat;
mod client;
mod config;
mod credentials;
pub mod dialect;
mod embed;
mod error;
mod executor;
pub mod frame;
mod head;
mod helpers;
mod host;
pub mod journal;
// Public for the wasm crate and the benchmarks only. Not part of the API: it may change in any
// version. The parts that dialects need are in `dialect::kit`.
#[doc(hidden)]
pub mod json;
pub mod models;
mod observe;
mod phrase;
mod pipeline;
mod policy;
mod provider;
#[cfg(feature = "provider-batches")]
pub mod provider_batch;
mod quote;
#[cfg(any(feature = "anthropic", feature = "typed"))]
mod schema;
mod secrets;
mod status;
#[cfg(test)]
mod testing;
mod time;
#[cfg(feature = "typed")]
mod toolbox;
mod transport;
#[cfg(feature = "typed")]
mod typed;
mod unquote;
mod words;

pub use admission::queue::WhenFull;
#[cfg(feature = "limits")]
pub use admission::shared::{LimitAmount, LimitBlock, SharedLimits};
/// The macro for implementing [`Transport`] and [`Credentials`].
pub use async_trait::async_trait;
pub use batch::{BatchProcessor, BatchResults, Closing, Finished, JournalRun, Progress};
/// The crate whose `Bytes` are used for the bodies of requests and responses.
pub use bytes;
pub use catalogue::ModelInfo;
pub use chat::{
    ChatEvent, ChatRequest, ChatResponse, FinishReason, Fold, Message, Part, Role, Tool, ToolCall,
    ToolChoice, Usage,
};
#[cfg(feature = "jobs")]
pub use client::EmbedCall;
pub use client::{Answer, Backend, ChatCall, ChatFuture, ChatStream, LlmClient, LlmClientBuilder};
pub use config::{AsyncConfig, Config, SETTINGS, Setting, SettingKind};
pub use credentials::{ApiKey, Credentials, Token, TokenSource};
pub use dialect::{Caps, Decoder, Dialect, Endpoint, Mode};
pub use embed::{EmbedRequest, Embeddings};
pub use error::{Error, ErrorKind, Phase};
pub use executor::{BoxFuture, Executor};
/// The trait that [`ChatStream`], [`BatchResults`] and [`ByteStream`] implement.
pub use futures_core::Stream;
pub use head::ResponseHead;
#[cfg(feature = "limits")]
pub use helpers::RateLimiter;
pub use helpers::{DEFAULT_GATHER_LIMIT, gather_with_limit, run_with_timeout};
pub use host::{Host, HostError, Target};
/// The crate whose requests, responses and headers [`Transport`] and [`Dialect`] use.
pub use http;
pub use journal::Journal;
pub use models::{LongPrice, MODEL_PRICES, MODEL_RULES, ModelPrice, ModelRule};
pub use observe::{CallEvent, CallInfo, Observer, Operation};
pub use pipeline::{Call, JobCall};
#[cfg(feature = "limits")]
pub use policy::adaptive::Adaptive;
pub use policy::defaults::Defaults;
pub use policy::estimate::estimate_tokens;
#[cfg(feature = "limits")]
pub use policy::hedge::Hedging;
#[cfg(feature = "limits")]
pub use policy::rate::RateLimits;
pub use policy::retry::RetryPolicy;
pub use policy::timeouts::Timeouts;
pub use provider::{KEY_FORMS, KNOWN_PROVIDERS, KeyForm, KnownProvider, Provider};
/// The crate whose `JsonSchema` the types of typed answers derive.
#[cfg(feature = "schema")]
pub use schemars;
pub use secrets::{RecentSecrets, Secrets};
/// The crate whose `Value` and `json!` are used for the parameters of a [`Tool`].
pub use serde_json;
pub use status::Status;
pub use time::Instant;
#[cfg(feature = "typed")]
pub use toolbox::{
    Approval, DEFAULT_MAX_RESULT, DEFAULT_MAX_TURNS, DEFAULT_TOOL_CONCURRENCY,
    DEFAULT_TOOL_TIMEOUT, FunctionTool, IntoToolOutput, JsonToolLoop, JsonToolLoopAnswer,
    JsonToolLoopStream, RunnableTool, ToolContext, ToolError, ToolLoop, ToolLoopAnswer,
    ToolLoopEvent, ToolLoopLimit, ToolLoopStream, ToolOutput, Toolbox, UnfinishedLoop,
};
pub use transport::{ByteStream, ConnectTimeout, Transport, TransportError, TransportErrorKind};
#[cfg(feature = "typed")]
#[doc(hidden)]
pub use typed::{AnswerJson, AnswerSchema};
#[cfg(feature = "typed")]
pub use typed::{JsonAnswer, JsonCall, JsonStream, Mismatch, PartialJson};

//! A front for the protocol of OpenAI's Responses: `/v1/responses`.
//!
//! ```text
//!  JSON ─► request, items ─► ChatRequest ─► queue, limits, retries ─► any provider
//!  JSON ◄─ answer, events ◄─ ChatResponse, ChatEvents ◄─────────────────┘
//! ```
//!
//! The server stores no answers: each request contains the whole conversation. Data that a dialect
//! needs back, this one included, is written into its item under the dialect's name and returns
//! with the item. So a provider that speaks Responses gets its own items back unchanged.

pub(crate) mod items;
pub(crate) mod request;

/// The dialect that this front speaks.
const DIALECT: &str = "openai_responses";

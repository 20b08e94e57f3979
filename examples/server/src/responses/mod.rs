//! A front in the protocol of OpenAI's Responses: `/v1/responses`.
//!
//! ```text
//!  JSON ─► request, items ─► ChatRequest ─► queue, limits, retries ─► any provider
//!  JSON ◄─ answer, events ◄─ ChatResponse, ChatEvents ◄─────────────────┘
//! ```
//!
//! The server keeps no answer: a request brings the whole conversation. What an answer keeps for a
//! dialect, this one included, stands in its item under that dialect's name, and comes back with the
//! item; so a provider that speaks Responses gets its own items back as they were.

pub(crate) mod answer;
pub(crate) mod events;
pub(crate) mod items;
pub(crate) mod request;

/// The dialect whose form this is.
const DIALECT: &str = "openai_responses";

//! The provider-independent model of requests and answers.

mod event;
mod finish;
mod fold;
mod media;
mod message;
mod part;
mod read;
mod request;
mod response;
mod tool;
mod usage;

pub use event::ChatEvent;
pub use finish::FinishReason;
pub use fold::Fold;
pub use media::{Audio, File, Image, MediaSource};
pub use message::{Message, Role};
pub use part::{Part, Reasoning, Refusal, Text};
pub use request::{ChatRequest, ReasoningEffort, ResponseFormat};
pub use response::ChatResponse;
pub use tool::{Tool, ToolCall, ToolChoice, ToolResult};
pub use usage::Usage;

/// Fields that chatcore does not know. They are kept as they came, and sent as they are.
///
/// ```
/// use chatcore::ChatRequest;
///
/// let request = ChatRequest::from("hi").extra("user", "u-17");
/// assert_eq!(request.extra["user"], "u-17");
/// ```
pub type Extra = serde_json::Map<String, serde_json::Value>;

//! Writes answers in the forms of providers: a [`ChatResponse`] or its [`ChatEvent`]s → what a
//! server sends.
//!
//! This is the provider's side of a dialect. Use it for code that takes a provider's place: a
//! server in front of chatcore, the demo model, the simulator, or a fake in a test.
//!
//! ```
//! use chatcore::{ChatEvent, FinishReason};
//! use chatcore_adapters::answers::{Frame, form_of};
//!
//! let form = form_of("/v1/chat/completions").expect("a path that is known");
//! let mut stream = form.stream(Frame::new("chatcmpl-1", "tiny"));
//! let mut sent = stream.write(&ChatEvent::Text("Hi".into()));
//! sent.extend(stream.write(&ChatEvent::Finish {
//!     reason: FinishReason::Stop,
//!     raw: "stop".into(),
//! }));
//! let sent = String::from_utf8(sent)?;
//! assert!(sent.contains(r#""delta":{"content":"Hi"}"#));
//! assert!(sent.ends_with("data: [DONE]\n\n"));
//! # Ok::<(), std::string::FromUtf8Error>(())
//! ```
//!
//! A further form is a folder here and a row of [`FORMS`].

pub mod anthropic;
pub mod openai_chat;
pub mod openai_responses;
mod pieces;

use std::fmt::Debug;

use chatcore::{ChatEvent, ChatResponse};
use serde_json::{Map, Value};

/// How answers are written in one protocol.
pub trait Form: Debug + Send + Sync {
    /// The name of the dialect that reads them.
    fn dialect(&self) -> &'static str;

    /// The end of the path of requests in this protocol.
    fn path(&self) -> &'static str;

    /// The header that carries the id of a request.
    fn request_id_header(&self) -> &'static str;

    /// A complete answer. An id or a model that the answer lacks comes from `frame`.
    fn whole(&self, answer: &ChatResponse, frame: &Frame) -> Value;

    /// Begins a stream of server-sent events for one answer.
    fn stream(&self, frame: Frame) -> Box<dyn Events>;

    /// The body of an error.
    fn refuse(&self, refusal: &Refusal) -> Value;
}

/// Writes the events of one answer as they arrive.
pub trait Events: Debug + Send {
    /// The bytes for the next event. They may be empty.
    fn write(&mut self, event: &ChatEvent) -> Vec<u8>;

    /// The bytes that end the answer with an error.
    fn fail(&mut self, refusal: &Refusal) -> Vec<u8>;
}

/// Every form.
pub const FORMS: [&dyn Form; 3] = [
    &openai_chat::OpenAiChatForm,
    &openai_responses::OpenAiResponsesForm,
    &anthropic::AnthropicForm,
];

/// The form for requests to this path.
pub fn form_of(path: &str) -> Option<&'static dyn Form> {
    FORMS.into_iter().find(|form| path.ends_with(form.path()))
}

/// The fields of an answer in addition to its content.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Frame {
    /// Used if the answer has no id. The form of OpenAI's Responses always uses it.
    pub id: String,
    /// Used if the answer names no model.
    pub model: String,
    /// The time when the request arrived, in seconds since 1970. Anthropic's form has no such
    /// field.
    pub created: u64,
    /// Whether a stream of OpenAI's chat completions reports its usage. The other forms always
    /// report it.
    pub include_usage: bool,
    /// Whether Anthropic's form writes a usage of zeros if the answer has none. Set it if the
    /// clients demand a usage.
    pub demands_usage: bool,
    /// A finish reason in the form's own words, which replaces the one of the answer. In the form
    /// of OpenAI's Responses it is the reason why the answer is incomplete.
    pub finish: Option<String>,
    /// Further fields for the form of OpenAI's Responses, in which a response repeats fields of its
    /// request.
    pub repeated: Map<String, Value>,
}

impl Frame {
    /// A frame with this id and model.
    pub fn new(id: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            model: model.into(),
            ..Self::default()
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status. Within a stream, no status is sent, but it decides the type of the error.
    pub status: u16,
    /// The message for people.
    pub message: String,
    /// The code for programs. Anthropic's own errors have no such field, and clients ignore it.
    pub code: Option<String>,
    /// The field that is wrong.
    pub param: Option<String>,
    /// A type of error in the form's own words, which replaces the one for the status.
    pub kind: Option<String>,
    /// The id of the request. Only Anthropic's form writes it.
    pub request_id: Option<String>,
}

impl Refusal {
    /// A refusal with this status and message.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            ..Self::default()
        }
    }
}

/// `given`, or `own` if `given` is empty.
fn or<'a>(given: &'a str, own: &'a str) -> &'a str {
    match given {
        "" => own,
        given => given,
    }
}

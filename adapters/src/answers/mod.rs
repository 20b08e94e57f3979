//! Answers in the forms of providers: a [`ChatResponse`] or its [`ChatEvent`]s → what a server sends.
//!
//! This is the provider's side of a dialect. It is for what stands in a provider's place: a server
//! before chatcore, the demo model, the simulator, a fake in a test.
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

/// How one protocol writes answers.
pub trait Form: Debug + Send + Sync {
    /// The name of the dialect that reads them.
    fn dialect(&self) -> &'static str;

    /// How the path of a request in this protocol ends.
    fn path(&self) -> &'static str;

    /// The header that names a request.
    fn request_id_header(&self) -> &'static str;

    /// A complete answer. What it lacks (an id, a model) is `frame`'s.
    fn whole(&self, answer: &ChatResponse, frame: &Frame) -> Value;

    /// Begins to write an answer as a stream of server-sent events.
    fn stream(&self, frame: Frame) -> Box<dyn Events>;

    /// The body of an error.
    fn refuse(&self, refusal: &Refusal) -> Value;
}

/// Writes the events of one answer as they come.
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

/// The form of the requests whose path this is.
pub fn form_of(path: &str) -> Option<&'static dyn Form> {
    FORMS.into_iter().find(|form| path.ends_with(form.path()))
}

/// What an answer says beside its content.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Frame {
    /// Used if the answer has none.
    pub id: String,
    /// Used if the answer names none.
    pub model: String,
    /// When the request came, in seconds since 1970. Anthropic's form has no such field.
    pub created: u64,
    /// Whether a stream of OpenAI's chat completions tells its usage. The other forms always do.
    pub include_usage: bool,
    /// Whether Anthropic's form tells a usage of zeros if there is none, because its clients demand
    /// one.
    pub demands_usage: bool,
    /// The finish reason in the form's own words, in place of the one that the answer has.
    pub finish: Option<String>,
    /// Further fields of a response in the form of OpenAI's Responses, which repeats those of its
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
    /// The HTTP status, also within a stream, where it is not sent.
    pub status: u16,
    /// For people.
    pub message: String,
    /// For programs. Anthropic has no such field, and clients ignore it.
    pub code: Option<String>,
    /// The field that is wrong.
    pub param: Option<String>,
    /// The type of the error in the form's own words, in place of the one for the status.
    pub kind: Option<String>,
    /// The id of the request, which Anthropic's form repeats.
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

/// `given`, or `own` if there is none.
fn or<'a>(given: &'a str, own: &'a str) -> &'a str {
    match given {
        "" => own,
        given => given,
    }
}

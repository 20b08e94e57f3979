//! A request, as far as the simulated provider reads it.

use bytes::Bytes;
use serde_json::Value;

use crate::answers::Form;
use crate::answers::anthropic::AnthropicForm;
use crate::answers::openai_chat::OpenAiChatForm;

/// A request to the simulated provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SimRequest {
    /// The request's number, counted from 1 in the order of sending.
    pub number: u64,
    /// Whether the path ends in `/messages`, which means Anthropic's dialect.
    pub is_anthropic: bool,
    /// Whether it asks for a stream.
    pub streams: bool,
    /// The requested model.
    pub model: String,
    /// The text of the user's last message.
    pub prompt: String,
    /// The maximum number of tokens of the answer, if the request sets one.
    pub max_tokens: Option<usize>,
    /// The number of words in all messages and the system prompt.
    pub input_tokens: u64,
    /// The body as JSON.
    pub body: Value,
    pub(super) wants_usage: bool,
    /// The form that it speaks.
    pub(super) form: &'static dyn Form,
}

impl SimRequest {
    /// Reads a request. `Err` holds the status and message for a request that cannot be read.
    pub(super) fn read(number: u64, request: &http::Request<Bytes>) -> Result<Self, (u16, String)> {
        let path = request.uri().path();
        let form = form_at(path);
        let is_anthropic = path.ends_with(AnthropicForm.path());
        if !path.ends_with(form.path()) {
            return Err((404, format!("there is nothing at {path}")));
        }
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|error| (400, format!("the body is not JSON: {error}")))?;
        let messages = body["messages"]
            .as_array()
            .ok_or_else(|| (400, "there are no messages".to_owned()))?;
        let prompt = messages
            .iter()
            .rfind(|message| message["role"] == "user")
            .map(|message| text(&message["content"]))
            .unwrap_or_default();
        let contents = messages.iter().map(|message| &message["content"]);
        let input_tokens = contents
            .chain([&body["system"]])
            .map(|content| text(content).split_whitespace().count() as u64)
            .sum();
        let max_tokens = ["max_tokens", "max_completion_tokens"]
            .iter()
            .find_map(|name| body[name].as_u64())
            .map(|tokens| tokens as usize);
        Ok(Self {
            number,
            is_anthropic,
            streams: body["stream"] == true,
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            prompt,
            max_tokens,
            input_tokens,
            wants_usage: body["stream_options"]["include_usage"] == true,
            body,
            form,
        })
    }
}

/// The form of the requests at this path; OpenAI's where there is nothing.
pub(super) fn form_at(path: &str) -> &'static dyn Form {
    match path.ends_with(AnthropicForm.path()) {
        true => &AnthropicForm,
        false => &OpenAiChatForm,
    }
}

/// The text of a message's content: a string, or the text among its parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

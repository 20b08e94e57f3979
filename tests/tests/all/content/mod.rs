//! Message content in every dialect: how each part is sent, or why it is refused.

mod origins;
mod parts;
mod turns;

use std::sync::Arc;

use chatcore::dialect::{
    Anthropic, Dialect, Gemini, Mode, OllamaChat, OpenAiChat, OpenAiResponses, Quirks,
};
use chatcore::{ChatRequest, Error, Provider};
use serde_json::Value;

/// Every dialect, the most recently added last.
fn dialects() -> Vec<Arc<dyn Dialect>> {
    vec![
        Arc::new(OpenAiChat::new(Quirks::default())),
        Arc::new(Anthropic::default()),
        Arc::new(OllamaChat::default()),
        Arc::new(OpenAiResponses::default()),
        Arc::new(Gemini::default()),
    ]
}

/// The messages in a request's body.
fn messages(body: &Value) -> &Value {
    let names = ["messages", "input", "contents"];
    let found = names.iter().find_map(|name| body.get(name));
    found.unwrap_or(&Value::Null)
}

/// The body that is sent.
fn sent(dialect: &dyn Dialect, request: &ChatRequest) -> Result<Value, Error> {
    let endpoint = Provider::openai_compatible("https://models.example/v1", "m").endpoint()?;
    let request = dialect.encode(&endpoint, request, Mode::Whole)?;
    Ok(serde_json::from_slice(request.body()).unwrap())
}

//! Reads what a request asks.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::tokens::count;
use crate::answers::{Form, Refusal, openai_chat::OpenAiChatForm};

/// What a request asks of the demo model.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) model: String,
    /// The role and the text of each message, without system prompts.
    pub(super) turns: Vec<(String, String)>,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    pub(super) max_tokens: usize,
    pub(super) stop: Vec<String>,
    /// The names of the tools, and the schemas of their arguments.
    pub(super) tools: Vec<(String, Value)>,
    pub(super) must_call: bool,
    /// The schema that the answer must have.
    pub(super) schema: Option<Value>,
    pub(super) prompt_tokens: u64,
}

impl Ask {
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, Box<Refusal>> {
        let path = request.uri().path();
        if !path.ends_with(OpenAiChatForm.path()) {
            let why = format!("Invalid URL ({} {path})", request.method());
            return Err(Box::new(Refusal::new(404, why)));
        }
        let body: Value = serde_json::from_slice(request.body()).map_err(|error| {
            let why = format!("The body of the request is not JSON: {error}");
            Box::new(Refusal::new(400, why))
        })?;
        let missing = |param: &str| {
            let mut refusal = Refusal::new(400, format!("Missing required parameter: '{param}'."));
            refusal.param = Some(param.to_owned());
            refusal.code = Some("missing_required_parameter".to_owned());
            Box::new(refusal)
        };
        let model = body["model"].as_str().ok_or_else(|| missing("model"))?;
        let messages = body["messages"]
            .as_array()
            .filter(|messages| !messages.is_empty());
        let messages = messages.ok_or_else(|| missing("messages"))?;
        let role = |message: &Value| message["role"].as_str().unwrap_or_default().to_owned();
        let all = messages
            .iter()
            .map(|message| (role(message), text(&message["content"])));
        let all: Vec<_> = all.collect();
        let tools = body["tools"].as_array().into_iter().flatten();
        let tools: Vec<_> = tools
            .filter_map(|tool| {
                let function = &tool["function"];
                Some((
                    function["name"].as_str()?.to_owned(),
                    function["parameters"].clone(),
                ))
            })
            .collect();
        let said = all.iter().map(|(_, text)| count(text) + 4);
        let described = tools
            .iter()
            .map(|(name, schema)| count(name) + count(&schema.to_string()) + 4);
        let limit = ["max_completion_tokens", "max_tokens"].map(|name| body[name].as_u64());
        let choice = &body["tool_choice"];
        let format = &body["response_format"]["json_schema"];
        Ok(Self {
            model: model.to_owned(),
            prompt_tokens: said.chain(described).sum(),
            turns: all
                .into_iter()
                .filter(|(role, _)| !matches!(role.as_str(), "system" | "developer"))
                .collect(),
            schema: format.get("schema").cloned(),
            stream: body["stream"] == true,
            include_usage: body["stream_options"]["include_usage"] == true,
            max_tokens: limit
                .into_iter()
                .flatten()
                .next()
                .map_or(usize::MAX, |limit| {
                    usize::try_from(limit).unwrap_or(usize::MAX)
                }),
            stop: match &body["stop"] {
                Value::String(stop) => vec![stop.clone()],
                stops => strings(stops),
            },
            tools: if choice == "none" { Vec::new() } else { tools },
            must_call: choice == "required" || choice.is_object(),
        })
    }
}

fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The text of a message's content: the string itself, or the texts of its parts, joined.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        parts => {
            let parts = parts.as_array().into_iter().flatten();
            parts.filter_map(|part| part["text"].as_str()).collect()
        }
    }
}

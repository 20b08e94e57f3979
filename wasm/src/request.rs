//! Reads a [`ChatRequest`] from JSON.

use chatcore::chat::{ReasoningEffort, ResponseFormat};
use chatcore::{ChatRequest, Defaults, Tool, ToolChoice};
use serde_json::Value;

use crate::messages;
use crate::object::{Faults, Object};

/// A temperature and a token limit, as JavaScript passes them: NaN means not set.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) temperature: f64,
    pub(crate) max_tokens: f64,
}

impl Numbers {
    fn temperature(self) -> Option<f64> {
        Some(self.temperature).filter(|number| !number.is_nan())
    }

    fn max_tokens(self, faults: &Faults) -> Option<u32> {
        if self.max_tokens.is_nan() {
            return None;
        }
        let is_count = self.max_tokens.fract() == 0.0
            && (0.0..=f64::from(u32::MAX)).contains(&self.max_tokens);
        if !is_count {
            faults.wrong("maxTokens", "not a valid number for this field");
        }
        Some(self.max_tokens as u32)
    }

    /// The defaults of a call. A limit of 0 tokens means no defaults, so that the provider's apply.
    pub(crate) fn defaults(self, faults: &Faults) -> Defaults {
        if self.max_tokens == 0.0 {
            return Defaults::NONE;
        }
        let mut defaults = Defaults::PROMPT;
        defaults.temperature = self.temperature();
        defaults.max_tokens = self.max_tokens(faults);
        defaults
    }
}

/// Builds a request from messages in JSON and the caller's options.
pub(crate) fn request(messages: &str, own: Numbers, from: &mut Object<'_>) -> ChatRequest {
    let faults = from.faults();
    let mut request = ChatRequest::default();
    match messages::read(messages) {
        Ok(messages) => request.messages = messages,
        Err(error) => faults.add(error),
    }
    request.temperature = own.temperature();
    request.max_tokens = own.max_tokens(faults);
    request.model = from.optional("model");
    request.top_p = from.number("topP");
    request.stop = match from.take("stop") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => texts("stop", list, faults),
        Some(_) => {
            faults.wrong("stop", "not an array");
            Vec::new()
        }
        None => Vec::new(),
    };
    request.seed = from.whole("seed");
    request.tools = tools(from);
    request.tool_choice = from
        .take("toolChoice")
        .and_then(|value| tool_choice(value, faults));
    request.reasoning_effort = from.optional("reasoningEffort").map(ReasoningEffort::from);
    request.response_format = from
        .take("responseFormat")
        .and_then(|value| response_format(value, faults));
    request.extra = from.extra("extra");
    request
}

/// The strings of an array.
pub(crate) fn texts(place: &str, list: Vec<Value>, faults: &Faults) -> Vec<String> {
    let mut texts = Vec::with_capacity(list.len());
    for value in list {
        match value {
            Value::String(text) => texts.push(text),
            _ => faults.wrong(place, "not made of strings"),
        }
    }
    texts
}

pub(crate) fn tools(from: &mut Object<'_>) -> Vec<Tool> {
    from.each("tools", "a tool", tool)
}

fn tool(mut from: Object<'_>) -> Tool {
    let mut tool = Tool::new(from.text("name"), Value::Null);
    match from.take("parameters") {
        Some(parameters) => tool.parameters = parameters,
        None => from.faults().wrong("a tool", "without parameters"),
    }
    tool.description = from.optional("description");
    tool.strict = from
        .take("strict")
        .map(|strict| matches!(strict, Value::Bool(true)));
    tool.extra = from.extra("a tool's extra");
    tool
}

fn tool_choice(value: Value, faults: &Faults) -> Option<ToolChoice> {
    Some(match value.as_str() {
        Some("auto") => ToolChoice::Auto,
        Some("none") => ToolChoice::None,
        Some("required") => ToolChoice::Required,
        Some(_) => {
            faults.wrong("toolChoice", "not one of its allowed values");
            return None;
        }
        None => ToolChoice::Tool(Object::new("toolChoice", value, faults).text("tool")),
    })
}

fn response_format(value: Value, faults: &Faults) -> Option<ResponseFormat> {
    let mut from = Object::new("responseFormat", value, faults);
    Some(match &*from.text("type") {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::JsonObject,
        "json_schema" => ResponseFormat::JsonSchema {
            name: from.text("name"),
            schema: from.take("schema").unwrap_or_default(),
            strict: from.is("strict"),
        },
        _ => {
            faults.wrong("responseFormat", "of an unknown type");
            return None;
        }
    })
}

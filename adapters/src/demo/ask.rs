//! What is asked, in no provider's words, and what is refused.

use http::StatusCode;
use serde_json::Value;

use super::tokens;

/// What is asked of the demo model.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) model: String,
    /// The system prompts, joined by line breaks.
    pub(super) system: String,
    pub(super) turns: Vec<Turn>,
    pub(super) stream: bool,
    /// Whether a stream must end with its usage.
    pub(super) stream_usage: bool,
    pub(super) max_tokens: Option<u64>,
    pub(super) stop: Vec<String>,
    pub(super) tools: Vec<ToolSpec>,
    pub(super) tool_choice: ToolChoice,
    /// The schema that the answer must obey; an empty one for any JSON object.
    pub(super) schema: Option<Value>,
}

/// One message of the conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) speaker: Speaker,
    pub(super) text: String,
    pub(super) images: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    User,
    Model,
    Tool,
}

#[derive(Debug)]
pub(super) struct ToolSpec {
    pub(super) name: String,
    pub(super) parameters: Value,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ToolChoice {
    Auto,
    None,
    Required,
    Named(String),
}

impl Ask {
    /// The tokens of the prompt: those of its texts and tools, and four for each message.
    pub(super) fn prompt_tokens(&self) -> u64 {
        let texts = self.turns.iter().map(|turn| tokens::count(&turn.text) + 4);
        let tools = self.tools.iter().map(|tool| {
            tokens::count(&tool.name) + tokens::count(&tool.parameters.to_string()) + 4
        });
        let system = match self.system.as_str() {
            "" => 0,
            text => tokens::count(text) + 4,
        };
        texts.chain(tools).sum::<u64>() + system
    }

    /// What was said last.
    pub(super) fn last(&self) -> Option<&Turn> {
        self.turns.last()
    }
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
    /// The field at fault.
    pub(super) param: Option<String>,
    pub(super) code: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            param: None,
            code: None,
        }
    }

    /// A field that must be there and is not.
    pub(super) fn missing(param: &str) -> Self {
        Self {
            param: Some(param.to_owned()),
            code: Some("missing_required_parameter"),
            ..Self::new(format!("Missing required parameter: '{param}'."))
        }
    }

    /// A field that is not what it must be.
    pub(super) fn invalid(param: impl Into<String>, expected: &str, found: &Value) -> Self {
        let param = param.into();
        let mut found = found.to_string();
        if let Some((end, _)) = found.char_indices().nth(60) {
            found.truncate(end);
            found.push('…');
        }
        Self {
            message: format!("Invalid value for '{param}': expected {expected}, but got {found}."),
            param: Some(param),
            code: Some("invalid_value"),
            status: StatusCode::BAD_REQUEST,
        }
    }
}

/// The field `name`, unless it is not there or null.
pub(super) fn field<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

pub(super) fn text(body: &Value, name: &str) -> Result<Option<String>, Refusal> {
    typed(body, name, "a string", |value| {
        value.as_str().map(str::to_owned)
    })
}

pub(super) fn flag(body: &Value, name: &str) -> Result<bool, Refusal> {
    Ok(typed(body, name, "a boolean", Value::as_bool)?.unwrap_or(false))
}

/// A whole number from 1.
pub(super) fn count(body: &Value, name: &str) -> Result<Option<u64>, Refusal> {
    typed(body, name, "an integer from 1", |value| {
        value.as_u64().filter(|&count| count > 0)
    })
}

/// Checks a number from 0 to `most`.
pub(super) fn check_number(body: &Value, name: &str, most: f64) -> Result<(), Refusal> {
    let expected = format!("a number from 0 to {most}");
    let in_range = |number: &f64| (0.0..=most).contains(number);
    typed(body, name, &expected, |value| {
        value.as_f64().filter(in_range)
    })
    .map(|_| ())
}

pub(super) fn typed<'a, T>(
    body: &'a Value,
    name: &str,
    expected: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    field(body, name)
        .map(|value| read(value).ok_or_else(|| Refusal::invalid(name, expected, value)))
        .transpose()
}

/// The field `name`, an array that may be missing.
pub(super) fn list<'a>(body: &'a Value, name: &str) -> Result<&'a [Value], Refusal> {
    Ok(typed(body, name, "an array", Value::as_array)?.map_or(&[], Vec::as_slice))
}

/// The messages, which must be there.
pub(super) fn messages(body: &Value) -> Result<&[Value], Refusal> {
    if field(body, "messages").is_none() {
        return Err(Refusal::missing("messages"));
    }
    match list(body, "messages")? {
        [] => Err(Refusal {
            param: Some("messages".to_owned()),
            code: Some("empty_array"),
            ..Refusal::new(
                "Invalid 'messages': empty array. Expected an array with minimum length 1, \
                 but got an empty array instead.",
            )
        }),
        messages => Ok(messages),
    }
}

/// The texts that end an answer: a string, or an array of them.
pub(super) fn stops(body: &Value, name: &str) -> Result<Vec<String>, Refusal> {
    let strings = |value: &Value| match value {
        Value::String(stop) => Some(vec![stop.clone()]),
        Value::Array(stops) => stops
            .iter()
            .map(|stop| stop.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    let stops = typed(body, name, "strings", strings)?.unwrap_or_default();
    Ok(stops.into_iter().filter(|stop| !stop.is_empty()).collect())
}

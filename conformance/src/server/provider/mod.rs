//! Current providers: what each refuses, with its messages, and how much its models reason.
//!
//! A path with `as/openai` answers only what OpenAI would answer. The rules were checked against
//! the providers' documentation and their users' error reports in November 2026.

mod anthropic;
mod deepseek;
mod mistral;
mod openai;
mod responses;

use serde_json::{Map, Value, json};

use super::log::Seen;

/// A provider whose refusals the server imitates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    OpenAi,
    DeepSeek,
    Anthropic,
    Mistral,
}

/// A refusal: a status, and a body in the provider's form.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// How a model answers a request. By default it answers at once and completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Thinking {
    /// How many words it reasons before its answer; each costs a token.
    pub(super) words: usize,
    /// Whether the reasoning is visible, as `reasoning_content`.
    pub(super) shown: bool,
    /// The maximum number of tokens for reasoning and answer together.
    pub(super) limit: Option<usize>,
    /// Whether streams end with usage even if the request does not ask for it.
    pub(super) stream_usage: bool,
}

impl Provider {
    pub(super) const NAMES: &str = "openai, deepseek, anthropic, mistral";

    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "openai" => Self::OpenAi,
            "deepseek" => Self::DeepSeek,
            "anthropic" => Self::Anthropic,
            "mistral" => Self::Mistral,
            _ => return None,
        })
    }

    /// Checks a request as the provider does, before its model reads the messages.
    pub(super) fn check(self, request: &Seen) -> Result<Thinking, Refusal> {
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let empty = Map::new();
        let body = body.as_object().unwrap_or(&empty);
        match self {
            Self::OpenAi if body.contains_key("input") => responses::check(request, body),
            Self::OpenAi => openai::check(request, body),
            Self::DeepSeek => deepseek::check(request, body),
            Self::Anthropic => anthropic::check(request, body),
            Self::Mistral => mistral::check(request, body),
        }
    }
}

impl Refusal {
    /// An error in OpenAI's form.
    fn openai(status: u16, message: &str, kind: &str, param: Value, code: Value) -> Self {
        let error = json!({"message": message, "type": kind, "param": param, "code": code});
        Self {
            status,
            body: json!({ "error": error }),
        }
    }
}

fn has_bearer(request: &Seen) -> bool {
    let header = request.header("authorization").unwrap_or_default();
    let key = header.strip_prefix("Bearer ").unwrap_or_default();
    !key.trim().is_empty()
}

/// The field `name`, unless it is missing or null.
fn field<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    field(body, name).and_then(Value::as_str)
}

fn count(body: &Map<String, Value>, name: &str) -> Option<usize> {
    let count = field(body, name).and_then(Value::as_u64)?;
    usize::try_from(count).ok()
}

fn has_items(body: &Map<String, Value>, name: &str) -> bool {
    let list = field(body, name).and_then(Value::as_array);
    list.is_some_and(|list| !list.is_empty())
}

fn messages(body: &Map<String, Value>) -> &[Value] {
    let list = field(body, "messages").and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// How many words a model reasons at this effort.
fn words_of(effort: &str) -> usize {
    match effort {
        "none" => 0,
        "minimal" => 50,
        "low" => 150,
        "high" => 900,
        "xhigh" => 1_500,
        "max" => 3_000,
        _ => 400,
    }
}

//! Reads the body of `/v1/responses`.

use chatcore::chat::{ReasoningEffort, ResponseFormat};
use chatcore::{ChatRequest, Defaults, Message, Tool, ToolChoice};
use serde_json::{Map, Value, json};

use super::items;
use crate::ask::{Allowed, Ask};
use crate::errors::ApiError;
use crate::fields::{Fields, missing, unknown};

/// Fields that are passed unchanged to a provider with one of OpenAI's protocols, and dropped for
/// other providers, where they are only hints.
const PASSED: &[&str] = &[
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "safety_identifier",
    "top_logprobs",
    "user",
];

/// Fields that are accepted only with a value that applies anyway, given as JSON.
const NO_MATTER: &[(&str, &[&str])] = &[
    ("store", &["false"]),
    ("background", &["false"]),
    ("truncation", &["\"disabled\""]),
    ("service_tier", &["\"auto\"", "\"default\""]),
    ("include", &["[]", "[\"reasoning.encrypted_content\"]"]),
];

/// Fields of a request that the answer repeats.
const REPEATED: &[&str] = &[
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "reasoning",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
];

/// A request, and how to answer it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) stream: bool,
    /// The fields that the answer repeats.
    pub(crate) repeated: Map<String, Value>,
}

/// Reads the body. `dialect` is the provider's dialect.
pub(crate) fn read(
    mut fields: Fields,
    allowed: &Allowed,
    dialect: &str,
) -> Result<Asked, ApiError> {
    let repeated = repeated(&fields);
    let model = fields.text("model")?.ok_or_else(|| missing("model"))?;
    let model = allowed.model(Some(model))?;
    let mut messages = match fields.value("input") {
        Some(Value::String(text)) => vec![Message::user(text)],
        Some(list @ Value::Array(_)) => {
            let list = Fields::of(json!({"input": list}), "")?.list("input")?;
            let list = list.unwrap_or_default();
            allowed.check_length("input", list.len())?;
            items::read(list)?
        }
        Some(_) => {
            return Err(ApiError::invalid(
                "input",
                "input must be a string or an array",
            ));
        }
        None => return Err(missing("input")),
    };
    if let Some(instructions) = fields.text("instructions")? {
        messages.insert(0, Message::system(instructions));
    }
    let mut request = ChatRequest::new(messages).model(model);
    request.max_tokens = match fields.count("max_output_tokens")? {
        Some(asked) => Some(allowed.tokens("max_output_tokens", asked)?),
        // Always set, so that no answer has more tokens than the server allows.
        None => Some(allowed.max_tokens),
    };
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.tools = tools(&mut fields)?;
    request.tool_choice = tool_choice(&mut fields)?;
    if let Some(mut reasoning) = fields.object("reasoning")? {
        request.reasoning_effort = reasoning.text("effort")?.map(ReasoningEffort::from);
        for shown in ["summary", "generate_summary"] {
            reasoning.value(shown);
        }
        reasoning.end()?;
    }
    if let Some(mut text) = fields.object("text")? {
        if let Some(format) = text.object("format")? {
            request.response_format = Some(response_format(format)?);
        }
        text.value("verbosity");
        text.end()?;
    }
    for name in PASSED {
        let value = fields.value(name);
        if let Some(value) = value.filter(|_| dialect.starts_with("openai")) {
            request = request.extra(*name, value);
        }
    }
    for (name, held) in NO_MATTER {
        let written = fields.value(name).map(|value| value.to_string());
        if written.is_some_and(|written| !held.contains(&&*written)) {
            return Err(unsupported(name));
        }
    }
    let stream = fields.flag("stream")?.unwrap_or(false);
    fields.value("stream_options");
    for kept in ["previous_response_id", "conversation", "prompt"] {
        if fields.value(kept).is_some() {
            let why = format!(
                "this server stores no answers: leave {kept} out, and send all \
                               items"
            );
            return Err(ApiError {
                code: "unsupported_value".to_owned(),
                ..ApiError::invalid(kept, why)
            });
        }
    }
    if let Some(name) = fields.rest().keys().next() {
        return Err(unknown(name.as_str()));
    }
    let mut defaults = Defaults::NONE;
    defaults.no_reasoning = request.reasoning_effort.is_none();
    Ok(Asked {
        ask: Ask { request, defaults },
        stream,
        repeated,
    })
}

fn repeated(fields: &Fields) -> Map<String, Value> {
    let mut repeated = Map::new();
    for name in REPEATED {
        repeated.insert(
            (*name).to_owned(),
            fields.peek(name).cloned().unwrap_or_default(),
        );
    }
    // Clients accept no null for these fields.
    for (name, default) in [
        ("parallel_tool_calls", json!(true)),
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
        ("metadata", json!({})),
    ] {
        let value = repeated.entry(name).or_insert_with(|| default.clone());
        if value.is_null() {
            *value = default;
        }
    }
    repeated
}

fn unsupported(name: &str) -> ApiError {
    ApiError {
        code: "unsupported_value".to_owned(),
        ..ApiError::invalid(
            name,
            format!("this server does not offer this value of {name}"),
        )
    }
}

fn tools(fields: &mut Fields) -> Result<Vec<Tool>, ApiError> {
    let list = fields.list("tools")?.unwrap_or_default();
    let read = |(n, value)| {
        let mut tool = Fields::of(value, &format!("tools[{n}]"))?;
        if tool.text("type")?.as_deref() != Some("function") {
            return Err(ApiError::invalid(
                tool.place("type"),
                "this server does not offer the provider's own tools; a tool's type must be \
                 function",
            ));
        }
        let name = tool.text("name")?;
        let name = name.ok_or_else(|| missing(tool.place("name")))?;
        let parameters = tool.value("parameters");
        let parameters = parameters.unwrap_or_else(|| json!({"type": "object", "properties": {}}));
        let mut made = Tool::new(name, parameters);
        made.description = tool.text("description")?;
        made.strict = tool.flag("strict")?;
        tool.end()?;
        Ok(made)
    };
    list.into_iter().enumerate().map(read).collect()
}

fn tool_choice(fields: &mut Fields) -> Result<Option<ToolChoice>, ApiError> {
    Ok(Some(match fields.value("tool_choice") {
        None => return Ok(None),
        Some(Value::String(word)) if word == "auto" => ToolChoice::Auto,
        Some(Value::String(word)) if word == "none" => ToolChoice::None,
        Some(Value::String(word)) if word == "required" => ToolChoice::Required,
        Some(value) => match (value["type"].as_str(), value["name"].as_str()) {
            (Some("function"), Some(name)) => ToolChoice::Tool(name.to_owned()),
            _ => return Err(unsupported("tool_choice")),
        },
    }))
}

fn response_format(mut format: Fields) -> Result<ResponseFormat, ApiError> {
    Ok(match format.text("type")?.as_deref() {
        Some("text") => ResponseFormat::Text,
        Some("json_object") => ResponseFormat::JsonObject,
        Some("json_schema") => {
            let name = format.text("name")?;
            ResponseFormat::JsonSchema {
                name: name.ok_or_else(|| missing(format.place("name")))?,
                schema: format.value("schema").unwrap_or_else(|| json!({})),
                strict: format.flag("strict")?.unwrap_or(false),
            }
        }
        _ => return Err(unsupported("text.format")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_body(mut body: Value) -> Result<Asked, ApiError> {
        let allowed = Allowed {
            models: vec!["m".into()],
            max_messages: 2,
            max_tokens: 100,
        };
        let whole = body.as_object_mut().unwrap();
        whole.entry("model").or_insert(json!("m"));
        whole.entry("input").or_insert(json!("hi"));
        read(Fields::of(body, "").unwrap(), &allowed, "openai_chat")
    }

    #[test]
    fn every_field_has_its_place() {
        let read = read_body(json!({
            "instructions": "Be brief.", "max_output_tokens": 7, "temperature": 0.5, "top_p": 0.9,
            "stream": true, "store": false, "include": ["reasoning.encrypted_content"],
            "tools": [{"type": "function", "name": "f", "description": "d", "strict": true,
                "parameters": {"type": "object"}}],
            "tool_choice": {"type": "function", "name": "f"}, "user": "u",
            "reasoning": {"effort": "low", "summary": "auto"},
            "text": {"format": {"type": "json_schema", "name": "s", "schema": {}, "strict": true},
                "verbosity": "low"},
        }))
        .unwrap();
        let request = &read.ask.request;
        assert!(read.stream && !read.ask.defaults.no_reasoning);
        assert_eq!(request.messages[0].text(), "Be brief.");
        assert_eq!(request.max_tokens, Some(7));
        assert_eq!(request.tools[0].strict, Some(true));
        assert_eq!(request.tool_choice, Some(ToolChoice::Tool("f".into())));
        assert_eq!(request.reasoning_effort, Some(ReasoningEffort::Low));
        assert_eq!(request.extra["user"], "u");
        assert_eq!(read.repeated["tools"][0]["name"], "f");
        assert_eq!(read.repeated["parallel_tool_calls"], true);
    }

    #[test]
    fn what_could_pass_a_limit_by_is_refused() {
        for (body, code) in [
            (json!({"max_output_tokens": 101}), "too_many_tokens"),
            (json!({"model": "other"}), "model_not_found"),
            (json!({"models": ["other"]}), "unknown_field"),
            (json!({"store": true}), "unsupported_value"),
            (json!({"background": true}), "unsupported_value"),
            (json!({"previous_response_id": "r"}), "unsupported_value"),
            (json!({"tools": [{"type": "web_search"}]}), "invalid_value"),
            (json!({"tool_choice": "always"}), "unsupported_value"),
            (json!({"input": []}), "invalid_value"),
            (json!({"input": [1, 2, 3]}), "too_many_messages"),
            (json!({"input": 1}), "invalid_value"),
        ] {
            assert_eq!(read_body(body.clone()).unwrap_err().code, code, "{body}");
        }
        assert_eq!(
            read_body(json!({})).unwrap().ask.request.max_tokens,
            Some(100)
        );
    }
}

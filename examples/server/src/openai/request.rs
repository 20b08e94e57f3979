//! Reads the body of `/v1/chat/completions`.

use chatcore::chat::{ReasoningEffort, ResponseFormat};
use chatcore::{ChatRequest, Defaults, Tool, ToolChoice};
use serde_json::{Value, json};

use crate::ask::{Allowed, Ask};
use crate::errors::ApiError;
use crate::fields::{Fields, missing, unknown, wrong};

/// Fields that are passed to the provider unchanged. Unlisted fields are refused, because an
/// unknown field could select another model or raise the token limit.
const PASSED: &[&str] = &[
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "safety_identifier",
    "thinking",
    "top_logprobs",
    "user",
    "verbosity",
];

/// Fields that are accepted only with the value that applies anyway, given as JSON.
const NO_MATTER: &[(&str, &str)] = &[
    ("n", "1"),
    ("store", "false"),
    ("service_tier", "\"auto\""),
    ("modalities", "[\"text\"]"),
];

/// A request, and how to answer it.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) ask: Ask,
    pub(crate) stream: bool,
    /// Whether a stream ends with a chunk that has the usage.
    pub(crate) include_usage: bool,
}

/// Reads the body.
pub(crate) fn read(mut fields: Fields, allowed: &Allowed) -> Result<Completion, ApiError> {
    let model = fields.text("model")?.ok_or_else(|| missing("model"))?;
    let model = allowed.model(Some(model))?;
    let messages = fields
        .list("messages")?
        .ok_or_else(|| missing("messages"))?;
    let mut request = ChatRequest::new(allowed.messages(messages)?).model(model);
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.seed = fields.integer("seed")?;
    let (old, new) = (
        fields.count("max_tokens")?,
        fields.count("max_completion_tokens")?,
    );
    request.max_tokens = match (new, old) {
        (Some(asked), _) => Some(allowed.tokens("max_completion_tokens", asked)?),
        (None, Some(asked)) => Some(allowed.tokens("max_tokens", asked)?),
        // Always set, so that no answer has more tokens than the server allows.
        (None, None) => Some(allowed.max_tokens),
    };
    request.stop = stop(&mut fields)?;
    request.tools = tools(&mut fields)?;
    request.tool_choice = tool_choice(&mut fields)?;
    request.response_format = response_format(&mut fields)?;
    request.reasoning_effort = fields.text("reasoning_effort")?.map(ReasoningEffort::from);
    let stream = fields.flag("stream")?.unwrap_or(false);
    let include_usage = match fields.object("stream_options")? {
        Some(mut options) => options.flag("include_usage")?.unwrap_or(false),
        None => false,
    };
    for name in PASSED {
        if let Some(value) = fields.value(name) {
            request = request.extra(*name, value);
        }
    }
    for (name, held) in NO_MATTER {
        let written = fields.value(name).map(|value| value.to_string());
        if written.is_some_and(|written| written != *held) {
            return Err(unsupported(name));
        }
    }
    match fields.rest().keys().next() {
        None => {}
        Some(name) => return Err(unknown(name.as_str())),
    }
    // OpenAI's clients send temperatures and tools, which many models refuse while they reason.
    let mut defaults = Defaults::NONE;
    defaults.no_reasoning = true;
    Ok(Completion {
        ask: Ask { request, defaults },
        stream,
        include_usage,
    })
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

fn stop(fields: &mut Fields) -> Result<Vec<String>, ApiError> {
    let place = fields.place("stop");
    match fields.value("stop") {
        None => Ok(Vec::new()),
        Some(Value::String(stop)) => Ok(vec![stop]),
        Some(list @ Value::Array(_)) => {
            let mut whole = Fields::of(json!({"stop": list}), "")?;
            Ok(whole.texts("stop")?.unwrap_or_default())
        }
        Some(other) => Err(wrong(&place, "a string or an array of strings", &other)),
    }
}

fn tools(fields: &mut Fields) -> Result<Vec<Tool>, ApiError> {
    let list = fields.list("tools")?.unwrap_or_default();
    let read = |(n, value)| {
        let mut tool = Fields::of(value, &format!("tools[{n}]"))?;
        match tool.text("type")?.as_deref() {
            Some("function") => {}
            _ => {
                return Err(ApiError::invalid(
                    tool.place("type"),
                    "a tool's type must be function",
                ));
            }
        }
        let function = tool.object("function")?;
        let mut function = function.ok_or_else(|| missing(tool.place("function")))?;
        let name = function
            .text("name")?
            .ok_or_else(|| missing(function.place("name")))?;
        let parameters = function.value("parameters");
        let parameters = parameters.unwrap_or_else(|| json!({"type": "object", "properties": {}}));
        let mut made = Tool::new(name, parameters);
        made.description = function.text("description")?;
        made.strict = function.flag("strict")?;
        function.end()?;
        tool.end()?;
        Ok(made)
    };
    list.into_iter().enumerate().map(read).collect()
}

fn tool_choice(fields: &mut Fields) -> Result<Option<ToolChoice>, ApiError> {
    let choice = match fields.value("tool_choice") {
        None => return Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            _ => return Err(unsupported("tool_choice")),
        },
        Some(value) => match value["function"]["name"].as_str() {
            Some(name) => ToolChoice::Tool(name.to_owned()),
            None => return Err(unsupported("tool_choice")),
        },
    };
    Ok(Some(choice))
}

fn response_format(fields: &mut Fields) -> Result<Option<ResponseFormat>, ApiError> {
    let Some(mut format) = fields.object("response_format")? else {
        return Ok(None);
    };
    let format = match format.text("type")?.as_deref() {
        Some("text") => ResponseFormat::Text,
        Some("json_object") => ResponseFormat::JsonObject,
        Some("json_schema") => {
            let schema = format.object("json_schema")?;
            let mut schema = schema.ok_or_else(|| missing(format.place("json_schema")))?;
            let name = schema
                .text("name")?
                .ok_or_else(|| missing(schema.place("name")))?;
            ResponseFormat::JsonSchema {
                name,
                schema: schema.value("schema").unwrap_or_else(|| json!({})),
                strict: schema.flag("strict")?.unwrap_or(false),
            }
        }
        _ => return Err(unsupported("response_format")),
    };
    Ok(Some(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_body(mut body: Value) -> Result<Completion, ApiError> {
        let allowed = Allowed {
            models: vec!["m".into()],
            max_messages: 10,
            max_tokens: 100,
        };
        let whole = body.as_object_mut().unwrap();
        whole.entry("model").or_insert(json!("m"));
        whole
            .entry("messages")
            .or_insert(json!([{"role": "user", "content": "hi"}]));
        read(Fields::of(body, "").unwrap(), &allowed)
    }

    #[test]
    fn every_field_has_its_place() {
        let read = read_body(json!({
            "temperature": 0.5, "top_p": 0.9, "seed": -1, "max_completion_tokens": 7, "max_tokens": 9,
            "stop": ["a", "b"], "stream": true, "stream_options": {"include_usage": true},
            "tools": [{"type": "function", "function": {"name": "f", "description": "d",
                "parameters": {"type": "object"}, "strict": true}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}},
            "reasoning_effort": "low", "presence_penalty": 1, "user": "u", "n": 1,
        }))
        .unwrap();
        let request = &read.ask.request;
        assert!(read.stream && read.include_usage);
        assert_eq!(request.max_tokens, Some(7));
        assert_eq!(request.stop, ["a", "b"]);
        assert_eq!(request.tools[0].strict, Some(true));
        assert_eq!(request.tool_choice, Some(ToolChoice::Tool("f".into())));
        assert_eq!(request.reasoning_effort, Some(ReasoningEffort::Low));
        assert_eq!(request.extra["presence_penalty"], 1);
        assert!(!request.extra.contains_key("n"));
    }

    #[test]
    fn keys_keep_their_order() {
        let text = r#"{"type":"object","properties":{"steps":{"z":1,"a":2},"answer":{}}}"#;
        let schema: Value = serde_json::from_str(text).unwrap();
        let read = read_body(json!({
            "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}},
        }));
        let request = read.unwrap().ask.request;
        assert_eq!(request.tools[0].parameters.to_string(), text);
        let Some(ResponseFormat::JsonSchema { schema, .. }) = request.response_format else {
            panic!("{:?}", request.response_format);
        };
        assert_eq!(schema.to_string(), text);
    }

    #[test]
    fn the_limit_of_tokens_holds_where_none_is_asked_for() {
        assert_eq!(
            read_body(json!({})).unwrap().ask.request.max_tokens,
            Some(100)
        );
        let error = read_body(json!({"max_tokens": 101})).unwrap_err();
        assert_eq!(error.code, "too_many_tokens");
    }

    #[test]
    fn what_could_pass_a_limit_by_is_refused() {
        for (body, code) in [
            (json!({"models": ["other"]}), "unknown_field"),
            (json!({"max_output_tokens": 1_000_000}), "unknown_field"),
            (json!({"n": 100}), "unsupported_value"),
            (json!({"model": "other"}), "model_not_found"),
            (json!({"tool_choice": "always"}), "unsupported_value"),
            (json!({"stream": "yes"}), "invalid_type"),
            (json!({"tools": [{"type": "web_search"}]}), "invalid_value"),
        ] {
            assert_eq!(read_body(body.clone()).unwrap_err().code, code, "{body}");
        }
    }
}

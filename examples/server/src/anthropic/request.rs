//! Reads the body of `/v1/messages`.

use chatcore::chat::{ReasoningEffort, ResponseFormat, Role};
use chatcore::{ChatRequest, Defaults, Message, Part, Tool, ToolChoice};
use serde_json::json;

use super::message::read_blocks;
use super::{DIALECT, kept, message};
use crate::ask::{Allowed, Ask};
use crate::errors::ApiError;
use crate::fields::{Fields, missing, unknown};

/// Fields that only Anthropic understands. They are passed on if the provider speaks Anthropic's
/// protocol, and dropped otherwise, because they do not change the answer.
const HINTS: &[&str] = &["cache_control", "metadata", "inference_geo"];

/// A request, and how to answer it.
#[derive(Debug)]
pub(crate) struct Messages {
    pub(crate) ask: Ask,
    pub(crate) stream: bool,
}

/// Reads the body. `dialect` is the provider's dialect.
pub(crate) fn read(
    mut fields: Fields,
    allowed: &Allowed,
    dialect: &str,
) -> Result<Messages, ApiError> {
    let model = fields.text("model")?.ok_or_else(|| missing("model"))?;
    let model = allowed.model(Some(model))?;
    let max_tokens = fields.count("max_tokens")?;
    let max_tokens = max_tokens.ok_or_else(|| missing("max_tokens"))?;
    let max_tokens = allowed.tokens("max_tokens", max_tokens)?;
    let list = fields.list("messages")?;
    let list = list.ok_or_else(|| missing("messages"))?;
    let mut messages = allowed.conversation(list, message::read)?;
    if let Some(system) = fields.value("system") {
        let parts = read_blocks(system, "system")?;
        if parts.iter().any(|part| !matches!(part, Part::Text(_))) {
            return Err(ApiError::invalid(
                "system",
                "a system prompt can only be text",
            ));
        }
        messages.insert(0, Message::new(Role::System, parts));
    }
    let mut request = ChatRequest::new(messages).model(model);
    request.max_tokens = Some(max_tokens);
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.stop = fields.texts("stop_sequences")?.unwrap_or_default();
    request.tools = tools(&mut fields)?;
    let is_own = dialect == DIALECT;
    request = tool_choice(&mut fields, request, is_own)?;
    request = thinking(&mut fields, request, is_own)?;
    if let Some(top_k) = fields.value("top_k") {
        request = request.extra("top_k", top_k);
    }
    for name in HINTS {
        if let Some(value) = fields.value(name).filter(|_| is_own) {
            request = request.extra(*name, value);
        }
    }
    let stream = fields.flag("stream")?.unwrap_or(false);
    // Only the value that applies anyway is accepted.
    let tier = fields.text("service_tier")?;
    if tier.is_some_and(|tier| tier != "auto") {
        return Err(ApiError::invalid(
            "service_tier",
            "this server does not offer this value of service_tier",
        ));
    }
    if let Some(name) = fields.rest().keys().next() {
        return Err(unknown(name.as_str()));
    }
    // Without a request for thinking, the model should answer without reasoning.
    let mut defaults = Defaults::NONE;
    defaults.no_reasoning = request.reasoning_effort.is_none();
    Ok(Messages {
        ask: Ask { request, defaults },
        stream,
    })
}

fn tools(fields: &mut Fields) -> Result<Vec<Tool>, ApiError> {
    let list = fields.list("tools")?.unwrap_or_default();
    let read = |(n, value)| {
        let mut tool = Fields::of(value, &format!("tools[{n}]"))?;
        if tool.text("type")?.is_some_and(|kind| kind != "custom") {
            return Err(ApiError::invalid(
                tool.place("type"),
                "this server does not offer the provider's own tools; a tool's type must be custom",
            ));
        }
        let name = tool.text("name")?;
        let name = name.ok_or_else(|| missing(tool.place("name")))?;
        let schema = tool.value("input_schema");
        let schema = schema.ok_or_else(|| missing(tool.place("input_schema")))?;
        let mut made = Tool::new(name, schema);
        made.description = tool.text("description")?;
        made.strict = tool.flag("strict")?;
        made.extra = kept(tool.rest());
        Ok(made)
    };
    list.into_iter().enumerate().map(read).collect()
}

fn tool_choice(
    fields: &mut Fields,
    mut request: ChatRequest,
    is_own: bool,
) -> Result<ChatRequest, ApiError> {
    let Some(mut choice) = fields.object("tool_choice")? else {
        return Ok(request);
    };
    let kind = choice.text("type")?.unwrap_or_default();
    let name = choice.text("name")?;
    let is_alone = choice.flag("disable_parallel_tool_use")?.unwrap_or(false);
    request.tool_choice = Some(match (&*kind, &name) {
        ("auto", _) => ToolChoice::Auto,
        ("any", _) => ToolChoice::Required,
        ("none", _) => ToolChoice::None,
        ("tool", Some(name)) => ToolChoice::Tool(name.clone()),
        ("tool", None) => return Err(missing("tool_choice.name")),
        _ => {
            return Err(ApiError::invalid(
                "tool_choice.type",
                "the type of tool_choice must be auto, any, none or tool",
            ));
        }
    });
    choice.end()?;
    Ok(match (is_alone, is_own) {
        (false, _) => request,
        (true, true) => {
            let mut whole = json!({"type": kind, "disable_parallel_tool_use": true});
            if let Some(name) = name {
                whole["name"] = json!(name);
            }
            request.extra("tool_choice", whole)
        }
        (true, false) => request.extra("parallel_tool_calls", false),
    })
}

/// Reads how much the model should think, and the schema of its answer.
fn thinking(
    fields: &mut Fields,
    mut request: ChatRequest,
    is_own: bool,
) -> Result<ChatRequest, ApiError> {
    let mut effort = None;
    if let Some(whole) = fields.value("output_config") {
        let mut config = Fields::of(whole.clone(), "output_config")?;
        if is_own {
            request = request.extra("output_config", whole);
        }
        effort = config.text("effort")?.map(ReasoningEffort::from);
        if let Some(mut format) = config.object("format")? {
            if format.text("type")?.as_deref() != Some("json_schema") {
                return Err(ApiError::invalid(
                    format.place("type"),
                    "a format's type must be json_schema",
                ));
            }
            let schema = format.value("schema");
            request.response_format = Some(ResponseFormat::JsonSchema {
                name: "answer".to_owned(),
                schema: schema.ok_or_else(|| missing(format.place("schema")))?,
                strict: true,
            });
            format.end()?;
        }
        config.end()?;
    }
    let Some(whole) = fields.value("thinking") else {
        // An effort without thinking steers the answer of an Anthropic model. With other providers
        // it would turn reasoning on.
        return Ok(request);
    };
    let mut thinking = Fields::of(whole.clone(), "thinking")?;
    let asked = match thinking.text("type")?.as_deref() {
        Some("disabled") => None,
        // Anthropic's own default effort.
        Some("adaptive") => Some(effort.unwrap_or(ReasoningEffort::High)),
        Some("enabled") => {
            let budget = thinking.count("budget_tokens")?;
            let budget = budget.ok_or_else(|| missing("thinking.budget_tokens"))?;
            Some(share(budget, request.max_tokens.unwrap_or(budget)))
        }
        _ => {
            return Err(ApiError::invalid(
                "thinking.type",
                "the type of thinking must be adaptive, enabled or disabled",
            ));
        }
    };
    request.reasoning_effort = asked;
    Ok(match is_own {
        true => request.extra("thinking", whole),
        false => request,
    })
}

/// The effort whose usual share of an answer's tokens is closest to the budget's.
fn share(budget: u32, max_tokens: u32) -> ReasoningEffort {
    let percent = u64::from(budget) * 100 / u64::from(max_tokens.max(1));
    match percent {
        0..=34 => ReasoningEffort::Low,
        35..=64 => ReasoningEffort::Medium,
        _ => ReasoningEffort::High,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read_body(mut body: Value, dialect: &str) -> Result<Messages, ApiError> {
        let allowed = Allowed {
            models: vec!["m".into()],
            max_messages: 10,
            max_tokens: 100,
        };
        let whole = body.as_object_mut().unwrap();
        whole.entry("model").or_insert(json!("m"));
        whole.entry("max_tokens").or_insert(json!(100));
        let hi = json!([{"role": "user", "content": "hi"}]);
        whole.entry("messages").or_insert(hi);
        read(Fields::of(body, "").unwrap(), &allowed, dialect)
    }

    #[test]
    fn every_field_has_its_place() {
        let body = json!({
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "temperature": 0.5, "top_p": 0.9, "top_k": 5, "stop_sequences": ["a"], "stream": true,
            "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"},
                "cache_control": {"type": "ephemeral"}}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
            "thinking": {"type": "adaptive"}, "metadata": {"user_id": "u"},
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        });
        let read = read_body(body.clone(), "openai_chat").unwrap();
        let request = &read.ask.request;
        assert!(read.stream);
        assert_eq!(request.messages[0].text(), "Be brief.");
        assert_eq!(request.tool_choice, Some(ToolChoice::Required));
        assert_eq!(request.reasoning_effort, Some(ReasoningEffort::Low));
        assert!(request.tools[0].extra["anthropic"]["cache_control"].is_object());
        let names: Vec<_> = request.extra.keys().collect();
        assert_eq!(names, ["parallel_tool_calls", "top_k"]);
        let read = read_body(body, "anthropic").unwrap();
        let extra = &read.ask.request.extra;
        assert_eq!(extra["thinking"], json!({"type": "adaptive"}));
        assert_eq!(extra["metadata"], json!({"user_id": "u"}));
        assert_eq!(extra["tool_choice"]["disable_parallel_tool_use"], true);
    }

    #[test]
    fn budgets_are_efforts() {
        for (budget, effort) in [(20, "low"), (50, "medium"), (90, "high")] {
            let thinking = json!({"type": "enabled", "budget_tokens": budget});
            let read = read_body(json!({"thinking": thinking}), "gemini").unwrap();
            let asked = read.ask.request.reasoning_effort.unwrap();
            assert_eq!(asked.as_str(), effort);
        }
        let off = json!({"thinking": {"type": "disabled"}});
        let read = read_body(off, "gemini").unwrap();
        assert!(read.ask.defaults.no_reasoning);
    }

    #[test]
    fn what_could_pass_a_limit_by_is_refused() {
        for (body, code) in [
            (json!({"max_tokens": 101}), "too_many_tokens"),
            (json!({"max_tokens": null}), "missing_field"),
            (json!({"model": "other"}), "model_not_found"),
            (json!({"fallback_model": "x"}), "unknown_field"),
            (
                json!({"tools": [{"type": "web_search_20250305", "name": "w"}]}),
                "invalid_value",
            ),
            (json!({"tool_choice": {"type": "x"}}), "invalid_value"),
            (json!({"thinking": {"type": "x"}}), "invalid_value"),
            (json!({"service_tier": "priority"}), "invalid_value"),
            (
                json!({"system": [{"type": "image", "source": {"type": "url", "url": "x"}}]}),
                "invalid_value",
            ),
        ] {
            let error = read_body(body.clone(), "anthropic").unwrap_err();
            assert_eq!(error.code, code, "{body}");
        }
    }
}

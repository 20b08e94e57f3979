//! The body of a messages request → [`Ask`].

use serde_json::Value;

use crate::demo::ask::{
    Ask, Refusal, Speaker, ToolChoice, ToolSpec, Turn, check_number, count, field, flag, list,
    messages, stops, text, typed,
};

/// Reads a request.
pub(crate) fn read(body: &Value) -> Result<Ask, Refusal> {
    if !body.is_object() {
        return Err(Refusal::new("The request body is not a JSON object"));
    }
    let model = text(body, "model")?.ok_or_else(|| required("model"))?;
    let max_tokens = count(body, "max_tokens")?.ok_or_else(|| required("max_tokens"))?;
    check_number(body, "temperature", 1.0)?;
    check_number(body, "top_p", 1.0)?;
    // The demo model does not reason, however much it is asked to.
    typed(body, "thinking", "an object", Value::as_object)?;
    typed(body, "output_config", "an object", Value::as_object)?;
    let mut turns = Vec::new();
    for (place, message) in messages(body)?.iter().enumerate() {
        turns.push(read_message(place, message)?);
    }
    Ok(Ask {
        model,
        system: read_system(body)?,
        turns,
        stream: flag(body, "stream")?,
        stream_usage: true,
        max_tokens: Some(max_tokens),
        stop: stops(body, "stop_sequences")?,
        tools: read_tools(body)?,
        tool_choice: read_tool_choice(body)?,
        schema: None,
    })
}

fn required(name: &str) -> Refusal {
    Refusal::new(format!("{name}: Field required"))
}

/// The system prompt: a string, or an array of text blocks.
fn read_system(body: &Value) -> Result<String, Refusal> {
    let system = typed(
        body,
        "system",
        "a string or an array of text blocks",
        |value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Array(blocks) => {
                let texts: Option<Vec<_>> =
                    blocks.iter().map(|block| block["text"].as_str()).collect();
                texts.map(|texts| texts.join("\n"))
            }
            _ => None,
        },
    )?;
    Ok(system.unwrap_or_default())
}

fn read_message(place: usize, message: &Value) -> Result<Turn, Refusal> {
    let param = |field: &str| format!("messages.{place}.{field}");
    let role = field(message, "role").unwrap_or(&Value::Null);
    let mut turn = Turn {
        speaker: match role.as_str() {
            Some("user") => Speaker::User,
            Some("assistant") => Speaker::Model,
            _ => {
                return Err(Refusal::invalid(
                    param("role"),
                    "'user' or 'assistant'",
                    role,
                ));
            }
        },
        text: String::new(),
        images: 0,
    };
    match field(message, "content") {
        Some(Value::String(text)) => turn.text = text.clone(),
        Some(Value::Array(blocks)) => {
            for (block_place, block) in blocks.iter().enumerate() {
                read_block(block, &mut turn).ok_or_else(|| {
                    let param = param(&format!("content.{block_place}.type"));
                    Refusal::invalid(param, "a known type of block", &block["type"])
                })?;
            }
        }
        other => {
            let found = other.unwrap_or(&Value::Null);
            return Err(Refusal::invalid(
                param("content"),
                "a string or an array of blocks",
                found,
            ));
        }
    }
    Ok(turn)
}

fn read_block(block: &Value, turn: &mut Turn) -> Option<()> {
    match block["type"].as_str()? {
        "text" => turn.text += block["text"].as_str()?,
        "image" => turn.images += 1,
        "tool_result" => {
            turn.speaker = Speaker::Tool;
            match &block["content"] {
                Value::String(text) => turn.text += text,
                Value::Array(parts) => {
                    turn.text
                        .extend(parts.iter().filter_map(|part| part["text"].as_str()));
                }
                _ => {}
            }
        }
        "tool_use" | "thinking" | "redacted_thinking" | "document" => {}
        _ => return None,
    }
    Some(())
}

fn read_tools(body: &Value) -> Result<Vec<ToolSpec>, Refusal> {
    let mut tools = Vec::new();
    for (place, tool) in list(body, "tools")?.iter().enumerate() {
        let Some(name) = tool["name"].as_str() else {
            return Err(required(&format!("tools.{place}.name")));
        };
        tools.push(ToolSpec {
            name: name.to_owned(),
            parameters: tool["input_schema"].clone(),
        });
    }
    Ok(tools)
}

fn read_tool_choice(body: &Value) -> Result<ToolChoice, Refusal> {
    let expected = "an object of type 'auto', 'any', 'tool' or 'none'";
    let choice = typed(body, "tool_choice", expected, |choice| {
        Some(match choice["type"].as_str()? {
            "auto" => ToolChoice::Auto,
            "any" => ToolChoice::Required,
            "none" => ToolChoice::None,
            "tool" => ToolChoice::Named(choice["name"].as_str()?.to_owned()),
            _ => return None,
        })
    })?;
    Ok(choice.unwrap_or(ToolChoice::Auto))
}

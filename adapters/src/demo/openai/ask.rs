//! The body of a chat completion request → [`Ask`].

use serde_json::Value;

use crate::demo::ask::{
    Ask, Refusal, Speaker, ToolChoice, ToolSpec, Turn, check_number, count, field, flag, list,
    messages, stops, text, typed,
};

/// Reads a request.
pub(crate) fn read(body: &Value) -> Result<Ask, Refusal> {
    if !body.is_object() {
        return Err(Refusal::new(
            "The body of your request is not a JSON object.",
        ));
    }
    let model = text(body, "model")?.ok_or_else(|| Refusal::missing("model"))?;
    check_number(body, "temperature", 2.0)?;
    check_number(body, "top_p", 1.0)?;
    if field(body, "n").is_some_and(|n| n.as_u64() != Some(1)) {
        return Err(Refusal::invalid(
            "n",
            "1 (the demo model gives one choice)",
            &body["n"],
        ));
    }
    // The demo model does not reason, however much it is asked to.
    text(body, "reasoning_effort")?;
    typed(body, "thinking", "an object", Value::as_object)?;
    let (old, new) = (
        count(body, "max_tokens")?,
        count(body, "max_completion_tokens")?,
    );
    let mut system = Vec::new();
    let mut turns = Vec::new();
    for (place, message) in messages(body)?.iter().enumerate() {
        read_message(place, message, &mut system, &mut turns)?;
    }
    let stream_options = field(body, "stream_options").unwrap_or(&Value::Null);
    Ok(Ask {
        model,
        system: system.join("\n"),
        turns,
        stream: flag(body, "stream")?,
        stream_usage: flag(stream_options, "include_usage")?,
        max_tokens: new.or(old),
        stop: stops(body, "stop")?,
        tools: read_tools(body)?,
        tool_choice: read_tool_choice(body)?,
        schema: read_format(body)?,
    })
}

fn read_message(
    place: usize,
    message: &Value,
    system: &mut Vec<String>,
    turns: &mut Vec<Turn>,
) -> Result<(), Refusal> {
    let param = |field: &str| format!("messages[{place}].{field}");
    let role = field(message, "role").unwrap_or(&Value::Null);
    let speaker = match role.as_str() {
        Some("system" | "developer") => None,
        Some("user") => Some(Speaker::User),
        Some("assistant") => Some(Speaker::Model),
        Some("tool" | "function") => Some(Speaker::Tool),
        _ => {
            let roles = "one of 'system', 'developer', 'user', 'assistant', 'tool'";
            return Err(Refusal::invalid(param("role"), roles, role));
        }
    };
    let (text, images) = match field(message, "content") {
        Some(Value::String(text)) => (text.clone(), 0),
        Some(Value::Array(parts)) => read_parts(place, parts)?,
        // An assistant's tool calls need no text.
        None if speaker == Some(Speaker::Model) => (String::new(), 0),
        other => {
            let found = other.unwrap_or(&Value::Null);
            return Err(Refusal::invalid(
                param("content"),
                "a string or an array of parts",
                found,
            ));
        }
    };
    match speaker {
        None => system.push(text),
        Some(speaker) => turns.push(Turn {
            speaker,
            text,
            images,
        }),
    }
    Ok(())
}

fn read_parts(place: usize, parts: &[Value]) -> Result<(String, usize), Refusal> {
    let mut text = String::new();
    let mut images = 0;
    for (part_place, part) in parts.iter().enumerate() {
        match part["type"].as_str() {
            Some("text" | "refusal") => {
                text += part["text"]
                    .as_str()
                    .or(part["refusal"].as_str())
                    .unwrap_or("");
            }
            Some("image_url") => images += 1,
            _ => {
                let param = format!("messages[{place}].content[{part_place}].type");
                let types = "one of 'text', 'image_url', 'refusal'";
                return Err(Refusal::invalid(param, types, &part["type"]));
            }
        }
    }
    Ok((text, images))
}

fn read_tools(body: &Value) -> Result<Vec<ToolSpec>, Refusal> {
    let mut tools = Vec::new();
    for (place, tool) in list(body, "tools")?.iter().enumerate() {
        let function = &tool["function"];
        let Some(name) = function["name"].as_str() else {
            return Err(Refusal::missing(&format!("tools[{place}].function.name")));
        };
        tools.push(ToolSpec {
            name: name.to_owned(),
            parameters: function["parameters"].clone(),
        });
    }
    Ok(tools)
}

fn read_tool_choice(body: &Value) -> Result<ToolChoice, Refusal> {
    let expected = "'auto', 'none', 'required' or a function";
    let choice = typed(body, "tool_choice", expected, |choice| {
        Some(match choice.as_str() {
            Some("auto") => ToolChoice::Auto,
            Some("none") => ToolChoice::None,
            Some("required") => ToolChoice::Required,
            Some(_) => return None,
            None => ToolChoice::Named(choice["function"]["name"].as_str()?.to_owned()),
        })
    })?;
    Ok(choice.unwrap_or(ToolChoice::Auto))
}

/// The schema of the answer; an empty one for any JSON object.
fn read_format(body: &Value) -> Result<Option<Value>, Refusal> {
    let format = &body["response_format"];
    Ok(match format["type"].as_str() {
        Some("json_schema") => Some(format["json_schema"]["schema"].clone()),
        Some("json_object") => Some(Value::Null),
        Some("text") | None => None,
        Some(_) => {
            let types = "one of 'text', 'json_object', 'json_schema'";
            return Err(Refusal::invalid(
                "response_format.type",
                types,
                &format["type"],
            ));
        }
    })
}

//! Checks that hold for every dialect, before a request is encoded.

use crate::chat::{ChatRequest, Message, Part, Role, ToolChoice};
use crate::error::Error;
use crate::json;
use crate::quote::Quoted;

/// Refuses what no provider can answer.
pub(super) fn validate(request: &ChatRequest) -> Result<(), Error> {
    if request
        .model
        .as_deref()
        .is_some_and(|model| model.trim().is_empty())
    {
        return refuse("the model's name is empty");
    }
    if !request.messages.iter().any(says_something) {
        return refuse("there is nothing to answer: no message has any content");
    }
    // Some servers give tool calls no ids, so the results of those calls cannot name one.
    let mut has_nameless_call = false;
    for (place, message) in request.messages.iter().enumerate() {
        // The message may hold a tool call in `extra`, in a form that is no part.
        if message.parts.is_empty() && message.extra.is_empty() {
            return refuse(format!("message {place} has no parts"));
        }
        check_parts(place, message, has_nameless_call)?;
        has_nameless_call |= message.tool_calls().any(|call| call.id.is_empty());
    }
    if let Some(temperature) = request.temperature {
        in_range("temperature", temperature, 2)?;
    }
    if let Some(top_p) = request.top_p {
        in_range("top_p", top_p, 1)?;
    }
    if request.max_tokens == Some(0) {
        return refuse("max_tokens is 0, so there would be no answer");
    }
    if request.stop.iter().any(String::is_empty) {
        return refuse("`stop` contains an empty text, which would end every answer at once");
    }
    check_tools(request)
}

fn check_tools(request: &ChatRequest) -> Result<(), Error> {
    for (place, tool) in request.tools.iter().enumerate() {
        let name = &tool.name;
        if name.is_empty() {
            return refuse("a tool has no name");
        }
        // The most that a provider allows: Anthropic allows 128 bytes, and Gemini dots and colons.
        if name.len() > 128 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refuse(format!(
                "{} is not a valid tool name: use letters, digits, _ and -, and at most 64 of \
                 them, which every provider accepts",
                Quoted(name)
            ));
        }
        if request.tools[..place]
            .iter()
            .any(|other| other.name == *name)
        {
            return refuse(format!("two tools have the name {}", Quoted(name)));
        }
        if !tool.parameters.is_object() {
            return refuse(format!(
                "the parameters of the tool {} must be a JSON Schema object",
                Quoted(name)
            ));
        }
    }
    // `extra` may hold the provider's own tools.
    let has_others = request.extra.contains_key("tools");
    match &request.tool_choice {
        Some(ToolChoice::Required) if request.tools.is_empty() && !has_others => {
            refuse("tool_choice requires a tool call, but the request has no tools")
        }
        Some(ToolChoice::Tool(name))
            if !has_others && request.tools.iter().all(|tool| tool.name != *name) =>
        {
            refuse(format!(
                "tool_choice names the tool {}, but the request has no such tool",
                Quoted(name)
            ))
        }
        _ => Ok(()),
    }
}

fn says_something(message: &Message) -> bool {
    message.parts.iter().any(|part| match part {
        Part::Text(text) => !text.text.trim().is_empty(),
        _ => true,
    })
}

fn check_parts(place: usize, message: &Message, has_nameless_call: bool) -> Result<(), Error> {
    let role = message.role.as_str();
    for part in &message.parts {
        match (part, &message.role) {
            (Part::ToolResult(result), _) if result.call_id.is_empty() && !has_nameless_call => {
                return refuse(format!(
                    "a tool result in message {place} does not name the call it belongs to"
                ));
            }
            (Part::ToolResult(_), Role::System | Role::Assistant) => {
                return refuse(format!(
                    "message {place} has the role {role} and holds a tool result; use the role tool"
                ));
            }
            (Part::ToolCall(call), _) if call.name.is_empty() => {
                return refuse(format!("a tool call in message {place} names no tool"));
            }
            (Part::ToolCall(_), Role::System | Role::User) => {
                return refuse(format!(
                    "message {place} has the role {role} and holds a tool call; only assistant \
                     messages may"
                ));
            }
            (Part::ToolResult(_), _) => {}
            (_, Role::Tool) if !message.extra.contains_key("tool_call_id") => {
                return refuse(format!(
                    "message {place} has the role tool and does not name the call it belongs to; \
                     use Message::tool_result"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn in_range(name: &str, value: f64, most: u32) -> Result<(), Error> {
    // Also false for NaN.
    if (0.0..=most.into()).contains(&value) {
        return Ok(());
    }
    let value = json::float_shown(value);
    refuse(format!("{name} is {value}; it must be from 0 to {most}"))
}

fn refuse(why: impl Into<String>) -> Result<(), Error> {
    Err(Error::invalid(why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::{Tool, ToolCall, ToolResult};

    #[test]
    fn each_says_what_is_wrong() {
        let hi = || ChatRequest::new([Message::user("hi")]);
        let tool = |name: &str| Tool::new(name, json!({"type": "object"}));
        let no_messages: [Message; 0] = [];
        for (request, why) in [
            (ChatRequest::new(no_messages), "nothing to answer"),
            (ChatRequest::new([Message::user("  ")]), "nothing to answer"),
            (
                ChatRequest::new([Message::user("hi"), Message::new(Role::User, [])]),
                "message 1 has no parts",
            ),
            (hi().temperature(f64::NAN), "temperature is NaN"),
            (hi().temperature(-0.1), "temperature is -0.1"),
            (hi().temperature(2.1), "it must be from 0 to 2"),
            (hi().temperature(f64::INFINITY), "temperature is inf"),
            (hi().max_tokens(0), "max_tokens is 0"),
            (hi().model(" "), "model's name is empty"),
            (hi().tool(Tool::new("", json!({}))), "tool has no name"),
            (
                hi().tool(Tool::new("f", json!(1))),
                "must be a JSON Schema object",
            ),
            (
                ChatRequest::new([Message::tool_result("", "x")]),
                "does not name the call",
            ),
            (
                ChatRequest::new([Message::new(Role::Tool, [Part::text("x")])]),
                "does not name the call",
            ),
            (
                ChatRequest::new([Message::user("x").part(ToolCall::new("a", "f", ""))]),
                "only assistant messages",
            ),
            (
                ChatRequest::new([Message::assistant("x").part(ToolResult::new("a", ""))]),
                "use the role tool",
            ),
            (hi().tool(tool("a b")), "is not a valid tool name"),
            (hi().tool(tool(&"a".repeat(129))), "at most 64"),
            (hi().tool(tool("f")).tool(tool("f")), "two tools"),
            (
                ChatRequest {
                    tool_choice: Some(ToolChoice::Required),
                    ..hi()
                },
                "the request has no tools",
            ),
            (
                ChatRequest {
                    tool_choice: Some(ToolChoice::Tool("g".into())),
                    ..hi().tool(tool("f"))
                },
                "has no such tool",
            ),
            (
                ChatRequest {
                    stop: vec![String::new()],
                    ..hi()
                },
                "`stop` contains an empty text",
            ),
        ] {
            let error = validate(&request).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(why), "{why}: {error}");
        }
        assert!(validate(&hi().temperature(0.0).max_tokens(1)).is_ok());
        // Anthropic accepts this name.
        assert!(validate(&hi().tool(tool(&"a".repeat(128)))).is_ok());
        let nameless = Message::new(Role::Assistant, [ToolCall::new("", "f", "{}").into()]);
        let answered = [Message::user("x"), nameless, Message::tool_result("", "y")];
        assert!(validate(&ChatRequest::new(answered)).is_ok());
        let request = ChatRequest::new([
            Message::system("s"),
            Message::user("hi"),
            Message::new(Role::Assistant, [ToolCall::new("a", "f", "{}").into()]),
            Message::tool_result("a", "x"),
        ]);
        let request = ChatRequest {
            tool_choice: Some(ToolChoice::Tool("f".into())),
            ..request.tool(tool("f")).tool(tool("ns.g-2"))
        };
        assert!(validate(&request).is_ok());
    }
}

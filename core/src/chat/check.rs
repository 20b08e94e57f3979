//! What can be refused before a request is encoded, whatever the dialect.

use super::{ChatRequest, Message, Part};
use crate::error::Error;

/// Refuses what no provider can answer.
pub(crate) fn check(request: &ChatRequest) -> Result<(), Error> {
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
    for (place, message) in request.messages.iter().enumerate() {
        if message.parts.is_empty() {
            return refuse(format!("message {place} has no parts"));
        }
        check_parts(place, message)?;
    }
    if let Some(temperature) = request.temperature {
        in_range("temperature", temperature, 2.0)?;
    }
    if let Some(top_p) = request.top_p {
        in_range("top_p", top_p, 1.0)?;
    }
    if request.max_tokens == Some(0) {
        return refuse("max_tokens is 0, so there would be no answer");
    }
    for tool in &request.tools {
        if tool.name.is_empty() {
            return refuse("a tool has no name");
        }
        if !tool.parameters.is_object() {
            return refuse(format!(
                "the parameters of the tool {:?} are no JSON Schema object",
                tool.name
            ));
        }
    }
    Ok(())
}

fn says_something(message: &Message) -> bool {
    message.parts.iter().any(|part| match part {
        Part::Text(text) => !text.text.trim().is_empty(),
        _ => true,
    })
}

fn check_parts(place: usize, message: &Message) -> Result<(), Error> {
    for part in &message.parts {
        match part {
            Part::ToolResult(result) if result.call_id.is_empty() => {
                return refuse(format!(
                    "a tool result in message {place} does not name the call it belongs to"
                ));
            }
            Part::ToolCall(call) if call.name.is_empty() => {
                return refuse(format!("a tool call in message {place} names no tool"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn in_range(name: &str, value: f64, most: f64) -> Result<(), Error> {
    // False for what is not a number, too.
    match (0.0..=most).contains(&value) {
        true => Ok(()),
        false => refuse(format!("{name} is {value}; allowed is 0 to {most}")),
    }
}

fn refuse(why: impl Into<String>) -> Result<(), Error> {
    Err(Error::invalid(why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::{Role, Tool};

    #[test]
    fn each_says_what_is_wrong() {
        let hi = || ChatRequest::new([Message::user("hi")]);
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
            (hi().temperature(2.1), "allowed is 0 to 2"),
            (hi().temperature(f64::INFINITY), "temperature is inf"),
            (hi().max_tokens(0), "max_tokens is 0"),
            (hi().model(" "), "model's name is empty"),
            (hi().tool(Tool::new("", json!({}))), "tool has no name"),
            (hi().tool(Tool::new("f", json!(1))), "no JSON Schema"),
            (
                ChatRequest::new([Message::tool_result("", "x")]),
                "does not name the call",
            ),
        ] {
            let error = check(&request).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(why), "{why}: {error}");
        }
        assert!(check(&hi().temperature(0.0).max_tokens(1)).is_ok());
    }
}

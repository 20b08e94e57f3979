//! Reads one message in OpenAI's form.

use chatcore::chat::{Image, MediaSource, Reasoning, Refusal, ToolCall, ToolResult};
use chatcore::{Message, Part, Role};
use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::fields::{Fields, missing, wrong};

/// Reads the message at `path`.
pub(crate) fn read(value: Value, path: &str) -> Result<Message, ApiError> {
    let mut fields = Fields::of(value, path)?;
    let role = fields
        .text("role")?
        .ok_or_else(|| missing(fields.place("role")))?;
    let role = match role.as_str() {
        // `developer` is the role for instructions to OpenAI's newer models.
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => {
            return Err(ApiError::invalid(
                fields.place("role"),
                format!("{other:?} is not a role; use system, developer, user, assistant or tool"),
            ));
        }
    };
    let place = fields.place("content");
    let content = fields.value("content");
    if role == Role::Tool {
        return tool_result(fields, content, &place);
    }
    let mut parts = match content {
        None if role == Role::Assistant => Vec::new(),
        None => return Err(missing(place)),
        Some(content) => read_parts(content, &place)?,
    };
    let name = fields.text("name")?;
    if role == Role::Assistant {
        let reasoning = match fields.text("reasoning_content")? {
            Some(reasoning) => Some(reasoning),
            None => fields.text("reasoning")?,
        };
        if let Some(reasoning) = reasoning.filter(|text| !text.is_empty()) {
            parts.insert(0, Reasoning::new(reasoning).into());
        }
        if let Some(refusal) = fields.text("refusal")? {
            parts.push(Part::Refusal(Refusal::new(refusal)));
        }
        parts.extend(tool_calls(&mut fields)?);
        // Fields of an answer that clients send back, and that no provider reads.
        for ignored in ["annotations", "audio", "function_call", "reasoning_details"] {
            fields.value(ignored);
        }
    }
    fields.end()?;
    let mut message = Message::new(role, parts);
    message.name = name;
    Ok(message)
}

fn tool_result(
    mut fields: Fields,
    content: Option<Value>,
    place: &str,
) -> Result<Message, ApiError> {
    let id = fields.text("tool_call_id")?;
    let id = id.ok_or_else(|| missing(fields.place("tool_call_id")))?;
    let mut result = ToolResult::new(id, "");
    result.content = read_parts(content.ok_or_else(|| missing(place))?, place)?;
    fields.value("name");
    fields.end()?;
    Ok(Message::new(Role::Tool, [result.into()]))
}

fn read_parts(content: Value, path: &str) -> Result<Vec<Part>, ApiError> {
    match content {
        Value::String(text) => Ok(vec![Part::text(text)]),
        Value::Array(list) => {
            let read = |(n, value)| read_part(value, &format!("{path}[{n}]"));
            list.into_iter().enumerate().map(read).collect()
        }
        other => Err(wrong(path, "a string or an array of parts", &other)),
    }
}

fn read_part(value: Value, path: &str) -> Result<Part, ApiError> {
    let kind = value.get("type").and_then(Value::as_str).map(str::to_owned);
    let mut fields = Fields::of(value, path)?;
    let part = match kind.as_deref() {
        Some("text") => {
            let text = fields.text("text")?;
            Part::text(text.ok_or_else(|| missing(fields.place("text")))?)
        }
        Some("refusal") => {
            let refusal = fields.text("refusal")?;
            Part::Refusal(Refusal::new(
                refusal.ok_or_else(|| missing(fields.place("refusal")))?,
            ))
        }
        Some("image_url") => {
            let image = fields.object("image_url")?;
            let mut image = image.ok_or_else(|| missing(fields.place("image_url")))?;
            let url = image
                .text("url")?
                .ok_or_else(|| missing(image.place("url")))?;
            let mut part = Image::new(source(url));
            part.detail = image.text("detail")?;
            part.into()
        }
        Some(kind @ ("input_audio" | "file")) => {
            let body = fields.value(kind);
            return serde_json::from_value(json!({"type": kind, kind: body}))
                .map_err(|error| ApiError::invalid(fields.place(kind), error.to_string()));
        }
        _ => {
            return Err(ApiError::invalid(
                fields.place("type"),
                "a part's type must be text, image_url, input_audio, file or refusal",
            ));
        }
    };
    Ok(part)
}

/// The source of an image. A `data:` URL contains the image itself.
fn source(url: String) -> MediaSource {
    let inline = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(";base64,"));
    match inline {
        Some((media_type, data)) => MediaSource::base64(media_type, data),
        None => MediaSource::url(url),
    }
}

fn tool_calls(fields: &mut Fields) -> Result<Vec<Part>, ApiError> {
    let place = fields.place("tool_calls");
    let list = fields.list("tool_calls")?.unwrap_or_default();
    let read = |(n, value)| {
        let mut call = Fields::of(value, &format!("{place}[{n}]"))?;
        let id = call.text("id")?.ok_or_else(|| missing(call.place("id")))?;
        let function = call.object("function")?;
        let mut function = function.ok_or_else(|| missing(call.place("function")))?;
        let name = function
            .text("name")?
            .ok_or_else(|| missing(function.place("name")))?;
        let arguments = function.text("arguments")?.unwrap_or_default();
        let mut part = ToolCall::new(id, name, arguments);
        call.value("type");
        call.value("index");
        // The remaining fields belong to a provider, such as Gemini's thought signatures.
        part.extra = call.rest();
        Ok(part.into())
    };
    list.into_iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_tools() {
        let message = read(
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]}),
            "messages[0]",
        )
        .unwrap();
        assert_eq!(message.parts, [ToolCall::new("c1", "f", "{}").into()]);
        let result = json!({"role": "tool", "tool_call_id": "c1", "content": "sunny"});
        let result = read(result, "messages[1]").unwrap();
        assert_eq!(result, Message::tool_result("c1", "sunny"));
    }

    #[test]
    fn images_by_address_and_inline() {
        let image = |url| json!([{"type": "image_url", "image_url": {"url": url}}]);
        let read = |url| {
            let message = json!({"role": "user", "content": image(url)});
            read(message, "m").unwrap().parts.remove(0)
        };
        assert_eq!(read("https://x/y.png"), Part::image_url("https://x/y.png"));
        assert_eq!(
            read("data:image/png;base64,AAAA"),
            Part::image_base64("image/png", "AAAA")
        );
    }

    #[test]
    fn errors_name_the_place() {
        for (message, param) in [
            (json!({"content": "x"}), "m.role"),
            (json!({"role": "boss", "content": "x"}), "m.role"),
            (json!({"role": "user"}), "m.content"),
            (json!({"role": "user", "content": 1}), "m.content"),
            (
                json!({"role": "user", "content": [{"type": "tune"}]}),
                "m.content[0].type",
            ),
            (json!({"role": "tool", "content": "x"}), "m.tool_call_id"),
            (
                json!({"role": "user", "content": "x", "colour": 1}),
                "m.colour",
            ),
        ] {
            let error = read(message.clone(), "m").unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{message}");
        }
    }
}

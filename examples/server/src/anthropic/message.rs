//! Reads one message in Anthropic's form.

use chatcore::chat::{File, Image, MediaSource, Reasoning, Text, ToolCall, ToolResult};
use chatcore::{Message, Part, Role};
use serde_json::{Value, json};

use super::{DIALECT, kept, proofs};
use crate::errors::ApiError;
use crate::fields::{Fields, missing, wrong};

/// Reads the message at `path`.
pub(crate) fn read(value: Value, path: &str) -> Result<Message, ApiError> {
    let mut fields = Fields::of(value, path)?;
    let role = fields.text("role")?;
    let role = match role.as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some(other) => {
            return Err(ApiError::invalid(
                fields.place("role"),
                format!("{other:?} is not a role; use user, assistant or system"),
            ));
        }
        None => return Err(missing(fields.place("role"))),
    };
    let place = fields.place("content");
    let content = fields.value("content").ok_or_else(|| missing(&*place))?;
    let parts = read_blocks(content, &place)?;
    fields.end()?;
    Ok(Message::new(role, parts))
}

/// Reads a string or an array of blocks.
pub(super) fn read_blocks(content: Value, path: &str) -> Result<Vec<Part>, ApiError> {
    match content {
        Value::String(text) => Ok(vec![Part::text(text)]),
        Value::Array(list) => {
            let read = |(n, value)| read_block(value, &format!("{path}[{n}]"));
            list.into_iter().enumerate().map(read).collect()
        }
        other => Err(wrong(path, "a string or an array of blocks", &other)),
    }
}

fn read_block(value: Value, path: &str) -> Result<Part, ApiError> {
    let kind = value.get("type").and_then(Value::as_str).map(str::to_owned);
    let source = value["source"]["type"].as_str().map(str::to_owned);
    let mut fields = Fields::of(value.clone(), path)?;
    fields.value("type");
    let demand = |fields: &mut Fields, name: &str| {
        let text = fields.text(name)?;
        text.ok_or_else(|| missing(fields.place(name)))
    };
    Ok(match kind.as_deref() {
        Some("text") => {
            let mut text = Text::new(demand(&mut fields, "text")?);
            text.extra = kept(fields.rest());
            text.into()
        }
        Some("image") => {
            let mut image = Image::new(read_source(&mut fields)?);
            image.extra = kept(fields.rest());
            image.into()
        }
        // A document made of blocks has no matching part here, so it is passed on unchanged below.
        Some("document") if source.as_deref() != Some("content") => {
            let mut file = File::new(read_source(&mut fields)?);
            file.name = fields.text("title")?;
            file.extra = kept(fields.rest());
            file.into()
        }
        Some("tool_use") => {
            let (id, name) = (demand(&mut fields, "id")?, demand(&mut fields, "name")?);
            let input = fields.value("input").unwrap_or_else(|| json!({}));
            let mut call = ToolCall::new(id, name, input.to_string());
            call.extra = kept(fields.rest());
            call.into()
        }
        Some("tool_result") => {
            let mut result = ToolResult::new(demand(&mut fields, "tool_use_id")?, "");
            let place = fields.place("content");
            result.content = match fields.value("content") {
                Some(content) => read_blocks(content, &place)?,
                None => Vec::new(),
            };
            result.is_error = fields.flag("is_error")?.unwrap_or(false);
            result.extra = kept(fields.rest());
            result.into()
        }
        Some("thinking") => {
            let mut reasoning = Reasoning::new(demand(&mut fields, "thinking")?);
            let (signature, proofs) = proofs(fields.text("signature")?.unwrap_or_default());
            reasoning.signature = signature;
            reasoning.extra = kept(fields.rest());
            reasoning.extra.extend(proofs);
            reasoning.into()
        }
        Some("redacted_thinking") => {
            let mut reasoning = Reasoning::encrypted(demand(&mut fields, "data")?);
            reasoning.extra = kept(fields.rest());
            reasoning.into()
        }
        // Blocks of Anthropic's own tools and their results, passed on unchanged.
        Some(_) => Part::Other {
            dialect: Some(DIALECT.to_owned()),
            value,
        },
        None => return Err(missing(fields.place("type"))),
    })
}

fn read_source(fields: &mut Fields) -> Result<MediaSource, ApiError> {
    let source = fields.object("source")?;
    let mut source = source.ok_or_else(|| missing(fields.place("source")))?;
    let kind = source.text("type")?.unwrap_or_default();
    let mut demand = |name: &str| {
        let text = source.text(name)?;
        text.ok_or_else(|| missing(source.place(name)))
    };
    Ok(match &*kind {
        "base64" => MediaSource::base64(demand("media_type")?, demand("data")?),
        "url" => MediaSource::url(demand("url")?),
        "file" => MediaSource::file(demand("file_id")?),
        "text" => MediaSource::text(demand("data")?),
        _ => {
            return Err(ApiError::invalid(
                source.place("type"),
                "a source's type must be base64, url, file or text",
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use chatcore::ChatResponse;
    use chatcore_adapters::answers::anthropic::AnthropicForm;
    use chatcore_adapters::answers::{Form, Frame};

    use super::*;

    /// The block in which an answer sends this part.
    fn block(part: Part) -> Value {
        let mut answer = ChatResponse::default();
        answer.message = Message::new(Role::Assistant, vec![part]);
        AnthropicForm.whole(&answer, &Frame::default())["content"][0].take()
    }

    #[test]
    fn blocks_come_back_as_they_were() {
        for sent in [
            json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}),
            json!({"type": "thinking", "thinking": "hm", "signature": "s"}),
            json!({"type": "thinking", "thinking": "hm", "signature": ""}),
            json!({"type": "thinking", "thinking": "", "signature": "chatcore:{\"gemini\":{\"a\":1}}"}),
            json!({"type": "redacted_thinking", "data": "x"}),
            json!({"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1},
                "caller": {"type": "direct"}, "gemini": {"thoughtSignature": "s"}}),
            json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
        ] {
            let part = read_block(sent.clone(), "m").unwrap();
            assert_eq!(block(part), sent);
        }
    }

    #[test]
    fn files_and_results() {
        let pdf = json!({"type": "document", "title": "a.pdf", "citations": {"enabled": true},
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}});
        let Part::File(file) = read_block(pdf, "m").unwrap() else {
            panic!("no file");
        };
        assert_eq!(file.name.as_deref(), Some("a.pdf"));
        assert_eq!(
            file.extra["anthropic"]["citations"],
            json!({"enabled": true})
        );
        let result = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t",
            "content": [{"type": "text", "text": "sunny"}], "is_error": true}]});
        let expected = ToolResult::error("t", "sunny");
        assert_eq!(read(result, "m").unwrap().parts, [expected.into()]);
    }

    #[test]
    fn errors_name_the_place() {
        for (message, param) in [
            (json!({"content": "x"}), "m.role"),
            (json!({"role": "boss", "content": "x"}), "m.role"),
            (json!({"role": "user"}), "m.content"),
            (
                json!({"role": "user", "content": [{}]}),
                "m.content[0].type",
            ),
            (
                json!({"role": "user", "content": [{"type": "image", "source": {"type": "x"}}]}),
                "m.content[0].source.type",
            ),
            (
                json!({"role": "user", "content": [{"type": "tool_result"}]}),
                "m.content[0].tool_use_id",
            ),
        ] {
            let error = read(message.clone(), "m").unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{message}");
        }
    }
}

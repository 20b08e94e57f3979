//! Reads the items of `input` as messages.

use chatcore::chat::{Extra, File, Image, MediaSource, Reasoning, Refusal, ToolCall, ToolResult};
use chatcore::dialect::{NAMES, kit};
use chatcore::{Message, Part, Role};
use serde_json::{Map, Value, json};

use super::DIALECT;
use crate::errors::ApiError;
use crate::fields::{Fields, missing, wrong};

/// Reads the items. Consecutive items of the assistant become one message.
pub(crate) fn read(list: Vec<Value>) -> Result<Vec<Message>, ApiError> {
    let mut messages: Vec<Message> = Vec::new();
    for (n, value) in list.into_iter().enumerate() {
        let (role, parts) = read_item(value, &format!("input[{n}]"))?;
        match messages.last_mut() {
            Some(last) if last.role == role && role == Role::Assistant => last.parts.extend(parts),
            _ => messages.push(Message::new(role, parts)),
        }
    }
    Ok(messages)
}

fn read_item(value: Value, path: &str) -> Result<(Role, Vec<Part>), ApiError> {
    let kind = value.get("type").and_then(Value::as_str).map(str::to_owned);
    let whole = value.clone();
    let mut fields = Fields::of(value, path)?;
    fields.value("type");
    let demand = |fields: &mut Fields, name: &str| {
        let text = fields.text(name)?;
        text.ok_or_else(|| missing(fields.place(name)))
    };
    Ok(match kind.as_deref() {
        None | Some("message") => read_message(fields)?,
        Some("function_call") => {
            let id = demand(&mut fields, "call_id")?;
            let name = demand(&mut fields, "name")?;
            let arguments = fields.text("arguments")?.unwrap_or_default();
            let mut call = ToolCall::new(id, name, arguments);
            call.extra = kept(fields.rest());
            (Role::Assistant, vec![call.into()])
        }
        Some("function_call_output") => {
            let mut result = ToolResult::new(demand(&mut fields, "call_id")?, "");
            let place = fields.place("output");
            let output = fields.value("output").ok_or_else(|| missing(&*place))?;
            result.content = read_content(output, &place, &Extra::new())?;
            (Role::Tool, vec![result.into()])
        }
        Some("reasoning") => {
            let text = ["content", "summary"].map(|name| texts(&whole[name]));
            let text = text.into_iter().find(|text| !text.is_empty());
            let mut reasoning = Reasoning::new(text.unwrap_or_default());
            reasoning.signature = fields.text("signature")?;
            reasoning.encrypted = fields.text("redacted")?;
            reasoning.extra = kept(fields.rest());
            // OpenAI's own reasoning: its encrypted content must be sent back in the unchanged
            // item.
            if reasoning.extra.is_empty() && whole["encrypted_content"].is_string() {
                reasoning.extra = of_item(whole);
            }
            (Role::Assistant, vec![reasoning.into()])
        }
        Some("item_reference") => {
            return Err(ApiError::invalid(
                fields.place("type"),
                "this server stores no items; send whole items",
            ));
        }
        // Items of OpenAI's own tools, passed on unchanged.
        Some(_) => (
            Role::Assistant,
            vec![Part::Other {
                dialect: Some(DIALECT.to_owned()),
                value: whole,
            }],
        ),
    })
}

/// The joined texts of a list of parts.
fn texts(list: &Value) -> String {
    let texts = list.as_array().into_iter().flatten();
    texts.filter_map(|part| part["text"].as_str()).collect()
}

fn read_message(mut fields: Fields) -> Result<(Role, Vec<Part>), ApiError> {
    let role = fields.text("role")?;
    let role = match role.as_deref() {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some(other) => {
            return Err(ApiError::invalid(
                fields.place("role"),
                format!("{other:?} is not a role; use system, developer, user or assistant"),
            ));
        }
        None => return Err(missing(fields.place("role"))),
    };
    let place = fields.place("content");
    let content = fields.value("content").ok_or_else(|| missing(&*place))?;
    let phase = fields.value("phase");
    for name in ["id", "status"] {
        fields.value(name);
    }
    let mut extra = kept(fields.rest());
    if let (Some(phase), true) = (phase, extra.is_empty()) {
        extra = of_item(json!({"type": "message", "role": role.as_str(), "phase": phase}));
    }
    Ok((role, read_content(content, &place, &extra)?))
}

/// Keeps the fields that belong to dialects. This server wrote the others itself.
fn kept(fields: Map<String, Value>) -> Extra {
    let fields = fields.into_iter();
    fields
        .filter(|(name, _)| NAMES.contains(&&**name))
        .collect()
}

/// Stores OpenAI's item in a part, so that it is sent back unchanged.
fn of_item(item: Value) -> Extra {
    let own = json!({"item": item});
    kit::as_own(DIALECT, own.as_object().cloned().unwrap_or_default())
}

/// Reads a string or a list of parts. `extra` is the message's.
fn read_content(content: Value, path: &str, extra: &Extra) -> Result<Vec<Part>, ApiError> {
    let list = match content {
        Value::String(text) => vec![json!({"type": "input_text", "text": text})],
        Value::Array(list) => list,
        other => return Err(wrong(path, "a string or an array of parts", &other)),
    };
    let read = |(n, value)| {
        let mut part = read_part(value, &format!("{path}[{n}]"))?;
        match &mut part {
            Part::Text(text) => text.extra = extra.clone(),
            Part::Refusal(refusal) => refusal.extra = extra.clone(),
            _ => {}
        }
        Ok(part)
    };
    list.into_iter().enumerate().map(read).collect()
}

fn read_part(value: Value, path: &str) -> Result<Part, ApiError> {
    let mut fields = Fields::of(value, path)?;
    let kind = fields.text("type")?.unwrap_or_default();
    let demand = |fields: &mut Fields, name: &str| {
        let text = fields.text(name)?;
        text.ok_or_else(|| missing(fields.place(name)))
    };
    Ok(match &*kind {
        "input_text" | "output_text" => Part::text(demand(&mut fields, "text")?),
        "refusal" => Refusal::new(demand(&mut fields, "refusal")?).into(),
        "input_image" => {
            let source = match fields.text("file_id")? {
                Some(id) => MediaSource::file(id),
                None => of_url(&demand(&mut fields, "image_url")?),
            };
            let mut image = Image::new(source);
            image.detail = fields.text("detail")?;
            image.into()
        }
        "input_file" => {
            let name = fields.text("filename")?;
            let source = match (fields.text("file_id")?, fields.text("file_url")?) {
                (Some(id), _) => MediaSource::file(id),
                (None, Some(url)) => MediaSource::url(url),
                (None, None) => of_url(&demand(&mut fields, "file_data")?),
            };
            let mut file = File::new(source);
            file.name = name;
            file.into()
        }
        "input_audio" => {
            let sound = fields.value("input_audio");
            serde_json::from_value(json!({"type": "input_audio", "input_audio": sound})).map_err(
                |error| ApiError::invalid(fields.place("input_audio"), error.to_string()),
            )?
        }
        _ => {
            return Err(ApiError::invalid(
                fields.place("type"),
                "a part's type must be input_text, output_text, refusal, input_image, input_file \
                 or input_audio",
            ));
        }
    })
}

/// The source of a file. A `data:` URL contains the bytes themselves.
fn of_url(url: &str) -> MediaSource {
    let inline = url.strip_prefix("data:");
    match inline.and_then(|rest| rest.split_once(";base64,")) {
        Some((media_type, data)) => MediaSource::base64(media_type, data),
        None => MediaSource::url(url),
    }
}

#[cfg(test)]
mod tests {
    use chatcore::{ChatEvent, FinishReason, Fold};
    use chatcore_adapters::answers::openai_responses::OpenAiResponsesForm;
    use chatcore_adapters::answers::{Form, Frame};

    use super::*;

    #[test]
    fn a_round_of_tools_is_a_message_of_the_assistants() {
        let messages = read(vec![
            json!({"role": "developer", "content": "Be brief."}),
            json!({"role": "user", "content": [{"type": "input_text", "text": "weather?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                {"type": "input_file", "filename": "a.pdf",
                    "file_data": "data:application/pdf;base64,JVBE"}]}),
            json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "e",
                "summary": [{"type": "summary_text", "text": "hm"}]}),
            json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "Look", "annotations": []}]}),
            json!({"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f",
                "arguments": "{}", "gemini": {"thoughtSignature": "s"}}),
            json!({"type": "function_call_output", "call_id": "c1", "output": "sunny"}),
        ])
        .unwrap();
        let roles: Vec<_> = messages
            .iter()
            .map(|message| message.role.as_str())
            .collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool"]);
        assert_eq!(
            messages[1].parts[1],
            Part::image_base64("image/png", "AAAA")
        );
        let said = &messages[2];
        assert_eq!((said.parts.len(), &*said.reasoning()), (3, "hm"));
        let Part::Reasoning(reasoning) = &said.parts[0] else {
            panic!("{said:?}");
        };
        assert_eq!(reasoning.extra[DIALECT]["item"]["encrypted_content"], "e");
        let call = said.tool_calls().next().unwrap();
        assert_eq!(call.extra["gemini"]["thoughtSignature"], "s");
        assert_eq!(call.extra.get(DIALECT), None);
    }

    #[test]
    fn errors_name_the_place() {
        for (item, param) in [
            (json!({"content": "x"}), "input[0].role"),
            (json!({"role": "user"}), "input[0].content"),
            (
                json!({"role": "user", "content": [{"type": "tune"}]}),
                "input[0].content[0].type",
            ),
            (json!({"type": "function_call"}), "input[0].call_id"),
            (
                json!({"type": "function_call_output", "call_id": "c"}),
                "input[0].output",
            ),
            (
                json!({"type": "item_reference", "id": "x"}),
                "input[0].type",
            ),
        ] {
            let error = read(vec![item.clone()]).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{item}");
        }
    }

    #[test]
    fn an_answer_comes_back_as_it_was() {
        let mut call = ToolCall::new("c", "f", "{\"a\":1}");
        call.extra
            .insert("gemini".into(), json!({"thoughtSignature": "s"}));
        let mut fold = Fold::new();
        for event in [
            ChatEvent::part(Reasoning::new("hm").signature("sig")),
            ChatEvent::Text("a".into()),
            ChatEvent::part(call.clone()),
            ChatEvent::Finish {
                reason: FinishReason::Length,
                raw: "length".into(),
            },
        ] {
            fold.push(event);
        }
        let frame = Frame::new("resp_7", "m");
        let whole = OpenAiResponsesForm.whole(&fold.finish(), &frame);
        assert_eq!(whole["status"], "incomplete");
        assert_eq!(whole["incomplete_details"]["reason"], "max_output_tokens");
        let output = whole["output"].as_array().unwrap();
        let kinds: Vec<_> = output
            .iter()
            .map(|item| item["type"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["reasoning", "message", "function_call"]);
        assert_eq!(output[2]["id"], "fc_7_2");
        let back = read(output.clone()).unwrap();
        assert_eq!(back.len(), 1);
        let Part::Reasoning(reasoning) = &back[0].parts[0] else {
            panic!("{back:?}");
        };
        assert_eq!(reasoning.signature.as_deref(), Some("sig"));
        assert_eq!(back[0].text(), "a");
        let again = back[0].tool_calls().next().unwrap();
        assert_eq!((&*again.id, &*again.arguments), ("c", "{\"a\":1}"));
        assert_eq!(again.extra["gemini"], call.extra["gemini"]);
    }
}

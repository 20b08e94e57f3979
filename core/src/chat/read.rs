//! Reads messages from JSON, in chatcore's form and in OpenAI's.
//!
//! The stored histories of other programs are usually in OpenAI's form. Nothing of them is lost:
//! fields of a [`Message`] are filled, and all other fields go into its `extra`, from which they
//! are sent as they came.

mod fields;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Audio, Extra, File, Image, MediaSource, Message, Part, Reasoning, Refusal, Role};
use super::{ToolCall, ToolResult, message};
use crate::json;

/// The dialect with the form that is read in addition to chatcore's own.
const OPENAI: &str = "openai_chat";

/// Why the JSON is not a message.
type Wrong = String;

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_message(Extra::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl TryFrom<Value> for Message {
    type Error = String;

    /// Reads a message from parsed JSON, in the same forms as its `Deserialize`.
    ///
    /// # Errors
    /// Why the JSON is not a message.
    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(fields) => read_message(fields),
            _ => Err("a message must be an object".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_part(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The fields of a message that are read.
#[derive(Default)]
struct Known {
    role: Option<Value>,
    content: Option<Value>,
    name: Option<Value>,
    refusal: Option<Value>,
    reasoning_content: Option<Value>,
    reasoning: Option<Value>,
    tool_calls: Option<Value>,
    tool_call_id: Option<Value>,
    extra: Option<Value>,
}

fn read_message(fields: Extra) -> Result<Message, Wrong> {
    let mut known = Known::default();
    let mut rest = Extra::new();
    for (name, value) in fields {
        let slot = match name.as_str() {
            "role" => &mut known.role,
            "content" => &mut known.content,
            "name" => &mut known.name,
            "refusal" => &mut known.refusal,
            "reasoning_content" => &mut known.reasoning_content,
            "reasoning" => &mut known.reasoning,
            "tool_calls" => &mut known.tool_calls,
            "tool_call_id" => &mut known.tool_call_id,
            "extra" => &mut known.extra,
            _ if value.is_null() => continue,
            _ => {
                rest.insert(name, value);
                continue;
            }
        };
        *slot = Some(value);
    }
    let role = match known.role {
        Some(Value::String(role)) => Role::from(&*role),
        Some(_) => return Err("a message's role must be a string".to_owned()),
        None => return Err("a message has no role".to_owned()),
    };
    let has_content = known.content.is_some();
    let mut parts = content(known.content.unwrap_or_default())?;
    match known.extra {
        Some(Value::Object(extra)) => rest.extend(extra),
        other => keep(&mut rest, "extra", other),
    }
    let mut reasoned = Vec::new();
    for (name, value) in [
        ("reasoning_content", known.reasoning_content),
        ("reasoning", known.reasoning),
    ] {
        match value {
            Some(Value::String(text)) if reasoned.is_empty() => {
                if !text.is_empty() {
                    reasoned.push(Part::Reasoning(Reasoning::new(text)));
                }
            }
            other => keep(&mut rest, name, other),
        }
    }
    if !reasoned.is_empty() {
        reasoned.append(&mut parts);
        parts = reasoned;
    }
    match known.refusal {
        Some(Value::String(text)) => parts.push(Part::Refusal(Refusal::new(text))),
        other => keep(&mut rest, "refusal", other),
    }
    match known.tool_calls.as_ref().map(tool_calls) {
        Some(Some(calls)) => parts.extend(calls),
        // Calls of tools other than functions are sent back as they came.
        _ => keep(&mut rest, "tool_calls", known.tool_calls),
    }
    match known.tool_call_id {
        Some(Value::String(id)) if !parts.iter().any(is_result) => {
            let mut result = ToolResult::new(id, "");
            result.content = parts;
            parts = vec![result.into()];
        }
        other => keep(&mut rest, "tool_call_id", other),
    }
    let name = match known.name {
        Some(Value::String(name)) => Some(name),
        other => {
            keep(&mut rest, "name", other);
            None
        }
    };
    if !has_content && parts.is_empty() && rest.is_empty() {
        return Err("a message has no content".to_owned());
    }
    Ok(message::of(role, parts, name, rest))
}

fn is_result(part: &Part) -> bool {
    matches!(part, Part::ToolResult(_))
}

/// Keeps a field that has no other place in `extra`, unless it is null.
fn keep(rest: &mut Extra, name: &str, value: Option<Value>) {
    if let Some(value) = value.filter(|value| !value.is_null()) {
        rest.insert(name.to_owned(), value);
    }
}

fn content(value: Value) -> Result<Vec<Part>, Wrong> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![Part::text(text)]),
        Value::Array(list) => list.into_iter().map(read_part).collect(),
        _ => Err("a message's content must be a string, an array of parts, or null".to_owned()),
    }
}

/// The calls, if all of them are calls of functions and nothing of them would be lost.
fn tool_calls(list: &Value) -> Option<Vec<Part>> {
    list.as_array()?.iter().map(tool_call).collect()
}

fn tool_call(call: &Value) -> Option<Part> {
    let extra = call.as_object()?.clone();
    let function = extra.get("function")?.as_object()?;
    let is_known = |name: &String| name == "name" || name == "arguments";
    if !function.keys().all(is_known) {
        return None;
    }
    let name = function.get("name")?.as_str()?;
    let arguments = match function.get("arguments") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        // Some servers send the arguments as an object.
        Some(object) => json::text_of(object),
    };
    let id = match extra.get("id") {
        None | Some(Value::Null) => "",
        Some(id) => id.as_str()?,
    };
    if !matches!(extra.get("type"), None | Some(Value::Null)) && extra["type"] != "function" {
        return None;
    }
    let (id, name) = (id.to_owned(), name.to_owned());
    // The index in a stream has no meaning in a whole message.
    let extra = without(extra, &["id", "type", "function", "index"]);
    Some(Part::ToolCall(ToolCall {
        id,
        name,
        arguments,
        extra,
    }))
}

fn read_part(value: Value) -> Result<Part, Wrong> {
    let fields = match value {
        Value::Object(fields) => fields,
        Value::String(text) => return Ok(Part::text(text)),
        _ => return Err("a part of a message must be an object with a type".to_owned()),
    };
    let has = |name: &str| fields.contains_key(name);
    match fields.get("type").and_then(Value::as_str) {
        Some("text") => fields::text(fields),
        Some("image") => fields::image(fields),
        Some("file") if has("source") => fields::file(fields),
        Some("audio") if has("source") => fields::audio(fields),
        Some("tool_call") => fields::tool_call(fields),
        Some("reasoning") => fields::reasoning(fields),
        Some("refusal") if !has("refusal") => fields::refusal(fields),
        Some("refusal") => match &fields["refusal"] {
            Value::String(text) => Ok(Part::Refusal(Refusal::new(text.as_str()))),
            _ => Err("the field `refusal` of a refusal part must be a string".to_owned()),
        },
        Some("tool_result") if has("call_id") => tool_result(fields),
        Some("image_url") => image_url(fields),
        Some("file") if has("file") => Ok(openai_file(fields)),
        Some("input_audio") if has("input_audio") => Ok(input_audio(fields)),
        Some("other") if has("value") => other(fields),
        // A block of the provider's own type.
        _ => Ok(Part::Other {
            dialect: None,
            value: Value::Object(fields),
        }),
    }
}

fn other(fields: Extra) -> Result<Part, Wrong> {
    let (mut from, mut block) = (None, Value::Null);
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("value", value) => block = value,
            ("dialect", Value::String(dialect)) => from = Some(dialect),
            ("dialect", Value::Null) => {}
            ("dialect", _) => {
                return Err("the field `dialect` of a part of the type other must be \
                                          a string"
                    .to_owned());
            }
            _ => {}
        }
    }
    Ok(Part::Other {
        dialect: from,
        value: block,
    })
}

fn tool_result(fields: Extra) -> Result<Part, Wrong> {
    let mut result = ToolResult::new("", "");
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("call_id", Value::String(id)) => result.call_id = id,
            ("content", value) => result.content = content(value)?,
            ("is_error", Value::Bool(is_error)) => result.is_error = is_error,
            ("call_id" | "is_error", _) => {
                return Err(format!("{name} of a tool result has the wrong type"));
            }
            ("type", _) => {}
            ("extra", Value::Object(more)) => result.extra.extend(more),
            (_, value) => {
                result.extra.insert(name, value);
            }
        }
    }
    Ok(result.into())
}

/// Reads OpenAI's image part. A `data:` URL becomes the bytes.
fn image_url(fields: Extra) -> Result<Part, Wrong> {
    let no_url = "a part of the type image_url has no URL";
    let (url, detail) = match fields.get("image_url") {
        Some(Value::String(url)) => (url, None),
        Some(Value::Object(image)) => {
            let Some([url, detail]) = strings(image, ["url", "detail"]) else {
                return Ok(as_it_came(fields));
            };
            (url.ok_or(no_url)?, detail)
        }
        _ => return Err(no_url.to_owned()),
    };
    Ok(Part::Image(Image {
        source: MediaSource::of_url(url),
        detail: detail.cloned(),
        extra: without(fields, &["type", "image_url"]),
    }))
}

/// Reads OpenAI's file part: a file id, or a `data:` URL.
fn openai_file(fields: Extra) -> Part {
    let names = ["file_id", "file_data", "filename"];
    let known = fields["file"].as_object();
    let source = match known.and_then(|file| strings(file, names)) {
        Some([Some(id), None, None]) => Some((MediaSource::file(id), None)),
        Some([None, Some(data), name]) => Some((MediaSource::of_url(data), name)),
        _ => None,
    };
    let Some((source, name)) = source else {
        return as_it_came(fields);
    };
    Part::File(File {
        source,
        name: name.cloned(),
        extra: without(fields, &["type", "file"]),
    })
}

/// Reads OpenAI's audio part.
fn input_audio(fields: Extra) -> Part {
    let known = fields["input_audio"].as_object();
    let Some([Some(data), Some(format)]) =
        known.and_then(|audio| strings(audio, ["data", "format"]))
    else {
        return as_it_came(fields);
    };
    let media_type = format!("audio/{}", if format == "mp3" { "mpeg" } else { format });
    Part::Audio(Audio {
        source: MediaSource::base64(media_type, data),
        transcript: None,
        extra: without(fields, &["type", "input_audio"]),
    })
}

/// The fields with other names than these.
fn without(mut fields: Extra, names: &[&str]) -> Extra {
    fields.retain(|name, _| !names.contains(&&**name));
    fields
}

/// The fields with these names, if all fields of the object have one of the names and are strings.
/// Nulls count as absent.
fn strings<'a, const N: usize>(
    object: &'a Extra,
    names: [&str; N],
) -> Option<[Option<&'a String>; N]> {
    let mut found = [None; N];
    for (name, value) in object {
        let place = names.iter().position(|known| known == name)?;
        match value {
            Value::String(text) => found[place] = Some(text),
            Value::Null => {}
            _ => return None,
        }
    }
    Some(found)
}

/// A part in OpenAI's form that chatcore's own form could not hold completely.
fn as_it_came(fields: Extra) -> Part {
    Part::Other {
        dialect: Some(OPENAI.to_owned()),
        value: Value::Object(fields),
    }
}

#[cfg(test)]
mod tests;

//! Parts → blocks of content.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::chat::{Extra, Image, ImageSource, Part, Reasoning, Text, ToolCall, ToolResult};

/// Whether a part goes out: Anthropic refuses blank text, and reasoning that it cannot verify.
pub(super) fn is_sent(part: &Part) -> bool {
    match part {
        Part::Text(text) => !text.text.trim().is_empty(),
        Part::Refusal(refusal) => !refusal.text.trim().is_empty(),
        Part::Reasoning(reasoning) => {
            reasoning.signature.is_some() || reasoning.encrypted.is_some()
        }
        _ => true,
    }
}

/// Plain text as a string, anything else as blocks.
pub(super) fn serialize<S: Serializer>(parts: &[&Part], serializer: S) -> Result<S::Ok, S::Error> {
    match parts {
        [Part::Text(text)] if text.extra.is_empty() => serializer.serialize_str(&text.text),
        parts => serializer.collect_seq(parts.iter().map(|part| Block(part))),
    }
}

struct Block<'a>(&'a Part);

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = match self.0 {
            Part::Other { value } => return value.serialize(serializer),
            _ => serializer.serialize_map(None)?,
        };
        match self.0 {
            Part::Text(text) => write_text(&mut map, text)?,
            Part::Refusal(refusal) => write_text(&mut map, &Text::new(&refusal.text))?,
            Part::Image(image) => write_image(&mut map, image)?,
            Part::ToolCall(call) => write_call(&mut map, call)?,
            Part::ToolResult(result) => write_result(&mut map, result)?,
            Part::Reasoning(reasoning) => write_reasoning(&mut map, reasoning)?,
            Part::Other { .. } => {}
        }
        map.end()
    }
}

fn write_extra<M: SerializeMap>(map: &mut M, extra: &Extra) -> Result<(), M::Error> {
    for (name, value) in extra {
        map.serialize_entry(name, value)?;
    }
    Ok(())
}

fn write_text<M: SerializeMap>(map: &mut M, text: &Text) -> Result<(), M::Error> {
    map.serialize_entry("type", "text")?;
    map.serialize_entry("text", &text.text)?;
    write_extra(map, &text.extra)
}

fn write_image<M: SerializeMap>(map: &mut M, image: &Image) -> Result<(), M::Error> {
    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Source<'a> {
        Url { url: &'a str },
        Base64 { media_type: &'a str, data: &'a str },
    }

    let source = match &image.source {
        ImageSource::Url { url } => Source::Url { url },
        ImageSource::Base64 { media_type, data } => Source::Base64 { media_type, data },
    };
    map.serialize_entry("type", "image")?;
    map.serialize_entry("source", &source)?;
    write_extra(map, &image.extra)
}

fn write_reasoning<M: SerializeMap>(map: &mut M, reasoning: &Reasoning) -> Result<(), M::Error> {
    if let Some(data) = &reasoning.encrypted {
        map.serialize_entry("type", "redacted_thinking")?;
        map.serialize_entry("data", data)?;
    } else {
        map.serialize_entry("type", "thinking")?;
        map.serialize_entry("thinking", &reasoning.text)?;
        map.serialize_entry("signature", &reasoning.signature)?;
    }
    write_extra(map, &reasoning.extra)
}

fn write_call<M: SerializeMap>(map: &mut M, call: &ToolCall) -> Result<(), M::Error> {
    map.serialize_entry("type", "tool_use")?;
    map.serialize_entry("id", &call.id)?;
    map.serialize_entry("name", &call.name)?;
    // An object here, though the model wrote text, and maybe no JSON: what is not an object is
    // wrapped in one, as Anthropic's documentation has it, so that the model sees what it wrote.
    let arguments = call.arguments.trim();
    match serde_json::from_str::<&RawValue>(arguments) {
        Ok(object) if arguments.starts_with('{') => map.serialize_entry("input", object)?,
        _ if arguments.is_empty() => map.serialize_entry("input", &Extra::new())?,
        _ => {
            #[derive(Serialize)]
            struct Invalid<'a> {
                #[serde(rename = "INVALID_JSON")]
                text: &'a str,
            }

            let text = &call.arguments;
            map.serialize_entry("input", &Invalid { text })?;
        }
    }
    write_extra(map, &call.extra)
}

fn write_result<M: SerializeMap>(map: &mut M, result: &ToolResult) -> Result<(), M::Error> {
    struct Content<'a>(Vec<&'a Part>);

    impl Serialize for Content<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serialize(&self.0, serializer)
        }
    }

    map.serialize_entry("type", "tool_result")?;
    map.serialize_entry("tool_use_id", &result.call_id)?;
    let content: Vec<_> = result.content.iter().filter(|part| is_sent(part)).collect();
    // A tool may have nothing to say.
    if !content.is_empty() {
        map.serialize_entry("content", &Content(content))?;
    }
    if result.is_error {
        map.serialize_entry("is_error", &true)?;
    }
    Ok(())
}

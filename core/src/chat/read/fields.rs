//! Reads parts in chatcore's own form: named fields, and an `extra`.
//!
//! Unknown fields go into the part's `extra` too.

use serde_json::Value;

use super::Wrong;
use crate::chat::{
    Audio, Extra, File, Image, MediaSource, Part, Reasoning, Refusal, Text, ToolCall,
};

pub(super) fn text(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    Ok(Part::Text(Text {
        text: fields.text("text")?,
        extra: fields.into_extra(),
    }))
}

pub(super) fn image(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    Ok(Part::Image(Image {
        source: fields.source()?,
        detail: fields.optional("detail")?,
        extra: fields.into_extra(),
    }))
}

pub(super) fn file(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    Ok(Part::File(File {
        source: fields.source()?,
        name: fields.optional("name")?,
        extra: fields.into_extra(),
    }))
}

pub(super) fn audio(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    Ok(Part::Audio(Audio {
        source: fields.source()?,
        transcript: fields.optional("transcript")?,
        extra: fields.into_extra(),
    }))
}

pub(super) fn tool_call(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    Ok(Part::ToolCall(ToolCall {
        id: fields.text("id")?,
        name: fields.text("name")?,
        arguments: fields.text("arguments")?,
        extra: fields.into_extra(),
    }))
}

pub(super) fn reasoning(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    Ok(Part::Reasoning(Reasoning {
        text: fields.text("text")?,
        signature: fields.optional("signature")?,
        encrypted: fields.optional("encrypted")?,
        extra: fields.into_extra(),
    }))
}

pub(super) fn refusal(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    Ok(Part::Refusal(Refusal {
        text: fields.text("text")?,
        extra: fields.into_extra(),
    }))
}

/// The fields of a part that are not yet read.
struct Fields(Extra);

impl Fields {
    /// Reads a required field.
    fn text(&mut self, name: &str) -> Result<String, Wrong> {
        self.optional(name)?
            .ok_or_else(|| format!("missing field `{name}`"))
    }

    /// Reads a field that may be missing or null.
    fn optional(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        match self.0.get_mut(name).map(Value::take) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("the field `{name}` is not a string")),
        }
    }

    fn source(&mut self) -> Result<MediaSource, Wrong> {
        let mut fields = match self.0.get_mut("source").map(Value::take) {
            Some(Value::Object(fields)) => Self(fields),
            None | Some(Value::Null) => return Err("missing field `source`".to_owned()),
            Some(_) => return Err("the field `source` is not an object".to_owned()),
        };
        Ok(match &*fields.text("type")? {
            "url" => MediaSource::Url {
                url: fields.text("url")?,
                media_type: fields.optional("media_type")?,
            },
            "base64" => MediaSource::Base64 {
                media_type: fields.text("media_type")?,
                data: fields.text("data")?,
            },
            "file" => MediaSource::File {
                file_id: fields.text("file_id")?,
                media_type: fields.optional("media_type")?,
            },
            "text" => MediaSource::Text {
                text: fields.text("text")?,
            },
            _ => {
                return Err(format!(
                    "the type of a source must be one of {}",
                    MediaSource::KINDS.join(", ")
                ));
            }
        })
    }

    /// The fields that were not read. A field that was read is null now, and nulls are dropped.
    fn into_extra(self) -> Extra {
        let mut extra = Extra::new();
        for (name, value) in self.0 {
            match (name.as_str(), value) {
                ("type", _) | (_, Value::Null) => {}
                ("extra", Value::Object(more)) => extra.extend(more),
                (_, value) => drop(extra.insert(name, value)),
            }
        }
        extra
    }
}

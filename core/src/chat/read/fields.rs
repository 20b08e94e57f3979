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
    let mut part = Text::new(fields.text("text")?);
    part.extra = fields.into_extra();
    Ok(part.into())
}

pub(super) fn image(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    let mut part = Image::new(fields.source()?);
    part.detail = fields.optional("detail")?;
    part.extra = fields.into_extra();
    Ok(part.into())
}

pub(super) fn file(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    let mut part = File::new(fields.source()?);
    part.name = fields.optional("name")?;
    part.extra = fields.into_extra();
    Ok(part.into())
}

pub(super) fn audio(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    let mut part = Audio::new(fields.source()?);
    part.transcript = fields.optional("transcript")?;
    part.extra = fields.into_extra();
    Ok(part.into())
}

pub(super) fn tool_call(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    let mut part = ToolCall::new(
        fields.text("id")?,
        fields.text("name")?,
        fields.text("arguments")?,
    );
    part.extra = fields.into_extra();
    Ok(part.into())
}

pub(super) fn reasoning(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    let mut part = Reasoning::new(fields.text("text")?);
    part.signature = fields.optional("signature")?;
    part.encrypted = fields.optional("encrypted")?;
    part.extra = fields.into_extra();
    Ok(part.into())
}

pub(super) fn refusal(fields: Extra) -> Result<Part, Wrong> {
    let mut fields = Fields(fields);
    let mut part = Refusal::new(fields.text("text")?);
    part.extra = fields.into_extra();
    Ok(part.into())
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

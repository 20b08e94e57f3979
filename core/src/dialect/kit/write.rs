//! Writes the bodies of requests, the same way in all dialects.

use std::sync::LazyLock;

use super::provenance::sent_fields;
use crate::chat::{ChatRequest, Extra, Part};
use crate::error::Error;
use crate::json::{Reader, Writer};

/// Checks the caller's extra fields, and begins the body.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an extra field that chatcore sets itself.
pub fn begin(request: &ChatRequest) -> Result<Writer, Error> {
    if request.extra.get("n").is_some_and(|n| n != 1) {
        return Err(Error::invalid(
            "`n` requests several answers at once; send several requests, for example with \
             gather_with_limit",
        ));
    }
    if request.extra.contains_key("stream") {
        return Err(Error::invalid(
            "do not set `stream` in extra; await the call for a whole answer, or call stream()",
        ));
    }
    Ok(Writer::with_capacity(estimate(request)))
}

/// Merges the fields that a dialect writes with the caller's `extra` fields. Each constructor says
/// which side wins when both have the same name.
#[derive(Debug)]
pub struct ObjectWriter<'a, 'w> {
    writer: &'w mut Writer,
    extra: &'a Extra,
    /// For an object of the conversation: the dialect that writes it, and the fields written so
    /// far. They take precedence over `extra`.
    beside: Option<(&'a str, Vec<&'static str>)>,
}

impl<'a, 'w> ObjectWriter<'a, 'w> {
    /// Opens an object without extra fields.
    pub fn new(writer: &'w mut Writer) -> Self {
        static NONE: LazyLock<Extra> = LazyLock::new(Extra::new);
        Self::replaced_by(writer, &NONE)
    }

    /// Opens an object. A field of `extra` replaces the dialect's field of the same name.
    pub fn replaced_by(writer: &'w mut Writer, extra: &'a Extra) -> Self {
        writer.open('{');
        Self {
            writer,
            extra,
            beside: None,
        }
    }

    /// Opens an object of a conversation in `dialect`: a message, a part, a tool or a call. The
    /// dialect's fields take precedence over fields of `extra` with the same name. Fields that
    /// belong to [another dialect](super::is_foreign) are left out. The
    /// [members](super::own_fields) of the field that belongs to this dialect are written as fields
    /// of the object.
    pub fn beside(writer: &'w mut Writer, dialect: &'a str, extra: &'a Extra) -> Self {
        writer.open('{');
        Self {
            writer,
            extra,
            beside: Some((dialect, Vec::new())),
        }
    }

    /// Writes the name of a dialect's field. The caller must write the value next, unless the
    /// result is `None`: then `extra` has a value that replaces it.
    pub fn field(&mut self, name: &'static str) -> Option<&mut Writer> {
        if !self.extra.is_empty() {
            match &mut self.beside {
                Some((_, written)) => written.push(name),
                None if self.extra.contains_key(name) => return None,
                None => {}
            }
        }
        self.writer.plain_key(name);
        Some(self.writer)
    }

    /// Writes a dialect's string field.
    pub fn string(&mut self, name: &'static str, text: &str) {
        if let Some(writer) = self.field(name) {
            writer.string(text);
        }
    }

    /// Writes members of the dialect, given as JSON without the braces. Members that `extra`
    /// replaces are left out.
    pub fn members(&mut self, members: &str) {
        if self.extra.is_empty() {
            self.writer.raw(members);
            return;
        }
        let object = ["{", members, "}"].concat();
        let mut reader = Reader::new(&object);
        let Ok(mut names) = reader.object() else {
            return;
        };
        while let Ok(Some(name)) = reader.name(&mut names) {
            let Ok(value) = reader.raw() else {
                return;
            };
            if !self.extra.contains_key(&*name) {
                self.writer.key(&name);
                self.writer.raw(value);
            }
        }
    }

    /// Writes the remaining extra fields, and closes the object.
    pub fn end(self) {
        let Some((dialect, written)) = self.beside else {
            for (name, value) in self.extra {
                self.writer.key(name);
                self.writer.value(value);
            }
            self.writer.close('}');
            return;
        };
        for (name, value) in sent_fields(dialect, self.extra) {
            if !written.contains(&&**name) {
                self.writer.key(name);
                self.writer.value(value);
            }
        }
        self.writer.close('}');
    }
}

/// Estimates the size of the body, so that its buffer seldom grows.
fn estimate(request: &ChatRequest) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let texts = parts.map(|part| match part {
        Part::Text(text) => text.text.len() + text.text.len() / 8 + 48,
        Part::Image(image) => image.source.len() + 128,
        Part::File(file) => file.source.len() + 256,
        Part::Audio(audio) => audio.source.len() + 256,
        Part::ToolCall(call) => call.arguments.len() * 5 / 4 + 160,
        _ => 256,
    });
    texts.sum::<usize>() + 256
}

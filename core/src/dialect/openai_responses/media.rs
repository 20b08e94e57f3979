//! Writes the content of messages.

use super::{DIALECT, FINGERPRINT};
use crate::chat::{File, Image, MediaSource, Part, Text};
use crate::dialect::kit::filename::filename;
use crate::dialect::kit::provenance::{cannot_carry, is_plain, own_fields, sent_fields};
use crate::dialect::kit::write::ObjectWriter;
use crate::error::Error;
use crate::json::Writer;

/// Whether a part is an image, a file or audio.
pub(super) fn is_media(part: &Part) -> bool {
    matches!(part, Part::Image(_) | Part::File(_) | Part::Audio(_))
}

/// Refuses a part that this dialect cannot express.
pub(super) fn check(part: &Part) -> Result<(), Error> {
    match part {
        Part::Image(image) if matches!(image.source, MediaSource::Text { .. }) => {
            Err(cannot_carry(
                DIALECT,
                "an image as text",
                "send its URL with Part::image_url or its bytes with Part::image_base64",
            ))
        }
        Part::File(file) if matches!(file.source, MediaSource::Text { .. }) => Err(cannot_carry(
            DIALECT,
            "a file of plain text",
            "send the text with Part::text",
        )),
        Part::Audio(_) => Err(cannot_carry(
            DIALECT,
            "audio",
            "use chat completions (openai_chat), or send its transcript with Part::text",
        )),
        _ => Ok(()),
    }
}

/// Writes content: plain text as a string, anything else as a list.
pub(super) fn write(writer: &mut Writer, parts: &[&Part]) {
    match parts {
        [] => writer.string(""),
        [Part::Text(Text { text, extra })] if is_plain(DIALECT, extra) => writer.string(text),
        parts => {
            writer.open('[');
            parts.iter().for_each(|part| write_part(writer, part));
            writer.close(']');
        }
    }
}

fn write_part(writer: &mut Writer, part: &Part) {
    match part {
        Part::Text(text) => write_text(writer, text),
        Part::Image(image) => write_image(writer, image),
        Part::File(file) => write_file(writer, file),
        Part::Other { value, .. } => writer.value(value),
        // Other parts are not content.
        _ => {}
    }
}

fn write_text(writer: &mut Writer, text: &Text) {
    let own = own_fields(DIALECT, &text.extra);
    if own.is_some_and(|own| own.contains_key(FINGERPRINT)) {
        // The model wrote this text, and the fields beside it are not valid in a user's message.
        writer.open('{');
        writer.member("type", "input_text");
        writer.member("text", &text.text);
        writer.close('}');
        return;
    }
    let mut map = ObjectWriter::beside(writer, DIALECT, &text.extra);
    map.string("type", "input_text");
    map.string("text", &text.text);
    map.end();
}

fn write_image(writer: &mut Writer, image: &Image) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &image.extra);
    map.string("type", "input_image");
    match &image.source {
        MediaSource::File { file_id, .. } => map.string("file_id", file_id),
        source => map.string("image_url", &url(source)),
    }
    if let Some(detail) = &image.detail {
        map.string("detail", detail);
    }
    map.end();
}

fn write_file(writer: &mut Writer, file: &File) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &file.extra);
    map.string("type", "input_file");
    match &file.source {
        MediaSource::File { file_id, .. } => map.string("file_id", file_id),
        MediaSource::Url { url, .. } => map.string("file_url", url),
        source => map.string("file_data", &url(source)),
    }
    match (&file.name, &file.source) {
        (_, MediaSource::Base64 { media_type, .. }) if !has_own_name(file) => {
            map.string("filename", &filename(file, media_type));
        }
        (Some(name), _) => map.string("filename", name),
        (None, _) => {}
    }
    map.end();
}

/// Whether the caller gives the file's name only in an extra field.
fn has_own_name(file: &File) -> bool {
    let mut fields = sent_fields(DIALECT, &file.extra);
    file.name.is_none() && fields.any(|(name, _)| name == "filename")
}

/// A source as a URL. [`check`] has refused all other sources.
fn url(source: &MediaSource) -> String {
    match source {
        MediaSource::Url { url, .. } => url.clone(),
        MediaSource::Base64 { media_type, data } => {
            ["data:", media_type, ";base64,", data].concat()
        }
        _ => String::new(),
    }
}

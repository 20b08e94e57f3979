//! Writes the content of messages.

use super::DIALECT;
use crate::chat::{Audio, ChatRequest, File, Image, MediaSource, Message, Part, Role, Text};
use crate::dialect::kit::filename::filename;
use crate::dialect::kit::provenance::{cannot_carry, is_foreign_block, is_plain, own_fields};
use crate::dialect::kit::write::ObjectWriter;
use crate::error::Error;
use crate::json::Writer;

/// Refuses parts that this dialect cannot express, and parts in a message of the wrong role.
pub(super) fn check(request: &ChatRequest) -> Result<(), Error> {
    for message in &request.messages {
        let is_users = !matches!(message.role, Role::System | Role::Assistant);
        for part in &message.parts {
            match part {
                Part::ToolResult(result) => result.content.iter().try_for_each(has_form)?,
                part if is_users => has_form(part)?,
                Part::Image(_) | Part::File(_) | Part::Audio(_)
                    if !is_given(&message.role, part) =>
                {
                    let role = message.role.as_str();
                    let article = if part.kind() == "file" { "a" } else { "an" };
                    return Err(Error::invalid(format!(
                        "{article} {} is in a message of the role {role}; put it in a user message",
                        part.kind()
                    )));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether the part is an image or audio that the model produced in this dialect. Such a part is
/// sent back beside the content.
fn is_given(role: &Role, part: &Part) -> bool {
    match part {
        _ if *role != Role::Assistant => false,
        Part::Image(image) => own_fields(DIALECT, &image.extra).is_some(),
        Part::Audio(audio) => own_fields(DIALECT, &audio.extra).is_some(),
        _ => false,
    }
}

/// Writes the images and the audio that the model produced, in the fields in which they arrived.
/// Only the id of audio is sent back.
pub(super) fn write_given(map: &mut ObjectWriter<'_, '_>, message: &Message) {
    let given = message.parts.iter();
    let mut given = given
        .filter(|part| is_given(&message.role, part))
        .peekable();
    if given.peek().is_none() {
        return;
    }
    let (images, sound): (Vec<_>, Vec<_>) = given.partition(|part| matches!(part, Part::Image(_)));
    if !images.is_empty()
        && let Some(writer) = map.field("images")
    {
        writer.open('[');
        images.iter().for_each(|part| write_part(writer, part));
        writer.close(']');
    }
    let id = sound.iter().find_map(|part| match part {
        Part::Audio(audio) => own_fields(DIALECT, &audio.extra)?.get("id")?.as_str(),
        _ => None,
    });
    if let Some(id) = id
        && let Some(writer) = map.field("audio")
    {
        writer.open('{');
        writer.member("id", id);
        writer.close('}');
    }
}

fn has_form(part: &Part) -> Result<(), Error> {
    match part {
        Part::Image(image) => match image.source {
            MediaSource::Url { .. } | MediaSource::Base64 { .. } => Ok(()),
            _ => Err(cannot_carry(
                DIALECT,
                "an image by its id",
                "send its URL, or its bytes in base64",
            )),
        },
        Part::File(file) => match file.source {
            MediaSource::File { .. } | MediaSource::Base64 { .. } => Ok(()),
            MediaSource::Text { .. } => Err(cannot_carry(
                DIALECT,
                "a file of plain text",
                "send the text as a part of text",
            )),
            _ => Err(cannot_carry(
                DIALECT,
                "a file by its URL",
                "send its bytes in base64, or upload it and send its id",
            )),
        },
        Part::Audio(audio) => match audio.source {
            MediaSource::Base64 { .. } => Ok(()),
            _ => Err(cannot_carry(
                DIALECT,
                "audio by its URL or id",
                "send its bytes in base64",
            )),
        },
        _ => Ok(()),
    }
}

/// Whether a part is content of a message of `role`.
pub(super) fn is_content(role: &Role, part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::File(_) => true,
        Part::Image(_) | Part::Audio(_) => !is_given(role, part),
        Part::Other { .. } => !is_foreign_block(DIALECT, part),
        _ => false,
    }
}

/// Writes those of `parts` that are content of a message of `role`: plain text as a string,
/// anything else as a list.
pub(super) fn write(writer: &mut Writer, role: &Role, parts: &[Part]) {
    let is_content = |part: &&Part| is_content(role, part);
    let mut content = parts.iter().filter(is_content);
    match (content.next(), content.next()) {
        (None, _) => writer.string(""),
        (Some(Part::Text(Text { text, extra })), None) if is_plain(DIALECT, extra) => {
            writer.string(text);
        }
        _ => {
            writer.open('[');
            for part in parts.iter().filter(is_content) {
                write_part(writer, part);
            }
            writer.close(']');
        }
    }
}

fn write_part(writer: &mut Writer, part: &Part) {
    match part {
        Part::Text(text) => {
            let mut map = ObjectWriter::beside(writer, DIALECT, &text.extra);
            map.string("type", "text");
            map.string("text", &text.text);
            map.end();
        }
        Part::Image(image) => {
            let mut map = ObjectWriter::beside(writer, DIALECT, &image.extra);
            map.string("type", "image_url");
            if let Some(writer) = map.field("image_url") {
                image_url(writer, image);
            }
            map.end();
        }
        Part::File(file) => {
            let mut map = ObjectWriter::beside(writer, DIALECT, &file.extra);
            map.string("type", "file");
            if let Some(writer) = map.field("file") {
                write_file(writer, file);
            }
            map.end();
        }
        Part::Audio(audio) => {
            let mut map = ObjectWriter::beside(writer, DIALECT, &audio.extra);
            map.string("type", "input_audio");
            if let Some(writer) = map.field("input_audio") {
                input_audio(writer, audio);
            }
            map.end();
        }
        Part::Other { value, .. } => writer.value(value),
        // Other parts are not content.
        _ => {}
    }
}

fn image_url(writer: &mut Writer, image: &Image) {
    writer.open('{');
    write_url(writer, "url", &image.source);
    if let Some(detail) = &image.detail {
        writer.member("detail", detail);
    }
    writer.close('}');
}

fn write_file(writer: &mut Writer, file: &File) {
    writer.open('{');
    match &file.source {
        MediaSource::File { file_id, .. } => writer.member("file_id", file_id),
        source => {
            write_url(writer, "file_data", source);
            if let MediaSource::Base64 { media_type, .. } = source {
                writer.member("filename", &filename(file, media_type));
            }
        }
    }
    writer.close('}');
}

/// Writes a source as a URL. [`check`] has refused all other sources.
fn write_url(writer: &mut Writer, name: &str, source: &MediaSource) {
    match source {
        MediaSource::Url { url, .. } => writer.member(name, url),
        MediaSource::Base64 { media_type, data } => {
            writer.member(name, &["data:", media_type, ";base64,", data].concat());
        }
        _ => {}
    }
}

fn input_audio(writer: &mut Writer, audio: &Audio) {
    writer.open('{');
    if let MediaSource::Base64 { media_type, data } = &audio.source {
        writer.member("data", data);
        writer.member("format", format(media_type));
    }
    writer.close('}');
}

/// OpenAI's name for an audio format: `wav`, `mp3`, or the subtype of another media type.
fn format(media_type: &str) -> &str {
    let subtype = media_type
        .split_once('/')
        .map_or(media_type, |(_, subtype)| subtype);
    let subtype = subtype.split(';').next().unwrap_or(subtype).trim();
    match subtype.strip_prefix("x-").unwrap_or(subtype) {
        "mpeg" => "mp3",
        "wave" | "vnd.wave" => "wav",
        subtype => subtype,
    }
}

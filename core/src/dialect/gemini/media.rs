//! Writes images, files and audio as Google's parts.

use super::NAME;
use crate::chat::{Extra, MediaSource, Part};
use crate::dialect::kit::provenance::cannot_carry;
use crate::dialect::kit::write::ObjectWriter;
use crate::error::Error;
use crate::json::Writer;

/// An image, a file or audio. Google tells them apart by their media type.
#[derive(Clone, Copy)]
pub(super) struct Media<'a> {
    source: &'a MediaSource,
    /// How closely the model should look at an image.
    detail: Option<&'a str>,
    extra: &'a Extra,
    /// The kind of media, for error messages.
    what: &'static str,
}

impl<'a> Media<'a> {
    pub(super) fn of(part: &'a Part) -> Option<Self> {
        let (source, detail, extra, what) = match part {
            Part::Image(image) => (
                &image.source,
                image.detail.as_deref(),
                &image.extra,
                "an image as text",
            ),
            Part::File(file) => (&file.source, None, &file.extra, "a file"),
            Part::Audio(audio) => (&audio.source, None, &audio.extra, "audio as text"),
            _ => return None,
        };
        Some(Self {
            source,
            detail,
            extra,
            what,
        })
    }

    /// Writes a part. Models with thinking levels accept a resolution for each part; older models
    /// accept only one for the whole request.
    pub(super) fn write(self, writer: &mut Writer, has_levels: bool) -> Result<(), Error> {
        let mut map = ObjectWriter::beside(writer, NAME, self.extra);
        if let Some(writer) = map.field(self.field()) {
            self.write_source(writer)?;
        }
        let level = match self.detail {
            Some("low") => Some("MEDIA_RESOLUTION_LOW"),
            Some("high") => Some("MEDIA_RESOLUTION_HIGH"),
            _ => None,
        };
        if let Some(level) = level.filter(|_| has_levels)
            && let Some(writer) = map.field("mediaResolution")
        {
            writer.open('{');
            writer.member("level", level);
            writer.close('}');
        }
        map.end();
        Ok(())
    }

    /// Writes a part with nothing but the bytes or their URI.
    pub(super) fn write_bytes(self, writer: &mut Writer) -> Result<(), Error> {
        writer.open('{');
        writer.key(self.field());
        self.write_source(writer)?;
        writer.close('}');
        Ok(())
    }

    fn field(self) -> &'static str {
        match self.source {
            MediaSource::Base64 { .. } => "inlineData",
            MediaSource::Url { url, .. } if in_url(url).is_some() => "inlineData",
            MediaSource::Text { .. } => "text",
            _ => "fileData",
        }
    }

    fn write_source(self, writer: &mut Writer) -> Result<(), Error> {
        match self.source {
            MediaSource::Base64 { media_type, data } => write_blob(writer, media_type, data),
            MediaSource::Url { url, media_type } => match in_url(url) {
                Some((media_type, data)) => write_blob(writer, media_type, data),
                None => write_uri(writer, url, media_type.as_deref()),
            },
            MediaSource::File {
                file_id,
                media_type,
            } => write_uri(writer, file_id, media_type.as_deref()),
            MediaSource::Text { text } if self.what == "a file" => writer.string(text),
            MediaSource::Text { .. } => {
                return Err(cannot_carry(NAME, self.what, "send its bytes in base64"));
            }
        }
        Ok(())
    }
}

fn write_blob(writer: &mut Writer, media_type: &str, data: &str) {
    writer.open('{');
    writer.member("mimeType", media_type);
    writer.member("data", data);
    writer.close('}');
}

fn write_uri(writer: &mut Writer, uri: &str, media_type: Option<&str>) {
    writer.open('{');
    if let Some(media_type) = media_type.or_else(|| media_type_of(uri)) {
        writer.member("mimeType", media_type);
    }
    writer.member("fileUri", uri);
    writer.close('}');
}

/// The media type and the data of a `data:` URL: `data:image/png;base64,…`.
fn in_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    Some((head.strip_suffix(";base64")?, data))
}

/// Guesses the media type from the file name in a URL, because Vertex requires a media type.
fn media_type_of(uri: &str) -> Option<&'static str> {
    const TYPES: [(&str, &str); 13] = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("webp", "image/webp"),
        ("gif", "image/gif"),
        ("heic", "image/heic"),
        ("heif", "image/heif"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("mp4", "video/mp4"),
        ("webm", "video/webm"),
    ];
    let path = uri.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    let mut known = TYPES.iter();
    let found = known.find(|(known, _)| known.eq_ignore_ascii_case(ending));
    found.map(|(_, media_type)| *media_type)
}

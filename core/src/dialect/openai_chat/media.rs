//! Images and audio that the model produces.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::DIALECT;
use crate::chat::{Audio, ChatEvent, Extra, Image, MediaSource};
use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::provenance::as_own;
use crate::dialect::kit::read::{MAX_ITEMS, MAX_UNKNOWN, Raw};

/// Reads the images beside the text, as OpenRouter sends them: each in one piece.
pub(super) fn images(raw: Raw<'_>, out: &mut Output) {
    let Value::Array(list) = out.value(raw) else {
        out.skip(1);
        return;
    };
    for (at, mut picture) in list.into_iter().enumerate() {
        let url = picture["image_url"]["url"].as_str();
        let Some(url) = url.filter(|_| at < MAX_ITEMS) else {
            out.skip(1);
            continue;
        };
        let mut image = Image::new(MediaSource::of_url(url));
        if let Value::Object(fields) = &mut picture {
            fields.retain(|name, _| name != "image_url");
            // Marks the image as produced by the model, so that it is sent back in this field.
            image.extra = as_own(DIALECT, std::mem::take(fields));
        }
        out.push(ChatEvent::part(image));
    }
}

/// Spoken audio of the model. In a stream it arrives in pieces.
#[derive(Debug, Default)]
pub(super) struct Sound {
    fields: Extra,
    data: Data,
    transcript: String,
}

#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    /// A single piece, in base64 as it arrived.
    Whole(String),
    /// The decoded bytes of several pieces, because each piece may have been padded.
    Bytes(Vec<u8>),
}

impl Sound {
    /// Reads the next piece.
    pub(super) fn take(&mut self, raw: Raw<'_>, out: &mut Output) {
        let Value::Object(fields) = out.value(raw) else {
            out.skip(1);
            return;
        };
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("transcript", Value::String(piece)) => self.transcript.push_str(&piece),
                ("data", Value::String(piece)) => self.take_data(piece, out),
                ("transcript" | "data", _) | (_, Value::Null) => {}
                (_, value) if self.fields.len() < MAX_UNKNOWN => {
                    self.fields.insert(name, value);
                }
                _ => out.skip(1),
            }
        }
    }

    fn take_data(&mut self, piece: String, out: &mut Output) {
        if piece.is_empty() {
            return;
        }
        if let Data::None = self.data {
            self.data = Data::Whole(piece);
            return;
        }
        if let Data::Whole(first) = &self.data {
            self.data = Data::Bytes(BASE64.decode(first).unwrap_or_default());
        }
        if let Data::Bytes(bytes) = &mut self.data
            && BASE64.decode_vec(piece, bytes).is_err()
        {
            out.skip(1);
        }
    }

    /// Hands over the audio as one part, if there was any.
    pub(super) fn end(&mut self, out: &mut Output) {
        let Self {
            fields,
            data,
            transcript,
        } = std::mem::take(self);
        let data = match data {
            Data::None if fields.is_empty() && transcript.is_empty() => return,
            Data::None => String::new(),
            Data::Whole(data) => data,
            Data::Bytes(bytes) => BASE64.encode(bytes),
        };
        let mut audio = Audio::new(MediaSource::base64(media_type(&data), data));
        audio.transcript = (!transcript.is_empty()).then_some(transcript);
        audio.extra = as_own(DIALECT, fields);
        out.push(ChatEvent::part(audio));
    }
}

/// Guesses the media type from the first bytes, because the answer does not say it. Data without a
/// known signature is 16-bit PCM, the only format of streams.
fn media_type(data: &str) -> &'static str {
    let is = |mark: &[&str]| mark.iter().any(|mark| data.starts_with(mark));
    // The signatures in base64: RIFF, ID3 or a frame of MP3, OggS, fLaC, a frame of AAC.
    match () {
        () if is(&["UklGR"]) => "audio/wav",
        () if is(&["SUQz", "//u", "//v", "//M", "//N", "//I"]) => "audio/mpeg",
        () if is(&["T2dnU"]) => "audio/ogg",
        () if is(&["ZkxhQ"]) => "audio/flac",
        () if is(&["//E", "//F", "//k", "//l"]) => "audio/aac",
        () => "audio/pcm",
    }
}

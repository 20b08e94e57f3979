//! Pictures, files and sound in a message.

use serde::{Deserialize, Serialize};

use super::{Extra, Part};
use crate::words::kinds;

/// Where the bytes of an [`Image`], a [`File`] or an [`Audio`] are. Each dialect takes some of these
/// sources and refuses the others before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaSource {
    /// At a URL that the provider fetches.
    Url {
        /// The URL.
        url: String,
        /// The media type, for example `image/png`, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
    },
    /// Here, in base64.
    Base64 {
        /// The media type, for example `application/pdf`.
        media_type: String,
        /// The bytes, in base64.
        data: String,
    },
    /// At the provider, to which it was uploaded before.
    File {
        /// The provider's id of the file; at Gemini, its URI.
        file_id: String,
        /// The media type, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
    },
    /// Here, as plain text.
    Text {
        /// The text.
        text: String,
    },
}

impl MediaSource {
    kinds! {
        /// The kind as one stable word in snake case: the `type` of its JSON form.
        Self::Url { .. } = "url",
        Self::Base64 { .. } = "base64",
        Self::File { .. } = "file",
        Self::Text { .. } = "text",
    }

    /// At a URL that the provider fetches.
    pub fn url(url: impl Into<String>) -> Self {
        Self::Url {
            url: url.into(),
            media_type: None,
        }
    }

    /// Here: the media type, and the bytes in base64.
    pub fn base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::Base64 {
            media_type: media_type.into(),
            data: data.into(),
        }
    }

    /// At the provider, which gave the file this id.
    pub fn file(file_id: impl Into<String>) -> Self {
        Self::File {
            file_id: file_id.into(),
            media_type: None,
        }
    }

    /// Here, as plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// What a URL says: a `data:` URL in base64 is the bytes themselves.
    pub(crate) fn of_url(url: &str) -> Self {
        let inline = url.strip_prefix("data:");
        match inline.and_then(|rest| rest.split_once(";base64,")) {
            Some((media_type, data)) => Self::base64(media_type, data),
            None => Self::url(url),
        }
    }

    /// How many bytes it takes to write it.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Url { url, .. } => url.len(),
            Self::Base64 { media_type, data } => media_type.len() + data.len(),
            Self::File { file_id, .. } => file_id.len(),
            Self::Text { text } => text.len() + text.len() / 8,
        }
    }
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Image {
    /// Where its bytes are.
    pub source: MediaSource,
    /// How closely the model should look (`low`, `high`, `auto`), where the provider asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Fields of the part that chatcore has no name for.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Image {
    /// A picture from `source`.
    pub fn new(source: MediaSource) -> Self {
        Self {
            source,
            detail: None,
            extra: Extra::new(),
        }
    }
}

/// A document for the model to read: a PDF, or what else the provider takes.
///
/// ```
/// use chatcore::chat::{File, MediaSource};
/// use chatcore::Message;
///
/// let bytes_in_base64 = "JVBERi0xLjQK";
/// let file = MediaSource::base64("application/pdf", bytes_in_base64);
/// let message = Message::user("What does it say?").part(File::new(file).name("a.pdf"));
/// # let _ = message;
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct File {
    /// Where its bytes are.
    pub source: MediaSource,
    /// The file's name, which the model may see. OpenAI's dialects must name a file in base64: one
    /// without a name goes as `file` with the extension of its media type, such as `file.pdf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Fields of the part that chatcore has no name for, such as `cache_control`.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl File {
    /// A file from `source`.
    pub fn new(source: MediaSource) -> Self {
        Self {
            source,
            name: None,
            extra: Extra::new(),
        }
    }

    /// Adds the file's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// Sound: what the user said, or what the model answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Audio {
    /// Where its bytes are. The media type is `audio/wav`, `audio/mpeg` or another.
    pub source: MediaSource,
    /// What is said in it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// Fields of the part that chatcore has no name for.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Audio {
    /// Sound from `source`.
    pub fn new(source: MediaSource) -> Self {
        Self {
            source,
            transcript: None,
            extra: Extra::new(),
        }
    }
}

impl Part {
    /// An image that the provider fetches from `url`.
    pub fn image_url(url: impl Into<String>) -> Self {
        Self::Image(Image::new(MediaSource::url(url)))
    }

    /// An image sent along: its media type (for example `image/png`) and its bytes in base64.
    pub fn image_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::Image(Image::new(MediaSource::base64(media_type, data)))
    }

    /// An image that was uploaded to the provider, which gave it this id.
    pub fn image_id(file_id: impl Into<String>) -> Self {
        Self::Image(Image::new(MediaSource::file(file_id)))
    }

    /// A file that the provider fetches from `url`.
    pub fn file_url(url: impl Into<String>) -> Self {
        Self::File(File::new(MediaSource::url(url)))
    }

    /// A file sent along: its media type (for example `application/pdf`) and its bytes in base64.
    /// [`File::name`] gives it a name.
    pub fn file_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::File(File::new(MediaSource::base64(media_type, data)))
    }

    /// A file that was uploaded to the provider, which gave it this id.
    pub fn file_id(file_id: impl Into<String>) -> Self {
        Self::File(File::new(MediaSource::file(file_id)))
    }

    /// A file of plain text.
    pub fn file_text(text: impl Into<String>) -> Self {
        Self::File(File::new(MediaSource::text(text)))
    }

    /// Sound sent along: its media type (for example `audio/wav` or `audio/mpeg`) and its bytes in
    /// base64.
    pub fn audio_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::Audio(Audio::new(MediaSource::base64(media_type, data)))
    }

    /// Sound that the provider fetches from `url`.
    pub fn audio_url(url: impl Into<String>) -> Self {
        Self::Audio(Audio::new(MediaSource::url(url)))
    }

    /// Sound that was uploaded to the provider, which gave it this id.
    pub fn audio_id(file_id: impl Into<String>) -> Self {
        Self::Audio(Audio::new(MediaSource::file(file_id)))
    }
}

impl From<Image> for Part {
    fn from(image: Image) -> Self {
        Self::Image(image)
    }
}

impl From<File> for Part {
    fn from(file: File) -> Self {
        Self::File(file)
    }
}

impl From<Audio> for Part {
    fn from(audio: Audio) -> Self {
        Self::Audio(audio)
    }
}

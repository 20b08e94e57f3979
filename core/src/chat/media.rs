//! Images, files and audio in a message.

use serde::{Deserialize, Serialize};

use super::{Extra, Part};
use crate::words::kinds;

/// The location of the bytes of an [`Image`], a [`File`] or an [`Audio`]. Each dialect accepts some
/// of these sources, and refuses the others before anything is sent.
///
/// ```
/// use chatcore::chat::MediaSource;
///
/// let uploaded = MediaSource::file("file-abc123");
/// assert_eq!(uploaded.kind(), "file");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaSource {
    /// A URL that the provider fetches.
    Url {
        /// The URL.
        url: String,
        /// The media type, for example `image/png`, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
    },
    /// Bytes in the request, in base64.
    Base64 {
        /// The media type, for example `application/pdf`.
        media_type: String,
        /// The bytes, in base64.
        data: String,
    },
    /// A file that was uploaded to the provider before.
    File {
        /// The provider's id of the file. For Gemini, its URI.
        file_id: String,
        /// The media type, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
    },
    /// Plain text in the request.
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

    /// A URL that the provider fetches.
    pub fn url(url: impl Into<String>) -> Self {
        Self::Url {
            url: url.into(),
            media_type: None,
        }
    }

    /// Bytes in the request: the media type, and the bytes in base64.
    pub fn base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::Base64 {
            media_type: media_type.into(),
            data: data.into(),
        }
    }

    /// An uploaded file with the provider's id for it.
    pub fn file(file_id: impl Into<String>) -> Self {
        Self::File {
            file_id: file_id.into(),
            media_type: None,
        }
    }

    /// Plain text in the request.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// The source for a URL. A `data:` URL in base64 becomes the bytes.
    pub(crate) fn of_url(url: &str) -> Self {
        let inline = || {
            let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
            Some(Self::base64(head.strip_suffix(";base64")?, data))
        };
        inline().unwrap_or_else(|| Self::url(url))
    }

    /// The length of the source in a request, in bytes. An estimate for text.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Url { url, .. } => url.len(),
            Self::Base64 { media_type, data } => media_type.len() + data.len(),
            Self::File { file_id, .. } => file_id.len(),
            Self::Text { text } => text.len() + text.len() / 8,
        }
    }
}

/// An image.
///
/// ```
/// use chatcore::chat::{Image, MediaSource};
/// use chatcore::Message;
///
/// let photo = Image::new(MediaSource::url("https://example.com/a.png")).detail("low");
/// let message = Message::user("What is this?").part(photo);
/// # let _ = message;
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Image {
    /// The image's bytes.
    pub source: MediaSource,
    /// How closely the model should look (`low`, `high`, `auto`), if the provider has this setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Unknown fields of the part.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Image {
    /// An image from `source`.
    pub fn new(source: MediaSource) -> Self {
        Self {
            source,
            detail: None,
            extra: Extra::new(),
        }
    }

    /// Sets how closely the model should look (`low`, `high`, `auto`).
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// A document for the model to read: a PDF, or another format that the provider accepts.
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
    /// The file's bytes.
    pub source: MediaSource,
    /// The file's name, which the model may see. OpenAI's dialects require a name for a file in
    /// base64. A file without one is sent as `file` with the extension of its media type, such as
    /// `file.pdf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Unknown fields of the part, such as `cache_control`.
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

    /// Sets the file's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// Audio: the user's words, or the model's answer.
///
/// ```
/// use chatcore::chat::{Audio, MediaSource};
/// use chatcore::Message;
///
/// let voice = Audio::new(MediaSource::base64("audio/wav", "UklGRg=="));
/// let message = Message::user("What does she say?").part(voice);
/// # let _ = message;
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Audio {
    /// The audio's bytes. The media type is, for example, `audio/wav` or `audio/mpeg`.
    pub source: MediaSource,
    /// The spoken words, if they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// Unknown fields of the part.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Audio {
    /// Audio from `source`.
    pub fn new(source: MediaSource) -> Self {
        Self {
            source,
            transcript: None,
            extra: Extra::new(),
        }
    }

    /// Sets the spoken words.
    #[must_use]
    pub fn transcript(mut self, transcript: impl Into<String>) -> Self {
        self.transcript = Some(transcript.into());
        self
    }
}

impl Part {
    /// An image that the provider fetches from `url`.
    pub fn image_url(url: impl Into<String>) -> Self {
        Self::Image(Image::new(MediaSource::url(url)))
    }

    /// An image within the request: its media type (for example `image/png`) and its bytes in
    /// base64.
    pub fn image_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::Image(Image::new(MediaSource::base64(media_type, data)))
    }

    /// An image that was uploaded to the provider, with the provider's id for it.
    pub fn image_id(file_id: impl Into<String>) -> Self {
        Self::Image(Image::new(MediaSource::file(file_id)))
    }

    /// A file that the provider fetches from `url`.
    pub fn file_url(url: impl Into<String>) -> Self {
        Self::File(File::new(MediaSource::url(url)))
    }

    /// A file within the request: its media type (for example `application/pdf`) and its bytes in
    /// base64. [`File::name`] sets its name.
    pub fn file_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::File(File::new(MediaSource::base64(media_type, data)))
    }

    /// A file that was uploaded to the provider, with the provider's id for it.
    pub fn file_id(file_id: impl Into<String>) -> Self {
        Self::File(File::new(MediaSource::file(file_id)))
    }

    /// A file of plain text.
    pub fn file_text(text: impl Into<String>) -> Self {
        Self::File(File::new(MediaSource::text(text)))
    }

    /// Audio within the request: its media type (for example `audio/wav` or `audio/mpeg`) and its
    /// bytes in base64.
    pub fn audio_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::Audio(Audio::new(MediaSource::base64(media_type, data)))
    }

    /// Audio that the provider fetches from `url`.
    pub fn audio_url(url: impl Into<String>) -> Self {
        Self::Audio(Audio::new(MediaSource::url(url)))
    }

    /// Audio that was uploaded to the provider, with the provider's id for it.
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

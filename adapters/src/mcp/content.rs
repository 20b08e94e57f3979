//! What a tool returns.

use chatcore::Part;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::McpError;

/// The result of a tool.
///
/// ```
/// # async fn example(client: chatcore_adapters::mcp::McpClient) -> Result<(), chatcore_adapters::mcp::McpError> {
/// use chatcore::serde_json::json;
///
/// let result = client.call_tool("weather", json!({"city": "Lyon"})).await?;
/// match &result.structured {
///     Some(value) => println!("{}", value["temperature"]),
///     None => println!("{}", result.text()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct McpResult {
    /// What the tool returns for a model to read.
    pub content: Vec<McpContent>,
    /// What the tool returns for a program to read.
    pub structured: Option<Value>,
    /// Whether the tool failed. The content describes the failure.
    pub is_error: bool,
}

/// A piece of a tool's result.
///
/// ```
/// use chatcore_adapters::mcp::McpContent;
///
/// let text = McpContent::Text("18 degrees".into());
/// # let _ = text;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum McpContent {
    /// Text.
    Text(String),
    /// An image.
    Image {
        /// Its media type, such as `image/png`.
        media_type: String,
        /// Its bytes, in base64.
        data: String,
    },
    /// Audio.
    Audio {
        /// Its media type, such as `audio/wav`.
        media_type: String,
        /// Its bytes, in base64.
        data: String,
    },
    /// A document of text.
    TextResource {
        /// Its address, in the server's own scheme.
        uri: String,
        /// Its media type, if the server says.
        media_type: Option<String>,
        /// Its text.
        text: String,
    },
    /// A document of bytes.
    BlobResource {
        /// Its address, in the server's own scheme.
        uri: String,
        /// Its media type, if the server says.
        media_type: Option<String>,
        /// Its bytes, in base64.
        data: String,
    },
    /// The address of a document.
    Link {
        /// Its address, in the server's own scheme.
        uri: String,
        /// Its name.
        name: String,
        /// What it is.
        description: Option<String>,
    },
    /// Anything else, as it came.
    Other(Value),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, default)]
    content: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    structured_content: Option<&'a RawValue>,
    #[serde(default)]
    is_error: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    mime_type: Option<String>,
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    resource: Option<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(default)]
    uri: String,
    #[serde(default)]
    mime_type: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    blob: Option<String>,
}

impl McpResult {
    pub(super) fn read(raw: &RawValue) -> Result<Self, McpError> {
        let unreadable =
            |error| McpError::protocol("the server's result cannot be read").with_source(error);
        let wire: Wire<'_> = serde_json::from_str(raw.get()).map_err(unreadable)?;
        let structured = wire.structured_content;
        let structured = structured.map(|raw| serde_json::from_str(raw.get()));
        let pieces = wire.content.unwrap_or_default().into_iter();
        Ok(Self {
            content: pieces
                .map(|raw| McpContent::read(raw).map_err(unreadable))
                .collect::<Result<_, _>>()?,
            structured: structured.transpose().map_err(unreadable)?,
            is_error: wire.is_error.unwrap_or(false),
        })
    }

    /// All text of the result. If it has none, its structured value as JSON.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(McpContent::as_text);
        let text = texts.collect::<Vec<_>>().join("\n");
        match (&self.structured, text.is_empty()) {
            (Some(value), true) => value.to_string(),
            _ => text,
        }
    }

    /// The result as parts of a message. Images stay images. Audio and documents of bytes, which
    /// few models accept in a tool's result, stay so if `all_media`; otherwise a line of text says
    /// what they are.
    ///
    /// The structured value is added as JSON if there is no content, because a server should repeat
    /// it as text.
    pub fn parts(&self, all_media: bool) -> Vec<Part> {
        let content = self.content.iter();
        let mut parts: Vec<_> = content.map(|piece| piece.part(all_media)).collect();
        if let (true, Some(value)) = (parts.is_empty(), &self.structured) {
            parts.push(Part::text(value.to_string()));
        }
        parts
    }
}

impl McpContent {
    fn read(raw: &RawValue) -> Result<Self, serde_json::Error> {
        let piece = serde_json::from_str::<Piece>(raw.get());
        let known = piece.ok().and_then(Self::of);
        match known {
            Some(content) => Ok(content),
            None => serde_json::from_str(raw.get()).map(Self::Other),
        }
    }

    fn of(piece: Piece) -> Option<Self> {
        Some(match piece.kind.as_str() {
            "text" => Self::Text(piece.text?),
            "image" => Self::Image {
                media_type: piece.mime_type?,
                data: piece.data?,
            },
            "audio" => Self::Audio {
                media_type: piece.mime_type?,
                data: piece.data?,
            },
            "resource" => {
                let resource = piece.resource?;
                let (uri, media_type) = (resource.uri, resource.mime_type);
                match (resource.text, resource.blob) {
                    (Some(text), _) => Self::TextResource {
                        uri,
                        media_type,
                        text,
                    },
                    (None, Some(data)) => Self::BlobResource {
                        uri,
                        media_type,
                        data,
                    },
                    (None, None) => return None,
                }
            }
            "resource_link" => Self::Link {
                uri: piece.uri?,
                name: piece.name.unwrap_or_default(),
                description: piece.description,
            },
            _ => return None,
        })
    }

    /// The text of the piece, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::TextResource { text, .. } => Some(text),
            _ => None,
        }
    }

    fn part(&self, all_media: bool) -> Part {
        match self {
            Self::Text(text) => Part::text(text),
            Self::Image { media_type, data } => Part::image_base64(media_type, data),
            Self::Audio { media_type, data } if all_media => Part::audio_base64(media_type, data),
            Self::Audio { media_type, data } => left_out("audio", media_type, data, None),
            Self::TextResource { uri, text, .. } => Part::text(format!("{uri}:\n{text}")),
            Self::BlobResource {
                uri,
                media_type,
                data,
            } => {
                let kind = media_type.as_deref().unwrap_or("application/octet-stream");
                match kind.split('/').next() {
                    Some("image") => Part::image_base64(kind, data),
                    Some("audio") if all_media => Part::audio_base64(kind, data),
                    _ if all_media => Part::file_base64(kind, data),
                    _ => left_out("a document", kind, data, Some(uri)),
                }
            }
            Self::Link {
                uri,
                name,
                description,
            } => {
                let mut text = format!("a document: {name} ({uri})");
                if let Some(description) = description {
                    text.push_str(": ");
                    text.push_str(description);
                }
                Part::text(text)
            }
            Self::Other(value) => Part::text(value.to_string()),
        }
    }
}

/// The line in place of bytes that a model would not accept.
fn left_out(what: &str, media_type: &str, data: &str, uri: Option<&str>) -> Part {
    let bytes = data.len() / 4 * 3;
    let place = uri.map(|uri| format!(", {uri}")).unwrap_or_default();
    Part::text(format!(
        "[{what} of the type {media_type}, about {bytes} bytes{place}, not shown]"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> McpResult {
        let raw = serde_json::value::to_raw_value(&value).unwrap();
        McpResult::read(&raw).unwrap()
    }

    #[test]
    fn each_content_has_its_part() {
        let result = read(json!({"content": [
            {"type": "text", "text": "a", "annotations": {"priority": 1}},
            {"type": "image", "mimeType": "image/png", "data": "QUJD"},
            {"type": "audio", "mimeType": "audio/wav", "data": "QUJD"},
            {"type": "resource", "resource": {"uri": "x://t", "text": "b"}},
            {"type": "resource", "resource": {"uri": "x://i", "mimeType": "image/gif", "blob": "QUJD"}},
            {"type": "resource", "resource": {"uri": "x://b", "blob": "QUJD"}},
            {"type": "resource_link", "uri": "x://l", "name": "l", "description": "d"},
            {"type": "new", "value": 1},
            {"type": "text"},
            7,
        ]}));
        let kinds = |all_media| -> Vec<_> {
            let parts = result.parts(all_media);
            parts.iter().map(Part::kind).collect()
        };
        let text = "text";
        assert_eq!(
            kinds(true),
            [
                text, "image", "audio", text, "image", "file", text, text, text, text
            ]
        );
        assert_eq!(
            kinds(false),
            [
                text, "image", text, text, "image", text, text, text, text, text
            ]
        );
        assert_eq!(
            result.parts(false)[2],
            Part::text("[audio of the type audio/wav, about 3 bytes, not shown]")
        );
        assert_eq!(result.text(), "a\nb");
        assert!(!result.is_error);
    }

    #[test]
    fn a_structured_value_without_content_is_text() {
        let result = read(json!({"structuredContent": {"a": 1}, "isError": true}));
        assert_eq!(result.text(), r#"{"a":1}"#);
        assert_eq!(result.parts(false), [Part::text(r#"{"a":1}"#)]);
        assert!(result.is_error);
        assert_eq!(read(json!({"content": null})), McpResult::default());
    }
}

//! One message of a conversation.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Extra, Part, Reasoning, Text, ToolCall, ToolResult};

/// The speaker of a message.
///
/// ```
/// use chatcore::Role;
///
/// assert_eq!(Role::from("user"), Role::User);
/// assert_eq!(Role::Other("critic".into()).as_str(), "critic");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Instructions to the model, which take precedence over the conversation.
    System,
    /// The person or the program that uses the model.
    User,
    /// The model.
    Assistant,
    /// The result of a tool that the model called.
    Tool,
    /// An unknown role.
    Other(String),
}

impl Role {
    /// The role's word on the wire: `system`, `user`, `assistant`, `tool`, or an unknown role's
    /// own.
    pub fn as_str(&self) -> &str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Other(other) => other,
        }
    }
}

impl From<&str> for Role {
    fn from(word: &str) -> Self {
        match word {
            "system" => Self::System,
            "user" => Self::User,
            "assistant" => Self::Assistant,
            "tool" => Self::Tool,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(&*Cow::<'de, str>::deserialize(deserializer)?))
    }
}

/// One message of a conversation: its speaker and its parts.
///
/// Its JSON form is `{"role": "user", "content": "…"}`, as in the old Python client, or has an
/// array of [`Part`]s as `content`. OpenAI's form can be read too (`content: null`, `image_url`,
/// `tool_calls`, `tool_call_id`, `refusal`, `reasoning_content`). Nothing is lost: fields that have
/// no place in a message are kept in [`extra`](Self::extra).
///
/// ```
/// use chatcore::Message;
///
/// let message: Message = serde_json::from_str(r#"{"role": "user", "content": "你好"}"#)?;
/// assert_eq!(message, Message::user("你好"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// The speaker.
    pub role: Role,
    /// The parts of the message, in order.
    #[serde(rename = "content", serialize_with = "serialize_parts")]
    pub parts: Vec<Part>,
    /// The speaker's name, if several speakers have the same role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Unknown fields of the message. They are sent back as they came.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Message {
    /// A message of `role` with these parts.
    pub fn new(role: Role, parts: impl Into<Vec<Part>>) -> Self {
        Self {
            role,
            parts: parts.into(),
            name: None,
            extra: Extra::new(),
        }
    }

    /// Instructions to the model.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, [Part::text(text)])
    }

    /// A message of the user.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, [Part::text(text)])
    }

    /// A message of the model.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, [Part::text(text)])
    }

    /// The result of the tool call `call_id`.
    pub fn tool_result(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(
            Role::Tool,
            [Part::ToolResult(ToolResult::new(call_id, text))],
        )
    }

    /// Sets the speaker's name, where several speak in one role.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds a part, for example an image.
    #[must_use]
    pub fn part(mut self, part: impl Into<Part>) -> Self {
        self.parts.push(part.into());
        self
    }

    /// The message's text: its text parts, joined. Borrowed if there is only one.
    pub fn text(&self) -> Cow<'_, str> {
        join(self.parts.iter().filter_map(|part| match part {
            Part::Text(Text { text, .. }) => Some(text.as_str()),
            _ => None,
        }))
    }

    /// The model's reasoning, joined. Empty if the model did not reason, or if the provider
    /// withholds it.
    pub fn reasoning(&self) -> Cow<'_, str> {
        join(self.parts.iter().filter_map(|part| match part {
            Part::Reasoning(Reasoning { text, .. }) => Some(text.as_str()),
            _ => None,
        }))
    }

    /// The tool calls of the message, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

impl<R: Into<Role>, T: Into<String>> From<(R, T)> for Message {
    /// Makes a message of a role and a text, such as `("user", "…")`.
    fn from((role, text): (R, T)) -> Self {
        Self::new(role.into(), [Part::text(text)])
    }
}

fn join<'a>(mut pieces: impl Iterator<Item = &'a str>) -> Cow<'a, str> {
    let Some(first) = pieces.next() else {
        return Cow::Borrowed("");
    };
    let mut joined = Cow::Borrowed(first);
    for piece in pieces {
        joined.to_mut().push_str(piece);
    }
    joined
}

fn serialize_parts<S: Serializer>(parts: &[Part], serializer: S) -> Result<S::Ok, S::Error> {
    match parts {
        [Part::Text(Text { text, extra })] if extra.is_empty() => serializer.serialize_str(text),
        parts => parts.serialize(serializer),
    }
}

/// A message with these fields.
pub(super) fn of(role: Role, parts: Vec<Part>, name: Option<String>, extra: Extra) -> Message {
    Message {
        role,
        parts,
        name,
        extra,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_joins_only_text() {
        let message = Message::user("a")
            .part(Reasoning::new("b"))
            .part(Part::text("c"));
        assert_eq!(message.text(), "ac");
        assert_eq!(message.reasoning(), "b");
    }
}

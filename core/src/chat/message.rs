//! One message of a conversation.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Extra, Part, Reasoning, Text, ToolCall, ToolResult};

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Instructions to the model that stand above the conversation.
    System,
    /// The person, or the program, that asks.
    User,
    /// The model.
    Assistant,
    /// The result of a tool that the model called.
    Tool,
    /// A role that chatcore has no name for.
    Other(String),
}

impl Role {
    /// The word for it on the wire: `system`, `user`, `assistant`, `tool`, or its own.
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

/// One message of a conversation: who speaks, and the parts of what is said.
///
/// Its JSON form is `{"role": "user", "content": "…"}`, as in the old Python client, or with an
/// array of [`Part`]s as `content`. It is read from OpenAI's form as well (`content: null`,
/// `image_url`, `tool_calls`, `tool_call_id`, `refusal`, `reasoning_content`), of which nothing is
/// lost: what has no place of its own here goes into [`extra`](Self::extra).
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
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    #[serde(rename = "content", serialize_with = "serialize_parts")]
    pub parts: Vec<Part>,
    /// The speaker's name, where several speak in one role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Fields of the message that chatcore has no name for; they are sent back as they came.
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

    /// What the user says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, [Part::text(text)])
    }

    /// What the model said.
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

    /// Adds a part, for example an image.
    #[must_use]
    pub fn part(mut self, part: impl Into<Part>) -> Self {
        self.parts.push(part.into());
        self
    }

    /// The text of the message: its text parts, joined. Borrowed where there is only one.
    pub fn text(&self) -> Cow<'_, str> {
        join(self.parts.iter().filter_map(|part| match part {
            Part::Text(Text { text, .. }) => Some(text.as_str()),
            _ => None,
        }))
    }

    /// What the model wrote while it reasoned, joined; empty where it did not, or kept it back.
    pub fn reasoning(&self) -> Cow<'_, str> {
        join(self.parts.iter().filter_map(|part| match part {
            Part::Reasoning(Reasoning { text, .. }) => Some(text.as_str()),
            _ => None,
        }))
    }

    /// The tools that the model asks to be called, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

impl<R: Into<Role>, T: Into<String>> From<(R, T)> for Message {
    /// `("user", "…")` is a message.
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

/// A message of these parts.
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

//! Reads the [`Message`]s of a conversation from JSON.

use chatcore::chat::Extra;
use chatcore::json::{self, JsonError, Reader};
use chatcore::{Error, Message, Part, Role};
use serde_json::Value;

use crate::object::{not_json, undocumented, wrong};

/// Reads an array of messages, in all forms that [`Message`] accepts.
pub(crate) fn read(text: &str) -> Result<Vec<Message>, Error> {
    let mut reader = Reader::new(text);
    if reader.peek().map_err(not_json)? != b'[' {
        return Err(wrong("messages", "not an array"));
    }
    let mut items = reader.array().map_err(not_json)?;
    let mut messages = Vec::new();
    while reader.item(&mut items).map_err(not_json)? {
        let place = messages.len();
        if reader.peek().map_err(not_json)? != b'{' {
            return Err(wrong(&format!("messages[{place}]"), "not an object"));
        }
        messages.push(match fields(&mut reader).map_err(not_json)? {
            Fields {
                role: Some(role),
                text: Some(text),
                rest,
            } if rest.is_empty() => Message::new(Role::from(&*role), [Part::text(text)]),
            fields => fields
                .into_message()
                .map_err(|why| undocumented(format_args!("messages[{place}]: {why}")))?,
        });
    }
    Ok(messages)
}

/// A message's role and text, which is all that most messages have, and its other fields.
#[derive(Default)]
struct Fields {
    role: Option<String>,
    text: Option<String>,
    rest: Extra,
}

fn fields(reader: &mut Reader<'_>) -> Result<Fields, JsonError> {
    let mut fields = Fields::default();
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        match (&*name, reader.peek()?) {
            ("role", b'"') => fields.role = Some(reader.string()?.into_owned()),
            ("content", b'"') => fields.text = Some(reader.string()?.into_owned()),
            _ => {
                let value = json::parse(reader.raw()?)?;
                fields.rest.insert(name.into_owned(), value);
            }
        }
    }
    Ok(fields)
}

impl Fields {
    fn into_message(mut self) -> Result<Message, String> {
        for (name, text) in [("role", self.role), ("content", self.text)] {
            if let Some(text) = text {
                self.rest.insert(name.to_owned(), Value::String(text));
            }
        }
        Message::try_from(Value::Object(self.rest))
    }
}

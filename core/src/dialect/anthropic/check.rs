//! Refuses a request that Anthropic's protocol cannot express, before anything is sent.

use super::{Anthropic, DIALECT};
use crate::chat::{ChatRequest, Extra, MediaSource, Message, Part, ResponseFormat, Role};
use crate::dialect::kit::provenance::{cannot_carry, is_foreign_block, sent_fields};
use crate::error::Error;
use crate::quote::Quoted;

/// Refuses a request that the protocol cannot express.
pub(super) fn check(dialect: &Anthropic, request: &ChatRequest) -> Result<(), Error> {
    if let Some(temperature) = request.temperature.filter(|value| *value > 1.0) {
        return Err(Error::invalid(format!(
            "temperature is {temperature}; Anthropic allows 0 to 1"
        )));
    }
    if request.seed.is_some() {
        return Err(Error::invalid("Anthropic has no seed; leave it out"));
    }
    if matches!(request.response_format, Some(ResponseFormat::JsonObject)) {
        return Err(Error::invalid(
            "Anthropic has no JSON mode without a schema; use ResponseFormat::JsonSchema",
        ));
    }
    request.messages.iter().try_for_each(message)?;
    if dialect.is_without_sampling() {
        removed(dialect, request)?;
    }
    Ok(())
}

/// Refuses what the version `2026-10-21` removed.
fn removed(dialect: &Anthropic, request: &ChatRequest) -> Result<(), Error> {
    let refused = |what: &str| {
        Err(Error::invalid(format!(
            "Anthropic's API version {} does not accept {what}; leave it out, or use version \
             2023-06-01",
            dialect.version
        )))
    };
    let sampling = [
        ("temperature", request.temperature.is_some()),
        ("top_p", request.top_p.is_some()),
        ("top_k", false),
    ];
    for (name, is_set) in sampling {
        if is_set || request.extra.contains_key(name) {
            return refused(name);
        }
    }
    for message in &request.messages {
        for part in &message.parts {
            match (&message.role, part) {
                (Role::Assistant, Part::Other { value, .. })
                    if value["type"] == "document" && !is_foreign_block(DIALECT, part) =>
                {
                    return refused("documents in assistant messages");
                }
                (Role::User, Part::Text(text)) if cites(&text.extra) => {
                    return refused("citations in user messages");
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn cites(extra: &Extra) -> bool {
    sent_fields(DIALECT, extra).any(|(name, value)| {
        name == "citations" && value.as_array().is_some_and(|list| !list.is_empty())
    })
}

fn message(message: &Message) -> Result<(), Error> {
    let role = message.role.as_str();
    if let Role::Other(_) = message.role {
        return Err(Error::invalid(format!(
            "Anthropic has no role {}; use system, user, assistant or tool",
            Quoted(role)
        )));
    }
    parts(message)?;
    let is_text = |part: &Part| matches!(part, Part::Text(_) | Part::Other { .. });
    if message.role == Role::System && !message.parts.iter().all(is_text) {
        return Err(Error::invalid("a system prompt can only be text"));
    }
    Ok(())
}

/// Refuses parts that have no block, and parts in a message of the wrong role.
fn parts(message: &Message) -> Result<(), Error> {
    let role = message.role.as_str();
    for part in &message.parts {
        match part {
            Part::Image(_) | Part::File(_) if message.role != Role::User => {
                let (article, kind) = match part {
                    Part::Image(_) => ("an", "image"),
                    _ => ("a", "file"),
                };
                return Err(Error::invalid(format!(
                    "{article} {kind} is in a message of the role {role}; Anthropic accepts \
                     {kind}s only in user messages and in tool results"
                )));
            }
            Part::ToolResult(result) => result.content.iter().try_for_each(has_block)?,
            part => has_block(part)?,
        }
    }
    Ok(())
}

fn has_block(part: &Part) -> Result<(), Error> {
    match part {
        Part::Image(image) => match image.source {
            MediaSource::Text { .. } => Err(cannot_carry(
                DIALECT,
                "an image as text",
                "send its bytes in base64",
            )),
            _ => Ok(()),
        },
        Part::File(file) => match &file.source {
            MediaSource::Base64 { media_type, .. } if media_type != "application/pdf" => {
                Err(cannot_carry(
                    DIALECT,
                    "a base64 file whose media type is not application/pdf",
                    "send plain text as text, or upload the file and send its id",
                ))
            }
            _ => Ok(()),
        },
        Part::Audio(_) => Err(cannot_carry(
            DIALECT,
            "audio",
            "send a transcript as text, or use a provider that accepts audio",
        )),
        _ => Ok(()),
    }
}

//! Turns messages into contents. A content holds all that one side says before the other side
//! answers.

use std::collections::{HashMap, VecDeque};

use super::parts;
use crate::chat::{ChatRequest, Message, Part, Role};
use crate::error::Error;
use crate::json::Writer;
use crate::models::ModelRule;
use crate::quote::Quoted;

/// A conversation in Google's form.
pub(super) struct Turns<'a> {
    /// The parts of all system messages, wherever they are in the conversation.
    pub(super) system: Vec<&'a Part>,
    turns: Vec<Turn<'a>>,
}

/// All that one side says before the other side answers.
struct Turn<'a> {
    is_model: bool,
    /// The parts of each message.
    messages: Vec<Vec<&'a Part>>,
}

/// The names of the calls that wait for their results, by call id. Calls without an id are matched
/// in their order.
#[derive(Debug, Default)]
pub(super) struct OpenCalls<'a>(HashMap<&'a str, VecDeque<&'a str>>);

impl<'a> OpenCalls<'a> {
    fn add(&mut self, message: &[&'a Part]) {
        for part in message {
            if let Part::ToolCall(call) = part {
                self.0.entry(&call.id).or_default().push_back(&call.name);
            }
        }
    }

    /// Takes the name of the call with this id.
    pub(super) fn take(&mut self, id: &str) -> Option<&'a str> {
        self.0.get_mut(id)?.pop_front()
    }
}

impl<'a> Turns<'a> {
    pub(super) fn of(request: &'a ChatRequest) -> Result<Self, Error> {
        let mut all = Self {
            system: Vec::new(),
            turns: Vec::new(),
        };
        for message in &request.messages {
            check(message)?;
            let parts = message.parts.iter().filter(|part| parts::is_sent(part));
            let parts: Vec<_> = parts.collect();
            if message.role == Role::System {
                all.system.extend(parts);
            } else if !parts.is_empty() {
                all.push(message.role == Role::Assistant, parts);
            }
        }
        match all.turns.is_empty() {
            true => Err(Error::invalid(
                "the conversation has only a system prompt; Gemini requires a user message",
            )),
            false => Ok(all),
        }
    }

    fn push(&mut self, is_model: bool, parts: Vec<&'a Part>) {
        match self.turns.last_mut() {
            Some(turn) if turn.is_model == is_model => turn.messages.push(parts),
            _ => self.turns.push(Turn {
                is_model,
                messages: vec![parts],
            }),
        }
    }

    pub(super) fn write_system(&self, writer: &mut Writer) {
        writer.open('{');
        writer.key("parts");
        writer.open('[');
        for part in &self.system {
            parts::write_prose(writer, part);
        }
        writer.close(']');
        writer.close('}');
    }

    pub(super) fn write(&self, writer: &mut Writer, rule: &ModelRule) -> Result<(), Error> {
        let mut open = OpenCalls::default();
        writer.open('[');
        for turn in &self.turns {
            writer.open('{');
            writer.member("role", if turn.is_model { "model" } else { "user" });
            writer.key("parts");
            writer.open('[');
            match turn.is_model {
                true => turn.write_model(writer, rule, &mut open)?,
                false => turn.write_user(writer, rule, &mut open)?,
            }
            writer.close(']');
            writer.close('}');
        }
        writer.close(']');
        Ok(())
    }
}

impl<'a> Turn<'a> {
    fn write_model(
        &self,
        writer: &mut Writer,
        rule: &ModelRule,
        open: &mut OpenCalls<'a>,
    ) -> Result<(), Error> {
        for message in &self.messages {
            open.add(message);
            let mut calls = parts::Calls::of(message, rule);
            for part in message {
                parts::write(writer, part, rule, &mut calls)?;
            }
        }
        Ok(())
    }

    /// The results of functions come first, because they belong to the turn before.
    fn write_user(
        &self,
        writer: &mut Writer,
        rule: &ModelRule,
        open: &mut OpenCalls<'a>,
    ) -> Result<(), Error> {
        let parts = || self.messages.iter().flatten();
        for part in parts() {
            if let Part::ToolResult(result) = part {
                parts::write_result(writer, result, rule, open)?;
            }
        }
        let mut calls = parts::Calls::default();
        for part in parts() {
            if !matches!(part, Part::ToolResult(_)) {
                parts::write(writer, part, rule, &mut calls)?;
            }
        }
        Ok(())
    }
}

fn check(message: &Message) -> Result<(), Error> {
    let role = message.role.as_str();
    if let Role::Other(_) = message.role {
        return Err(Error::invalid(format!(
            "Gemini has no role {}; use system, user, assistant or tool",
            Quoted(role)
        )));
    }
    let is_prose = |part: &Part| {
        matches!(
            part,
            Part::Text(_) | Part::Refusal(_) | Part::Reasoning(_) | Part::Other { .. }
        )
    };
    if message.role == Role::System && !message.parts.iter().all(is_prose) {
        return Err(Error::invalid("a system prompt can only be text"));
    }
    Ok(())
}

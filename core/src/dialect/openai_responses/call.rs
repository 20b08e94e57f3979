//! A tool call: of a function, or of a custom tool, which takes plain text as its input.

use serde_json::Value;

use super::DIALECT;
use super::print::Print;
use super::writing::lost;
use crate::chat::{ChatEvent, Extra};
use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::read::extra_of;
use crate::json::{Joiner, Piece};

/// The type of a custom tool's call. It is kept with the call, to tell it from a call of a
/// function.
pub(super) const CUSTOM: &str = "custom_tool_call";

/// Whether a `ToolCall` represents the item's field `name`, by one of its own fields or by its
/// type.
fn is_told(is_custom: bool, name: &str) -> bool {
    match name {
        "call_id" | "name" => true,
        "type" => !is_custom,
        name => name == input_field(is_custom),
    }
}

/// The name of the field that holds the tool's input.
pub(super) fn input_field(is_custom: bool) -> &'static str {
    match is_custom {
        true => "input",
        false => "arguments",
    }
}

/// A tool call that arrives in pieces.
#[derive(Debug)]
pub(super) struct Call {
    is_custom: bool,
    /// The fields of the item from its first event.
    begun: Extra,
    /// The index of the call in the events. `None` until the call is announced.
    at: Option<usize>,
    /// The fingerprint of the arguments so far.
    print: Print,
    half: Joiner,
    waiting: String,
}

impl Call {
    pub(super) fn new(is_custom: bool, begun: Extra) -> Self {
        Self {
            is_custom,
            begun,
            at: None,
            print: Print::default(),
            half: Joiner::default(),
            waiting: String::new(),
        }
    }

    /// Reads more of the arguments.
    pub(super) fn take(&mut self, piece: Piece<'_>, out: &mut Output) {
        let text = self.half.join(piece);
        self.print.add(&text);
        match self.at {
            Some(index) => push_arguments(index, text.into_owned(), out),
            None => self.waiting.push_str(&text),
        }
    }

    /// Reads all of the arguments. Returns false if the deltas said something else.
    pub(super) fn complete(&mut self, text: &str, out: &mut Output) -> bool {
        let rest = self.print.rest_of(text);
        if let Some(rest) = rest {
            self.take(Piece::from(rest), out);
        }
        rest.is_some()
    }

    /// Called when it is this call's turn: announces the call, and hands over the arguments that
    /// waited.
    pub(super) fn flow(&mut self, calls: &mut usize, out: &mut Output) {
        if self.at.is_some() || text(&self.begun, "name").is_empty() {
            return;
        }
        let begun = std::mem::take(&mut self.begun);
        self.announce(&begun, calls, out);
        self.begun = begun;
    }

    /// Whether the call was announced.
    pub(super) fn is_announced(&self) -> bool {
        self.at.is_some()
    }

    fn announce(&mut self, item: &Extra, calls: &mut usize, out: &mut Output) {
        let index = *calls;
        *calls += 1;
        self.at = Some(index);
        // The id that the tool's result refers to. Some servers send only the item's `id`.
        let ids = ["call_id", "id"].map(|name| text(item, name));
        out.push(ChatEvent::ToolCallStart {
            index,
            id: ids
                .into_iter()
                .find(|id| !id.is_empty())
                .unwrap_or_default()
                .to_owned(),
            name: text(item, "name").to_owned(),
        });
        push_arguments(index, std::mem::take(&mut self.waiting), out);
    }

    /// Completes the call. `done` is the whole item, if the server sent it. Returns whether the
    /// call has no name.
    pub(super) fn close(
        &mut self,
        done: Option<Extra>,
        calls: &mut usize,
        out: &mut Output,
    ) -> bool {
        let was_said = done.is_some();
        let mut item = match done {
            Some(done) => done,
            None => lost(std::mem::take(&mut self.begun)),
        };
        let field = input_field(self.is_custom);
        if self.at.is_none() {
            self.announce(&item, calls, out);
        }
        let is_same = match item.get(field) {
            // The item as it began may have no arguments yet.
            Some(Value::String(text)) => self.complete(text, out) || !was_said,
            Some(Value::Null) | None => true,
            // Some servers send an object instead of a string.
            Some(value) => {
                let text = value.to_string();
                self.complete(&text, out);
                false
            }
        };
        let is_nameless = [&item, &self.begun]
            .iter()
            .all(|item| text(item, "name").is_empty());
        self.end(out);
        let is_custom = self.is_custom;
        item.retain(|name, _| !is_told(is_custom, name) || (name == field && !is_same));
        if let (Some(index), false) = (self.at, item.is_empty()) {
            let extra = extra_of(DIALECT, Value::Object(item));
            out.push(ChatEvent::ToolCallExtra { index, extra });
        }
        is_nameless
    }

    /// Ends a call that is not complete.
    pub(super) fn end(&mut self, out: &mut Output) {
        if let (Some(index), Some(rest)) = (self.at, self.half.rest()) {
            push_arguments(index, rest.into(), out);
        }
    }
}

fn text<'a>(item: &'a Extra, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn push_arguments(index: usize, fragment: String, out: &mut Output) {
    if !fragment.is_empty() {
        out.push(ChatEvent::ToolCallArguments { index, fragment });
    }
}

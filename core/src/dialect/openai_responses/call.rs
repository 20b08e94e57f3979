//! A tool call: of a function, or of a custom tool, whose input is plain text.

use serde_json::Value;

use super::DIALECT;
use super::print::Print;
use super::writing::lost;
use crate::chat::{ChatEvent, Extra};
use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::read::extra_of;
use crate::json::{Joiner, Piece};

/// The type of a call of a custom tool. It stays with the call, to tell it from a function's.
pub(super) const CUSTOM: &str = "custom_tool_call";

/// The fields of an item that a tool call has a place for, and those that its type decides.
fn is_told(is_custom: bool, name: &str) -> bool {
    match name {
        "call_id" | "name" => true,
        "type" => !is_custom,
        name => name == input_field(is_custom),
    }
}

/// The field with what is handed to the tool.
pub(super) fn input_field(is_custom: bool) -> &'static str {
    match is_custom {
        true => "input",
        false => "arguments",
    }
}

/// A tool call, as far as it came.
#[derive(Debug)]
pub(super) struct Call {
    is_custom: bool,
    /// The item as it began.
    begun: Extra,
    /// Its place among the calls that were handed over.
    at: Option<usize>,
    /// What came of its arguments.
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

    /// Takes in more of the arguments.
    pub(super) fn take(&mut self, piece: Piece<'_>, out: &mut Output) {
        let text = self.half.join(piece);
        self.print.add(&text);
        match self.at {
            Some(index) => push_arguments(index, text.into_owned(), out),
            None => self.waiting.push_str(&text),
        }
    }

    /// Takes in all of the arguments; false where something else came before.
    pub(super) fn complete(&mut self, text: &str, out: &mut Output) -> bool {
        let rest = self.print.rest_of(text);
        if let Some(rest) = rest {
            self.take(Piece::from(rest), out);
        }
        rest.is_some()
    }

    /// It is this call's turn, the `index`th: hands over that it begins, and what waited.
    pub(super) fn flow(&mut self, calls: &mut usize, out: &mut Output) {
        if self.at.is_some() || text(&self.begun, "name").is_empty() {
            return;
        }
        let begun = std::mem::take(&mut self.begun);
        self.announce(&begun, calls, out);
        self.begun = begun;
    }

    /// Whether it was handed over that it begins.
    pub(super) fn is_announced(&self) -> bool {
        self.at.is_some()
    }

    fn announce(&mut self, item: &Extra, calls: &mut usize, out: &mut Output) {
        let index = *calls;
        *calls += 1;
        self.at = Some(index);
        // The id that its result names; some servers have only that of the item.
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

    /// The call is complete. `done` is all of its item, where the server has said it. True where it
    /// has no name.
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
            // The beginning of a call has no arguments yet.
            Some(Value::String(text)) => self.complete(text, out) || !was_said,
            Some(Value::Null) | None => true,
            // Some servers send an object.
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

    /// No more comes of a call that is not complete.
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

//! Builds a response from events.

use serde_json::Value;

use super::{ChatEvent, ChatResponse, Extra, Part, Reasoning, Refusal, Text, ToolCall};

/// Builds a [`ChatResponse`] from the [`ChatEvent`]s of one answer, in their order.
///
/// ```
/// use chatcore::{ChatEvent, FinishReason, Fold};
///
/// let mut fold = Fold::new();
/// fold.push(ChatEvent::Text("Hel".into()));
/// fold.push(ChatEvent::Text("lo".into()));
/// fold.push(ChatEvent::Finish { reason: FinishReason::Stop, raw: "stop".into() });
/// assert_eq!(fold.finish().text(), "Hello");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Fold {
    response: ChatResponse,
    /// Whether the last part is still growing.
    open: bool,
    /// The index of each tool call, and its place among the message's parts, sorted by index.
    calls: Vec<(usize, usize)>,
}

impl Fold {
    /// An empty answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The answer so far.
    pub fn partial(&self) -> &ChatResponse {
        &self.response
    }

    /// The answer so far, to set fields that no event sets.
    pub(crate) fn response_mut(&mut self) -> &mut ChatResponse {
        &mut self.response
    }

    /// The complete answer.
    pub fn finish(self) -> ChatResponse {
        self.response
    }

    /// Adds the next event.
    pub fn push(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Start { id, model } => {
                keep_first(&mut self.response.id, id);
                keep_first(&mut self.response.model, model);
            }
            ChatEvent::Text(text) => self.push_text(text),
            ChatEvent::Reasoning(text) => self.push_reasoning(text),
            ChatEvent::ReasoningSignature(signature) => self.push_signature(&signature),
            ChatEvent::Refusal(text) => self.push_refusal(text),
            ChatEvent::ToolCallStart { index, id, name } => {
                if let Some(call) = self.call(index) {
                    keep_first(&mut call.id, Some(id));
                    keep_first(&mut call.name, Some(name));
                }
            }
            ChatEvent::ToolCallArguments { index, fragment } => {
                if let Some(call) = self.call(index) {
                    append(&mut call.arguments, fragment);
                }
            }
            ChatEvent::ToolCallExtra { index, extra } => {
                if let Some(call) = self.call(index) {
                    merge(&mut call.extra, extra);
                }
            }
            ChatEvent::Part(part) => {
                self.parts().push(*part);
                self.open = false;
            }
            ChatEvent::PartEnd => self.open = false,
            ChatEvent::PartExtra(extra) => self.push_part_extra(extra),
            ChatEvent::MessageExtra(extra) => merge(&mut self.response.message.extra, extra),
            ChatEvent::Usage(usage) => self.response.usage = Some(usage),
            ChatEvent::Extra(extra) => merge(&mut self.response.extra, extra),
            ChatEvent::Finish { reason, raw } => {
                self.response.finish_reason = Some(reason);
                self.response.finish_reason_raw = raw;
            }
        }
    }

    /// Adds the next event without taking it from the caller.
    pub fn push_ref(&mut self, event: &ChatEvent) {
        // The most frequent events are added without a copy of the event.
        match (event, self.growing()) {
            (ChatEvent::Text(text), Some(Part::Text(part))) => part.text.push_str(text),
            (ChatEvent::Reasoning(text), Some(Part::Reasoning(part))) => part.text.push_str(text),
            _ => self.push(event.clone()),
        }
    }

    fn parts(&mut self) -> &mut Vec<Part> {
        &mut self.response.message.parts
    }

    /// The part that is still growing.
    fn growing(&mut self) -> Option<&mut Part> {
        if self.open {
            self.parts().last_mut()
        } else {
            None
        }
    }

    fn begin(&mut self, part: Part) {
        self.parts().push(part);
        self.open = true;
    }

    fn push_text(&mut self, text: String) {
        match self.growing() {
            Some(Part::Text(part)) => append(&mut part.text, text),
            _ if text.is_empty() => {}
            _ => self.begin(Part::Text(Text::new(text))),
        }
    }

    fn push_reasoning(&mut self, text: String) {
        match self.growing() {
            Some(Part::Reasoning(part)) => append(&mut part.text, text),
            _ if text.is_empty() => {}
            _ => self.begin(Part::Reasoning(Reasoning::new(text))),
        }
    }

    fn push_signature(&mut self, signature: &str) {
        match self.growing() {
            Some(Part::Reasoning(part)) => {
                part.signature
                    .get_or_insert_with(String::new)
                    .push_str(signature);
            }
            _ => self.begin(Part::Reasoning(Reasoning::default().signature(signature))),
        }
    }

    fn push_refusal(&mut self, text: String) {
        match self.growing() {
            Some(Part::Refusal(part)) => append(&mut part.text, text),
            _ if text.is_empty() => {}
            _ => self.begin(Part::Refusal(Refusal::new(text))),
        }
    }

    /// The tool call with this index. A new index begins a call.
    fn call(&mut self, index: usize) -> Option<&mut ToolCall> {
        self.open = false;
        let parts = &mut self.response.message.parts;
        let place = match self.calls.binary_search_by_key(&index, |&(known, _)| known) {
            Ok(at) => self.calls[at].1,
            Err(at) => {
                let place = parts.len();
                parts.push(Part::ToolCall(ToolCall::new("", "", "")));
                self.calls.insert(at, (index, place));
                place
            }
        };
        match parts.get_mut(place) {
            Some(Part::ToolCall(call)) => Some(call),
            _ => None,
        }
    }

    fn push_part_extra(&mut self, extra: Extra) {
        match self.growing() {
            Some(Part::Text(part)) => merge(&mut part.extra, extra),
            Some(Part::Reasoning(part)) => merge(&mut part.extra, extra),
            Some(Part::Refusal(part)) => merge(&mut part.extra, extra),
            _ => merge(&mut self.response.extra, extra),
        }
    }
}

fn keep_first(field: &mut String, value: Option<String>) {
    if let Some(value) = value
        && field.is_empty()
    {
        *field = value;
    }
}

/// Appends to a text. An empty text is replaced, without a copy.
fn append(text: &mut String, more: String) {
    if text.is_empty() {
        *text = more;
    } else {
        text.push_str(&more);
    }
}

/// Merges fields. Later values replace earlier ones, except that arrays are joined, also within
/// objects, and a null replaces nothing.
fn merge(into: &mut Extra, from: Extra) {
    // Usually there is nothing to merge with. Moving the map is cheaper than inserting each field.
    if into.is_empty() {
        *into = from;
        return;
    }
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(_), Value::Null) => {}
            (Some(old), new) => *old = new,
            (None, new) => {
                into.insert(key, new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::FinishReason;

    fn fold(events: impl IntoIterator<Item = ChatEvent>) -> ChatResponse {
        let mut fold = Fold::new();
        for event in events {
            fold.push(event);
        }
        fold.finish()
    }

    #[test]
    fn pieces_of_one_kind_grow_one_part() {
        let response = fold([
            ChatEvent::Reasoning("a".into()),
            ChatEvent::Reasoning("b".into()),
            ChatEvent::ReasoningSignature("sig".into()),
            ChatEvent::Text("c".into()),
            ChatEvent::Text(String::new()),
            ChatEvent::Text("d".into()),
        ]);
        assert_eq!(
            response.message.parts,
            [
                Part::Reasoning(Reasoning::new("ab").signature("sig")),
                Part::text("cd"),
            ]
        );
    }

    #[test]
    fn a_part_end_begins_another_part() {
        let response = fold([
            ChatEvent::Text("a".into()),
            ChatEvent::PartEnd,
            ChatEvent::Text("b".into()),
        ]);
        assert_eq!(response.message.parts, [Part::text("a"), Part::text("b")]);
        assert_eq!(response.text(), "ab");
    }

    #[test]
    fn interleaved_tool_calls_stay_apart() {
        let start = |index, id: &str| ChatEvent::ToolCallStart {
            index,
            id: id.into(),
            name: "f".into(),
        };
        let more = |index, fragment: &str| ChatEvent::ToolCallArguments {
            index,
            fragment: fragment.into(),
        };
        let response = fold([
            start(0, "x"),
            start(1, "y"),
            more(0, "{\"a\""),
            more(1, "{"),
            more(0, ":1}"),
            more(1, "}"),
        ]);
        let calls: Vec<_> = response
            .tool_calls()
            .map(|call| (call.id.as_str(), call.arguments.as_str()))
            .collect();
        assert_eq!(calls, [("x", "{\"a\":1}"), ("y", "{}")]);
    }

    #[test]
    fn the_last_usage_and_the_first_id_count() {
        let usage = |output_tokens| {
            ChatEvent::Usage(crate::chat::Usage {
                output_tokens,
                ..Default::default()
            })
        };
        let start = |id: &str| ChatEvent::Start {
            id: Some(id.into()),
            model: None,
        };
        let response = fold([
            start("first"),
            start("second"),
            usage(1),
            usage(2),
            ChatEvent::Finish {
                reason: FinishReason::Stop,
                raw: "end_turn".into(),
            },
        ]);
        assert_eq!(response.id, "first");
        assert_eq!(response.usage.unwrap().output_tokens, 2);
        assert_eq!(response.finish_reason_raw, "end_turn");
    }
}

//! Writes an answer as the event stream of `/v1/responses`.

use chatcore::{ChatEvent, Part};
use serde_json::{Value, json};

use super::whole;
use crate::answers::pieces::{Pieces, Place, Step};
use crate::answers::{self, Frame, Refusal};

/// Converts the events of one answer to SSE in the form of Responses.
#[derive(Debug)]
pub(super) struct Events {
    frame: Frame,
    begun: bool,
    pieces: Pieces,
    /// The index of the reasoning item whose summary has begun.
    summed: Option<usize>,
    /// The sequence number of the next event.
    number: u64,
}

impl answers::Events for Events {
    fn write(&mut self, event: &ChatEvent) -> Vec<u8> {
        let mut bytes = Vec::new();
        let steps = self.pieces.push(event);
        let is_end = matches!(event, ChatEvent::Finish { .. });
        if steps.is_empty() && !is_end {
            return bytes;
        }
        self.begin(&mut bytes);
        for step in steps {
            self.tell(step, &mut bytes);
        }
        if is_end {
            let whole = whole::write(self.pieces.answer(), &self.frame);
            let name = match whole["status"].as_str() {
                Some("incomplete") => "response.incomplete",
                _ => "response.completed",
            };
            self.push(name, json!({"response": whole}), &mut bytes);
        }
        bytes
    }

    fn fail(&mut self, refusal: &Refusal) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.begin(&mut bytes);
        let answer = self.pieces.answer();
        let items = self.frame.items(answer);
        let mut whole = self.frame.of(answer, "failed", items);
        whole["error"] = json!({"code": refusal.code, "message": refusal.message});
        self.push("response.failed", json!({"response": whole}), &mut bytes);
        bytes
    }
}

impl Events {
    pub(super) fn new(frame: Frame) -> Self {
        Self {
            frame,
            begun: false,
            pieces: Pieces::new(whole::has_item),
            summed: None,
            number: 0,
        }
    }

    fn begin(&mut self, bytes: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        for name in ["response.created", "response.in_progress"] {
            let begun = self
                .frame
                .of(self.pieces.answer(), "in_progress", Vec::new());
            self.push(name, json!({"response": begun}), bytes);
        }
    }

    fn tell(&mut self, step: Step, bytes: &mut Vec<u8>) {
        match step {
            Step::Begin(place) => self.begin_item(place, bytes),
            Step::Text(place, text) => {
                let is_reasoning = matches!(self.pieces.part(place), Some(Part::Reasoning(_)));
                if is_reasoning && self.summed != Some(place.index) {
                    self.summed = Some(place.index);
                    let part = json!({"type": "summary_text", "text": ""});
                    let added = self.of_item(place, json!({"summary_index": 0, "part": part}));
                    self.push("response.reasoning_summary_part.added", added, bytes);
                }
                let (name, mut event) = self.piece(place, "delta");
                event["delta"] = json!(text);
                self.push(name, event, bytes);
            }
            Step::Arguments(place, piece) => {
                let event = self.of_item(place, json!({"delta": piece}));
                self.push("response.function_call_arguments.delta", event, bytes);
            }
            // Both are part of the complete item.
            Step::Signature(..) | Step::Extra(..) => {}
            Step::End(place) => self.end_item(place, bytes),
        }
    }

    fn begin_item(&mut self, place: Place, bytes: &mut Vec<u8>) {
        let mut item = self.item(place, "in_progress");
        let part = self.pieces.part(place).cloned();
        match &part {
            Some(Part::Text(_) | Part::Refusal(_)) => item["content"] = json!([]),
            Some(Part::Reasoning(_)) => item["summary"] = json!([]),
            Some(Part::ToolCall(_)) => item["arguments"] = json!(""),
            _ => {}
        }
        let added = json!({"output_index": place.index, "item": item});
        self.push("response.output_item.added", added, bytes);
        match part {
            Some(Part::Text(_)) => {
                let part = json!({"type": "output_text", "text": "", "annotations": [],
                    "logprobs": []});
                let added = self.of_item(place, json!({"content_index": 0, "part": part}));
                self.push("response.content_part.added", added, bytes);
            }
            Some(Part::Refusal(_)) => {
                let part = json!({"type": "refusal", "refusal": ""});
                let added = self.of_item(place, json!({"content_index": 0, "part": part}));
                self.push("response.content_part.added", added, bytes);
            }
            _ => {}
        }
    }

    fn end_item(&mut self, place: Place, bytes: &mut Vec<u8>) {
        let part = self.pieces.part(place).cloned();
        let (name, mut event) = self.piece(place, "done");
        match &part {
            Some(Part::Text(text)) => event["text"] = json!(text.text),
            Some(Part::Refusal(refusal)) => event["refusal"] = json!(refusal.text),
            Some(Part::Reasoning(reasoning)) => event["text"] = json!(reasoning.text),
            Some(Part::ToolCall(call)) => {
                event["arguments"] = json!(call.arguments);
                event["name"] = json!(call.name);
            }
            _ => {}
        }
        let has_summary = self.summed == Some(place.index);
        let is_told = !matches!(part, Some(Part::Reasoning(_))) || has_summary;
        if is_told && !name.is_empty() {
            self.push(name, event, bytes);
        }
        match &part {
            Some(Part::Text(_) | Part::Refusal(_)) => {
                let content = part.as_ref().and_then(whole::content);
                let done = self.of_item(place, json!({"content_index": 0, "part": content}));
                self.push("response.content_part.done", done, bytes);
            }
            Some(Part::Reasoning(reasoning)) if has_summary => {
                let part = json!({"type": "summary_text", "text": reasoning.text});
                let done = self.of_item(place, json!({"summary_index": 0, "part": part}));
                self.push("response.reasoning_summary_part.done", done, bytes);
            }
            _ => {}
        }
        let item = self.item(place, "completed");
        let done = json!({"output_index": place.index, "item": item});
        self.push("response.output_item.done", done, bytes);
    }

    /// The name and fields of the event for a delta of a part, or for its complete text. The name
    /// is empty if there is no such event.
    fn piece(&self, place: Place, what: &str) -> (&'static str, Value) {
        let content = json!({"content_index": 0});
        let (name, more) = match (self.pieces.part(place), what) {
            (Some(Part::Text(_)), "delta") => ("response.output_text.delta", content),
            (Some(Part::Text(_)), _) => ("response.output_text.done", content),
            (Some(Part::Refusal(_)), "delta") => ("response.refusal.delta", content),
            (Some(Part::Refusal(_)), _) => ("response.refusal.done", content),
            (Some(Part::Reasoning(_)), "delta") => (
                "response.reasoning_summary_text.delta",
                json!({"summary_index": 0}),
            ),
            (Some(Part::Reasoning(_)), _) => (
                "response.reasoning_summary_text.done",
                json!({"summary_index": 0}),
            ),
            (Some(Part::ToolCall(_)), _) => ("response.function_call_arguments.done", json!({})),
            _ => ("", json!({})),
        };
        let mut event = self.of_item(place, more);
        if name.starts_with("response.output_text") {
            event["logprobs"] = json!([]);
        }
        (name, event)
    }

    fn item(&self, place: Place, status: &str) -> Value {
        let part = self.pieces.part(place);
        let item = part.and_then(|part| self.frame.item(part, place.index, status));
        item.unwrap_or_default()
    }

    /// Adds the item's id and index to an event.
    fn of_item(&self, place: Place, mut event: Value) -> Value {
        let part = self.pieces.part(place);
        event["item_id"] = json!(part.map(|part| self.frame.id_of(part, place.index)));
        event["output_index"] = json!(place.index);
        event
    }

    fn push(&mut self, name: &str, mut event: Value, bytes: &mut Vec<u8>) {
        event["type"] = json!(name);
        event["sequence_number"] = json!(self.number);
        self.number += 1;
        bytes.extend(format!("event: {name}\ndata: {event}\n\n").into_bytes());
    }
}

#[cfg(test)]
mod tests {
    use chatcore::FinishReason;

    use super::*;
    use crate::answers::Events as _;

    #[test]
    fn the_events_of_a_call_and_the_whole_agree() {
        let mut events = Events::new(Frame::new("resp_7", "m"));
        let mut text = String::new();
        for event in [
            ChatEvent::Text("Look".into()),
            ChatEvent::ToolCallStart {
                index: 0,
                id: "c".into(),
                name: "f".into(),
            },
            ChatEvent::ToolCallArguments {
                index: 0,
                fragment: "{}".into(),
            },
            ChatEvent::Finish {
                reason: FinishReason::ToolCalls,
                raw: "tool_calls".into(),
            },
        ] {
            let bytes = events.write(&event);
            text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        let events: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
            .collect();
        let numbers = events
            .iter()
            .map(|event| event["sequence_number"].as_u64().unwrap());
        assert!(numbers.eq(0..events.len() as u64));
        let done: Vec<_> = (events.iter())
            .filter(|event| event["type"] == "response.output_item.done")
            .map(|event| event["item"].clone())
            .collect();
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.completed");
        assert_eq!(last["response"]["output"], json!(done));
        assert_eq!(done[1]["arguments"], "{}");
    }
}

//! Converts events to steps: the parts of a message begin, grow and end. Anthropic's messages and
//! OpenAI's Responses number the parts of a stream, and both are written from these steps.

use std::collections::VecDeque;

use chatcore::chat::Extra;
use chatcore::{ChatEvent, ChatResponse, Fold, Part};
use serde_json::value::RawValue;

/// A change of a part.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// The part begins. For a call, the part already has all fields that arrive with its start.
    Begin(Place),
    /// More text, reasoning or refusal.
    Text(Place, String),
    /// The signature of reasoning.
    Signature(Place, String),
    /// More of a call's arguments.
    Arguments(Place, String),
    /// Extra fields of text or reasoning.
    Extra(Place, Extra),
    /// The part is complete.
    End(Place),
}

/// The position of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its index among all parts of the message.
    pub(super) part: usize,
    /// Its index among the parts that the protocol can express.
    pub(super) index: usize,
}

/// Follows the events of one answer.
#[derive(Debug)]
pub(super) struct Pieces {
    fold: Fold,
    /// Whether the protocol can express a part.
    has_form: fn(&Part) -> bool,
    /// The places of the parts that have begun; `None` if the protocol cannot express the part.
    places: Vec<Option<Place>>,
    next: usize,
    /// The last part, if it is text or reasoning that still grows.
    growing: Option<usize>,
    /// The calls that have begun: their event index, and the index of their part.
    calls: Vec<(usize, usize)>,
    /// The parts of the calls that have not ended, in their order.
    open_calls: VecDeque<usize>,
    /// A call whose `Begin` is held back, because more of its fields may arrive.
    held: Option<usize>,
}

impl Pieces {
    pub(super) fn new(has_form: fn(&Part) -> bool) -> Self {
        Self {
            fold: Fold::new(),
            has_form,
            places: Vec::new(),
            next: 0,
            growing: None,
            calls: Vec::new(),
            open_calls: VecDeque::new(),
            held: None,
        }
    }

    /// The answer so far.
    pub(super) fn answer(&self) -> &ChatResponse {
        self.fold.partial()
    }

    /// The part at a place.
    pub(super) fn part(&self, place: Place) -> Option<&Part> {
        self.answer().message.parts.get(place.part)
    }

    /// Handles the next event.
    pub(super) fn push(&mut self, event: &ChatEvent) -> Vec<Step> {
        self.fold.push_ref(event);
        let mut steps = Vec::new();
        let is_more = match event {
            ChatEvent::ToolCallExtra { index, .. } => self.call(*index) == self.held,
            _ => false,
        };
        if !is_more && let Some(held) = self.held.take() {
            self.begin(held, &mut steps);
        }
        match event {
            ChatEvent::Text(text) | ChatEvent::Reasoning(text) | ChatEvent::Refusal(text) => {
                if let Some(place) = self.grow(&mut steps)
                    && !text.is_empty()
                {
                    steps.push(Step::Text(place, text.clone()));
                }
            }
            ChatEvent::ReasoningSignature(signature) => {
                if let Some(place) = self.grow(&mut steps) {
                    steps.push(Step::Signature(place, signature.clone()));
                }
            }
            ChatEvent::PartExtra(extra) => {
                let place = self.growing.and_then(|part| self.places[part]);
                steps.extend(place.map(|place| Step::Extra(place, extra.clone())));
            }
            ChatEvent::PartEnd => self.end_growing(&mut steps),
            ChatEvent::ToolCallStart { index, .. }
            | ChatEvent::ToolCallExtra { index, .. }
            | ChatEvent::ToolCallArguments { index, .. } => {
                let part = match self.call(*index) {
                    Some(part) => part,
                    None => {
                        self.end_before_a_new_part(&mut steps);
                        let part = self.add();
                        self.calls.push((*index, part));
                        self.open_calls.push_back(part);
                        self.held = Some(part);
                        part
                    }
                };
                if let ChatEvent::ToolCallArguments { fragment, .. } = event {
                    if self.held.take_if(|held| *held == part).is_some() {
                        self.begin(part, &mut steps);
                    }
                    // After its end a call has only white space to come.
                    if let Some(place) = self.places[part]
                        && self.open_calls.contains(&part)
                    {
                        steps.push(Step::Arguments(place, fragment.clone()));
                    }
                }
            }
            ChatEvent::Part(whole) => {
                self.end_before_a_new_part(&mut steps);
                let part = self.add();
                self.begin(part, &mut steps);
                if let Some(place) = self.places[part] {
                    steps.extend(content(place, whole));
                    steps.push(Step::End(place));
                }
            }
            ChatEvent::Finish { .. } => {
                self.end_growing(&mut steps);
                let calls = self.open_calls.drain(..);
                steps.extend(calls.filter_map(|part| self.places[part]).map(Step::End));
            }
            _ => {}
        }
        steps
    }

    /// The place of the growing part. The part may begin with this event.
    fn grow(&mut self, steps: &mut Vec<Step>) -> Option<Place> {
        // There is a part without a place, so a new part has begun.
        let is_new = self.answer().message.parts.len() > self.places.len();
        if is_new {
            self.end_before_a_new_part(steps);
            let part = self.add();
            self.growing = Some(part);
            self.begin(part, steps);
        }
        self.growing.and_then(|part| self.places[part])
    }

    /// Ends what is complete before another part begins, because clients take the last part for the
    /// one that ends. A call is complete once its arguments are: a server may start a second call
    /// before the first has all of its arguments, and then both stay open.
    fn end_before_a_new_part(&mut self, steps: &mut Vec<Step>) {
        self.end_growing(steps);
        while let Some(part) = self.open_calls.front().copied()
            && let Some(Part::ToolCall(call)) = self.fold.partial().message.parts.get(part)
            && serde_json::from_str::<&RawValue>(&call.arguments).is_ok()
        {
            self.open_calls.pop_front();
            steps.extend(self.places[part].map(Step::End));
        }
    }

    fn end_growing(&mut self, steps: &mut Vec<Step>) {
        if let Some(part) = self.growing.take() {
            steps.extend(self.places[part].map(Step::End));
        }
    }

    fn call(&self, index: usize) -> Option<usize> {
        let call = self.calls.iter().find(|(known, _)| *known == index);
        call.map(|(_, part)| *part)
    }

    /// Adds the part that has just begun.
    fn add(&mut self) -> usize {
        let part = self.places.len();
        let parts = &self.fold.partial().message.parts;
        let has_form = parts.get(part).is_some_and(self.has_form);
        self.places.push(has_form.then_some(Place {
            part,
            index: self.next,
        }));
        self.next += usize::from(has_form);
        part
    }

    fn begin(&self, part: usize, steps: &mut Vec<Step>) {
        steps.extend(self.places[part].map(Step::Begin));
    }
}

/// The content of a part that arrives complete, as the steps of a part that grows.
fn content(place: Place, part: &Part) -> Vec<Step> {
    let (steps, extra) = match part {
        Part::Text(text) => (
            vec![Step::Text(place, text.text.clone())],
            Some(&text.extra),
        ),
        Part::Refusal(refusal) => (vec![Step::Text(place, refusal.text.clone())], None),
        Part::Reasoning(reasoning) if reasoning.encrypted.is_none() => {
            let signature = reasoning.signature.clone();
            let text = Step::Text(place, reasoning.text.clone());
            let proof = signature.map(|signature| Step::Signature(place, signature));
            (
                [Some(text), proof].into_iter().flatten().collect(),
                Some(&reasoning.extra),
            )
        }
        Part::ToolCall(call) => (vec![Step::Arguments(place, call.arguments.clone())], None),
        _ => (Vec::new(), None),
    };
    let extra = extra.filter(|extra| !extra.is_empty()).cloned();
    let extra = extra.map(|extra| Step::Extra(place, extra));
    steps.into_iter().chain(extra).collect()
}

#[cfg(test)]
mod tests {
    use chatcore::FinishReason;
    use chatcore::chat::Reasoning;
    use serde_json::json;

    use super::*;

    fn place(part: usize, index: usize) -> Place {
        Place { part, index }
    }

    #[test]
    fn parts_begin_grow_and_end() {
        let mut pieces = Pieces::new(|part| !matches!(part, Part::Other { .. }));
        let mut extra = Extra::new();
        extra.insert("gemini".into(), json!({"thoughtSignature": "s"}));
        let other = Part::Other {
            dialect: None,
            value: json!({}),
        };
        let mut steps = Vec::new();
        for event in [
            ChatEvent::Reasoning("h".into()),
            ChatEvent::ReasoningSignature("sig".into()),
            ChatEvent::Text("a".into()),
            ChatEvent::Text("b".into()),
            ChatEvent::PartEnd,
            ChatEvent::part(other),
            ChatEvent::part(Reasoning::encrypted("x")),
            ChatEvent::ToolCallStart {
                index: 0,
                id: "c".into(),
                name: "f".into(),
            },
            ChatEvent::ToolCallExtra { index: 0, extra },
            ChatEvent::ToolCallArguments {
                index: 0,
                fragment: "{}".into(),
            },
            ChatEvent::Finish {
                reason: FinishReason::ToolCalls,
                raw: "x".into(),
            },
        ] {
            let more = pieces.push(&event);
            if let [Step::Begin(place), ..] = &more[..]
                && let Some(Part::ToolCall(call)) = pieces.part(*place)
            {
                assert!(call.extra.contains_key("gemini"), "its fields came later");
            }
            steps.extend(more);
        }
        let (thought, text, hidden, call) = (place(0, 0), place(1, 1), place(3, 2), place(4, 3));
        assert_eq!(
            steps,
            [
                Step::Begin(thought),
                Step::Text(thought, "h".into()),
                Step::Signature(thought, "sig".into()),
                Step::End(thought),
                Step::Begin(text),
                Step::Text(text, "a".into()),
                Step::Text(text, "b".into()),
                Step::End(text),
                Step::Begin(hidden),
                Step::End(hidden),
                Step::Begin(call),
                Step::Arguments(call, "{}".into()),
                Step::End(call),
            ]
        );
    }

    #[test]
    fn a_call_ends_before_the_next_part_begins() {
        let start = |index| ChatEvent::ToolCallStart {
            index,
            id: "c".into(),
            name: "f".into(),
        };
        let arguments = |index, fragment: &str| ChatEvent::ToolCallArguments {
            index,
            fragment: fragment.into(),
        };
        let finish = ChatEvent::Finish {
            reason: FinishReason::ToolCalls,
            raw: "x".into(),
        };
        let steps = |events: &[ChatEvent]| {
            let mut pieces = Pieces::new(|_| true);
            let steps = events.iter().flat_map(|event| pieces.push(event));
            steps.collect::<Vec<_>>()
        };
        let (one, two, text) = (place(0, 0), place(1, 1), place(2, 2));
        let in_order = [
            start(0),
            arguments(0, "{}"),
            start(1),
            arguments(1, "{}"),
            ChatEvent::Text("so".into()),
            finish.clone(),
        ];
        assert_eq!(
            steps(&in_order),
            [
                Step::Begin(one),
                Step::Arguments(one, "{}".into()),
                Step::End(one),
                Step::Begin(two),
                Step::Arguments(two, "{}".into()),
                Step::End(two),
                Step::Begin(text),
                Step::Text(text, "so".into()),
                Step::End(text),
            ]
        );
        // What a server mixes stays whole.
        let mixed = [
            start(0),
            arguments(0, "{"),
            start(1),
            arguments(0, "}"),
            arguments(1, "{}"),
            finish,
        ];
        assert_eq!(
            steps(&mixed),
            [
                Step::Begin(one),
                Step::Arguments(one, "{".into()),
                Step::Begin(two),
                Step::Arguments(one, "}".into()),
                Step::Arguments(two, "{}".into()),
                Step::End(one),
                Step::End(two),
            ]
        );
    }
}

//! An item that the model writes: a message, or its reasoning.
//!
//! Each of its texts is a part. What else the item has goes into `extra` under the dialect's name,
//! so that the item can be sent back as it came: what stands beside a text (`annotations`) with
//! the text's own part, and the item itself, without its texts, with the last one:
//!
//! ```text
//!  {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}
//!    ⇅
//!  Text {text: "Hi", extra: {"openai_responses": {"type": "output_text", "annotations": [],
//!    "fingerprint": "…", "item": {"type": "message", "id": "msg_1"}}}}
//! ```

use serde_json::Value;

use super::print::Print;
use super::slot::{List, Place, Slot, prose_in};
use super::{DIALECT, FINGERPRINT, ITEM};
use crate::chat::{ChatEvent, Extra, Part, Reasoning};
use crate::dialect::kit::decoder::{Output, Prose};
use crate::dialect::kit::read::{MAX_ITEMS, extra_of, too_many};
use crate::error::Error;
use crate::json::Piece;

/// A message or reasoning, as far as it came.
#[derive(Debug)]
pub(super) struct Writing {
    is_message: bool,
    /// The item as it began.
    begun: Extra,
    slots: Vec<Slot>,
    /// The text that is handed over; those before it are ended.
    at: usize,
    /// Whether it is this item's turn to be handed over.
    flows: bool,
}

impl Writing {
    pub(super) fn new(is_message: bool, begun: Extra) -> Self {
        Self {
            is_message,
            begun,
            slots: Vec::new(),
            at: 0,
            flows: false,
        }
    }

    /// The place of a text among the slots.
    fn slot(&mut self, place: Place, prose: Prose) -> Result<usize, Error> {
        // The one that grows is asked for most.
        let last = self.slots.len().checked_sub(1);
        if let Some(last) = last.filter(|&last| self.slots[last].place == place) {
            return Ok(last);
        }
        if let Some(found) = self.slots.iter().position(|slot| slot.place == place) {
            return Ok(found);
        }
        if self.slots.len() == MAX_ITEMS {
            return Err(too_many("texts in an item"));
        }
        self.slots.push(Slot::new(place, prose));
        Ok(self.slots.len() - 1)
    }

    /// Takes in more of a text.
    pub(super) fn take(
        &mut self,
        place: Place,
        prose: Prose,
        piece: Piece<'_>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let slot = self.slot(place, prose)?;
        self.say(slot, piece, out);
        Ok(())
    }

    fn say(&mut self, slot: usize, piece: Piece<'_>, out: &mut Output) {
        if piece.is_empty() {
            return;
        }
        if self.flows {
            self.go_to(slot, out);
        }
        let flows = self.flows && slot == self.at;
        self.slots[slot].take(piece, flows, out);
    }

    /// Takes in all of a text: what its deltas have not said is handed over. False where they said
    /// something else.
    pub(super) fn complete(
        &mut self,
        place: Place,
        prose: Prose,
        text: &str,
        out: &mut Output,
    ) -> Result<bool, Error> {
        let slot = self.slot(place, prose)?;
        let Some(rest) = self.slots[slot].print.rest_of(text) else {
            return Ok(false);
        };
        if !rest.is_empty() && self.flows && slot < self.at {
            return Ok(false);
        }
        self.say(slot, Piece::from(rest), out);
        Ok(true)
    }

    /// Takes in what stands beside a text, with the text.
    pub(super) fn complete_part(
        &mut self,
        place: Place,
        mut part: Extra,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Some((prose, text)) = take_text(&mut part) else {
            return Ok(());
        };
        self.complete(place, prose, &text, out)?;
        let slot = self.slot(place, prose)?;
        self.slots[slot].fields = Some(part);
        Ok(())
    }

    /// Takes in a source of a text.
    pub(super) fn cite(&mut self, place: Place, annotation: Value) -> Result<(), Error> {
        let slot = self.slot(place, Prose::Text)?;
        self.slots[slot].annotations.push(annotation);
        Ok(())
    }

    /// It is this item's turn: hands over what waited.
    pub(super) fn flow(&mut self, out: &mut Output) {
        if std::mem::replace(&mut self.flows, true) {
            return;
        }
        for slot in 0..self.slots.len() {
            if self.slots[slot].waits() {
                self.go_to(slot, out);
                self.slots[slot].flow(out);
            }
        }
    }

    /// Ends the texts before this one.
    fn go_to(&mut self, slot: usize, out: &mut Output) {
        while self.at < slot {
            self.end_text(None, out);
            self.at += 1;
        }
    }

    /// Ends the text that is handed over, with the item where it is the last one.
    fn end_text(&mut self, item: Option<Extra>, out: &mut Output) {
        let Some(slot) = self.slots.get_mut(self.at) else {
            return;
        };
        slot.end(out);
        if slot.print.is_empty() {
            return;
        }
        let mut own = slot.fields().clone();
        if slot.prose != Prose::Reasoning {
            own.insert(FINGERPRINT.to_owned(), slot.print.as_text().into());
        }
        if let Some(item) = item {
            own.insert(ITEM.to_owned(), Value::Object(item));
        }
        let extra = extra_of(DIALECT, Value::Object(own));
        out.push(ChatEvent::PartExtra(extra));
        out.push(ChatEvent::PartEnd);
    }

    /// The item is complete. `done` is all of it, where the server has said it.
    pub(super) fn close(mut self, done: Option<Extra>, out: &mut Output) -> Result<(), Error> {
        self.flow(out);
        let was_said = done.is_some();
        let mut item = match done {
            Some(done) => done,
            None => lost(std::mem::take(&mut self.begun)),
        };
        let is_same = self.compare(&item, out)?;
        self.say_the_rest(out);
        // What the parts say need not be said twice.
        let is_told = |slot: &Slot, name: &str| slot.place.list.field() == name;
        if is_same || !was_said {
            let slots = &self.slots;
            item.retain(|name, _| !slots.iter().any(|slot| is_told(slot, name)));
        }
        let last = self.slots.iter().rposition(|slot| !slot.print.is_empty());
        if let Some(last) = last {
            self.at = last;
            self.end_text(Some(item), out);
            return Ok(());
        }
        let is_proof = item.get("encrypted_content").is_some_and(Value::is_string);
        match self.is_message {
            _ if !was_said && !is_proof => {}
            true => out.push(ChatEvent::part(other(item))),
            false => out.push(ChatEvent::part(Part::Reasoning(Reasoning {
                extra: extra_of(DIALECT, Value::Object(extra_of(ITEM, item.into()))),
                ..Reasoning::default()
            }))),
        }
        Ok(())
    }

    /// No more comes of an item that is not complete. It is not one to send back.
    pub(super) fn cut(mut self, out: &mut Output) {
        self.flow(out);
        self.say_the_rest(out);
        if let Some(slot) = self.slots.get_mut(self.at) {
            slot.end(out);
        }
        out.push(ChatEvent::PartEnd);
    }

    /// Hands over what the item's texts say beyond what came of them. False where the parts that
    /// were handed over are not all that the item has.
    fn compare(&mut self, item: &Extra, out: &mut Output) -> Result<bool, Error> {
        let mut is_same = true;
        let mut count = 0;
        for list in List::ALL {
            let elements = match item.get(list.field()) {
                Some(Value::Array(elements)) => elements,
                Some(Value::String(text)) => {
                    let place = Place { list, index: 0 };
                    self.complete(place, self.prose(), text, out)?;
                    is_same = false;
                    continue;
                }
                _ => continue,
            };
            for (element, index) in elements.iter().zip(0..) {
                let mut fields = element.as_object().cloned().unwrap_or_default();
                let Some((prose, text)) = take_text(&mut fields) else {
                    is_same = false;
                    continue;
                };
                let place = Place { list, index };
                is_same &= self.complete(place, prose, &text, out)? && !text.is_empty();
                is_same &= ![ITEM, FINGERPRINT]
                    .iter()
                    .any(|name| fields.contains_key(*name));
                let slot = self.slot(place, prose)?;
                count += 1;
                // What was handed over before must be the same.
                match &self.slots[slot].fields {
                    Some(known) if slot < self.at => is_same &= *known == fields,
                    _ if slot < self.at => is_same = false,
                    _ => self.slots[slot].fields = Some(fields),
                }
            }
        }
        Ok(is_same && count == self.slots.len())
    }

    /// What came late for a text that was ended is a part of its own.
    fn say_the_rest(&mut self, out: &mut Output) {
        if self.slots.iter().any(Slot::waits) {
            self.end_text(None, out);
            self.slots
                .iter_mut()
                .filter(|slot| slot.waits())
                .for_each(|slot| slot.flow(out));
        }
    }

    fn prose(&self) -> Prose {
        match self.is_message {
            true => Prose::Text,
            false => Prose::Reasoning,
        }
    }
}

/// Takes the text out of an element of an item's list; `None` where it has none.
fn take_text(element: &mut Extra) -> Option<(Prose, String)> {
    let (prose, field) = prose_in(element)?;
    let text = element.get_mut(field)?.as_str()?.to_owned();
    element.retain(|name, _| name != field);
    Some((prose, text))
}

/// An item whose end was lost, as it is sent back.
pub(super) fn lost(mut begun: Extra) -> Extra {
    begun.retain(|name, value| name != "status" || value != "in_progress");
    begun
}

/// An item without a form of ours.
pub(super) fn other(item: Extra) -> Part {
    Part::Other {
        dialect: Some(DIALECT.to_owned()),
        value: Value::Object(item),
    }
}

/// Whether a text is the one that was received.
pub(super) fn is_same(text: &str, fingerprint: &Value) -> bool {
    fingerprint.as_str() == Some(&*Print::of(text).as_text())
}

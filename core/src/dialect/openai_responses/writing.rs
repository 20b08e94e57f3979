//! An item that the model writes: a message or reasoning.
//!
//! Each text of the item becomes a part. The item's other fields are kept in `extra` under the
//! dialect's name, so that the item can be sent back as it came. The fields beside a text
//! (`annotations`) are kept with the text's own part. The item itself, without its texts, is kept
//! with the last part:
//!
//! ```text
//!  {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}
//!    ⇅
//!  Text {text: "Hi", extra: {"openai_responses": {"type": "output_text", "annotations": [],
//!    "fingerprint": "…", "item": {"type": "message", "id": "msg_1"}}}}
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

use super::print::Print;
use super::slot::{List, Place, Slot, print_of, prose_in};
use super::{DIALECT, FINGERPRINT, ITEM};
use crate::chat::{ChatEvent, Extra, Part, Reasoning, Text};
use crate::dialect::kit::decoder::{Output, Prose};
use crate::dialect::kit::read::{MAX_ITEMS, extra_of, too_many};
use crate::error::Error;
use crate::json::Piece;

/// A message or reasoning that arrives in pieces.
#[derive(Debug)]
pub(super) struct Writing {
    is_message: bool,
    /// The fields of the item from its first event.
    begun: Extra,
    slots: Vec<Slot>,
    /// The slot of each place.
    places: BTreeMap<Place, usize>,
    /// The index of the slot that is being handed over. The slots before it have ended.
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
            places: BTreeMap::new(),
            at: 0,
            flows: false,
        }
    }

    /// The slot for the text at `place`.
    fn slot(&mut self, place: Place, prose: Prose) -> Result<usize, Error> {
        // Most calls are for the last slot, because its text grows.
        let last = self.slots.len().checked_sub(1);
        if let Some(last) = last.filter(|&last| self.slots[last].place == place) {
            return Ok(last);
        }
        if let Some(found) = self.places.get(&place) {
            return Ok(*found);
        }
        if self.slots.len() == MAX_ITEMS {
            return Err(too_many("texts in an item"));
        }
        self.places.insert(place, self.slots.len());
        self.slots.push(Slot::new(place, prose));
        Ok(self.slots.len() - 1)
    }

    /// Reads more of a text.
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

    /// Reads a whole text, and hands over what its deltas left out. Returns false if the deltas
    /// said something else, or if the text has ended.
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

    /// Reads a whole text with the fields beside it.
    pub(super) fn complete_part(
        &mut self,
        place: Place,
        mut part: Extra,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Some((prose, text)) = take_text(&mut part) else {
            return Ok(());
        };
        let slot = self.slot(place, prose)?;
        if self.slots[slot].ended.is_none() {
            self.slots[slot].fields = Some(part);
        }
        self.complete(place, prose, &text, out)?;
        Ok(())
    }

    /// Reads an annotation of a text.
    pub(super) fn cite(&mut self, place: Place, annotation: Value) -> Result<(), Error> {
        let slot = self.slot(place, Prose::Text)?;
        self.slots[slot].annotations.push(annotation);
        Ok(())
    }

    /// Called when it is this item's turn: hands over the text that waited.
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

    /// Gives up the item's turn if nothing of it arrived yet. Returns whether it did.
    pub(super) fn yield_turn(&mut self) -> bool {
        let is_untold = self.slots.is_empty();
        self.flows &= !is_untold;
        is_untold
    }

    /// Ends the texts before `slot`.
    fn go_to(&mut self, slot: usize, out: &mut Output) {
        while self.at < slot {
            self.end_text(None, out);
            self.at += 1;
        }
    }

    /// Ends the current text. `item` is given with the last text of an item.
    fn end_text(&mut self, item: Option<Extra>, out: &mut Output) {
        let Some(slot) = self.slots.get_mut(self.at) else {
            return;
        };
        slot.end(out);
        if slot.print.is_empty() {
            return;
        }
        let mut own = slot.take_fields();
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

    /// Completes the item. `done` is the whole item, if the server sent it.
    pub(super) fn close(mut self, done: Option<Extra>, out: &mut Output) -> Result<(), Error> {
        self.flow(out);
        let was_said = done.is_some();
        let mut item = match done {
            Some(done) => done,
            None => lost(std::mem::take(&mut self.begun)),
        };
        let mut lists = List::ALL
            .iter()
            .filter_map(|list| item.get(list.field())?.as_array());
        if lists.any(|list| list.len() > MAX_ITEMS) {
            return Err(too_many("texts in an item"));
        }
        // Lists whose content is all in the parts are removed from the item.
        match self.says_all(&item) {
            true => self.take_lists(&mut item, out)?,
            false => self.say_lists(&item, out)?,
        }
        self.say_the_rest(out);
        // A list that is empty or not final is removed, because the parts hold its texts.
        let slots = &self.slots;
        item.retain(|name, list| {
            let is_told = slots.iter().any(|slot| slot.place.list.field() == name);
            let is_empty = list.as_array().is_some_and(Vec::is_empty) || list.is_null();
            !(is_told && (is_empty || !was_said))
        });
        let last = self.slots.iter().rposition(|slot| !slot.print.is_empty());
        if let Some(last) = last {
            self.at = last;
            self.end_text(Some(item), out);
            return Ok(());
        }
        let is_proof = item.get("encrypted_content").is_some_and(Value::is_string);
        if was_said || is_proof {
            out.push(ChatEvent::part(self.without_text(item)));
        }
        Ok(())
    }

    /// The part for an item without text.
    fn without_text(&self, item: Extra) -> Part {
        if self.is_message && !is_blank(&item) {
            return other(item);
        }
        let mut own = extra_of(ITEM, item.into());
        if self.is_message {
            own.insert(FINGERPRINT.to_owned(), Print::of("").as_text().into());
        }
        let extra = extra_of(DIALECT, Value::Object(own));
        match self.is_message {
            true => Part::Text(Text {
                extra,
                ..Text::default()
            }),
            false => Part::Reasoning(Reasoning {
                extra,
                ..Reasoning::default()
            }),
        }
    }

    /// Ends an item that was cut off. It is handed over without what would be needed to send it
    /// back.
    pub(super) fn cut(mut self, out: &mut Output) {
        self.flow(out);
        self.say_the_rest(out);
        if let Some(slot) = self.slots.get_mut(self.at) {
            slot.end(out);
        }
        out.push(ChatEvent::PartEnd);
    }

    /// Whether the parts hold everything that is in the item's lists. This counts the parts that
    /// were handed over and those that are still to follow.
    fn says_all(&self, item: &Extra) -> bool {
        let mut count = 0;
        let lists = List::ALL
            .into_iter()
            .filter_map(|list| Some((list, item.get(list.field())?)));
        for (list, value) in lists.filter(|(_, value)| !value.is_null()) {
            let Some(elements) = value.as_array() else {
                return false;
            };
            for (element, index) in elements.iter().zip(0..) {
                let Some((field, text)) = element.as_object().and_then(text_in) else {
                    return false;
                };
                let slot = self.places.get(&Place { list, index });
                let is_said = slot.is_none_or(|slot| {
                    let is_ended = *slot < self.at;
                    let slot = &self.slots[*slot];
                    let fields = element.as_object().map(|fields| print_of(fields, field));
                    match slot.print.rest_of(text) {
                        Some(rest) if is_ended => rest.is_empty() && slot.ended == fields,
                        rest => rest.is_some(),
                    }
                });
                if !is_said {
                    return false;
                }
                count += usize::from(slot.is_some());
            }
        }
        count == self.slots.len()
    }

    /// Moves the texts and the fields beside them from the item to the slots.
    fn take_lists(&mut self, item: &mut Extra, out: &mut Output) -> Result<(), Error> {
        for list in List::ALL {
            let elements = match item.get_mut(list.field()) {
                Some(Value::Array(elements)) if !elements.is_empty() => std::mem::take(elements),
                _ => continue,
            };
            item.retain(|name, _| name != list.field());
            for (element, index) in elements.into_iter().zip(0..) {
                if let Value::Object(part) = element {
                    self.complete_part(Place { list, index }, part, out)?;
                }
            }
        }
        Ok(())
    }

    /// Hands over the texts of the item that its deltas left out. They stay in the item too.
    fn say_lists(&mut self, item: &Extra, out: &mut Output) -> Result<(), Error> {
        for list in List::ALL {
            match item.get(list.field()) {
                Some(Value::Array(elements)) => {
                    for (element, index) in elements.iter().zip(0..) {
                        let place = Place { list, index };
                        let element = element.as_object();
                        if let Some(part) = element
                            && let (Some((prose, _)), Some((_, text))) =
                                (prose_in(part), text_in(part))
                        {
                            self.complete(place, prose, text, out)?;
                        }
                    }
                }
                Some(Value::String(text)) => {
                    let place = Place { list, index: 0 };
                    self.complete(place, self.prose(), text, out)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Hands over, as a part of its own, text that arrived after its part had ended.
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

/// Whether a message has only empty texts.
fn is_blank(item: &Extra) -> bool {
    let content = item.get(List::Content.field());
    let mut elements = content.and_then(Value::as_array).into_iter().flatten();
    elements.all(|element| element["type"] == "output_text" && element["text"] == "")
}

/// The text of an element of an item's list, and the field that holds it. `None` if the element has
/// no text, if its text is empty, or if it has fields with the names of chatcore's own.
fn text_in(element: &Extra) -> Option<(&'static str, &str)> {
    let (_, field) = prose_in(element)?;
    let text = element.get(field)?.as_str()?;
    let is_ours = [ITEM, FINGERPRINT]
        .iter()
        .any(|name| element.contains_key(*name));
    (!text.is_empty() && !is_ours).then_some((field, text))
}

/// Removes the text from an element of an item's list. `None` if the element has no text.
fn take_text(element: &mut Extra) -> Option<(Prose, String)> {
    let (prose, field) = prose_in(element)?;
    let text = match element.get_mut(field)? {
        Value::String(text) => std::mem::take(text),
        _ => return None,
    };
    element.retain(|name, _| name != field);
    Some((prose, text))
}

/// An incomplete item in the form in which it is sent back.
pub(super) fn lost(mut begun: Extra) -> Extra {
    begun.retain(|name, value| name != "status" || value != "in_progress");
    begun
}

/// The part for an item of any other type.
pub(super) fn other(item: Extra) -> Part {
    Part::Other {
        dialect: Some(DIALECT.to_owned()),
        value: Value::Object(item),
    }
}

/// Whether a text is unchanged since it was received.
pub(super) fn is_same(text: &str, fingerprint: &Value) -> bool {
    fingerprint.as_str() == Some(&*Print::of(text).as_text())
}

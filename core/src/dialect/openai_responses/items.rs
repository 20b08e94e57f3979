//! The items of one answer, in their order.
//!
//! Items are handed over one after the other, in the order of a whole answer. Data for an item that
//! arrives before its turn waits:
//!
//! ```text
//!  events ──► Item ──its turn──► handed over as it comes ──done──► passed
//!               └─ not yet ────► waits
//! ```
//!
//! Servers that number their items (`output_index`) may interleave them, and say when each is
//! complete. Servers without numbers begin an item when the one before it has ended, and only the
//! end of the answer says that the items are complete.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use super::DIALECT;
use super::call::Call;
use super::open::{Form, Item, Kind, Passed, Whose};
use super::slot::Place;
use super::wire::Head;
use super::writing::{Writing, lost, other};
use crate::chat::{ChatEvent, Extra};
use crate::dialect::kit::decoder::{Output, Prose};
use crate::dialect::kit::read::{MAX_ITEMS, Object, Raw, parse, too_many};
use crate::error::Error;
use crate::json::{Piece, Reader};

/// The items of one answer.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// The items that are not complete, by their place in the order.
    open: BTreeMap<u64, Item>,
    passed: BTreeMap<u64, Passed>,
    /// The place of the item that is being handed over.
    head: Option<u64>,
    /// The places of the server's indexes and ids.
    by_index: BTreeMap<u64, u64>,
    by_id: BTreeMap<String, u64>,
    last: Option<u64>,
    /// How many calls were announced, and whether one of them has no name.
    pub(super) calls: usize,
    is_nameless: bool,
}

impl Items {
    /// Whether no item has begun.
    pub(super) fn are_none(&self) -> bool {
        self.last.is_none()
    }

    /// Whether a call has no name.
    pub(super) fn has_nameless_call(&self) -> bool {
        self.is_nameless
    }

    /// Handles the beginning of an item.
    pub(super) fn begin(
        &mut self,
        index: Option<u64>,
        raw: Raw<'_>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let (kind, id) = head(raw)?;
        let known = self.by_id.get(&id).and_then(|place| self.open.get(place));
        if known.is_some_and(|item| item.kind == kind) {
            // The server repeats itself.
            return Ok(());
        }
        let place = self.insert(kind, index, &id, object(raw, out))?;
        self.end_before(place, index, out)
    }

    /// Handles the end of an item.
    pub(super) fn end(
        &mut self,
        index: Option<u64>,
        raw: Raw<'_>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let (kind, id) = head(raw)?;
        let whose = Whose { index, id: &id };
        let place = match self.find(whose, kind).filter(|place| !self.is_done(*place)) {
            Some(place) => place,
            None => self.insert(kind, index, &id, Extra::new())?,
        };
        self.complete(place, raw, out);
        self.advance(out)
    }

    /// Whether the server has said that an item is complete.
    fn is_done(&self, place: u64) -> bool {
        let open = self
            .open
            .get(&place)
            .is_some_and(|item| item.done.is_some());
        open || self
            .passed
            .get(&place)
            .is_some_and(|passed| passed.was_done)
    }

    fn kind(&self, place: u64) -> Option<Kind> {
        let open = self.open.get(&place).map(|item| item.kind);
        open.or_else(|| Some(self.passed.get(&place)?.kind))
    }

    fn complete(&mut self, place: u64, raw: Raw<'_>, out: &mut Output) {
        if let Some(item) = self.open.get_mut(&place) {
            item.done = Some(object(raw, out));
        } else if let Some(passed) = self.passed.get_mut(&place) {
            if let Some(mut call) = passed.call.take() {
                self.is_nameless |= call.close(Some(object(raw, out)), &mut self.calls, out);
            }
            passed.was_done = true;
        }
    }

    /// The message or the reasoning that an event belongs to, if it is not complete. The event may
    /// give the item its turn. If no such item has begun, the event begins it.
    pub(super) fn writing(
        &mut self,
        whose: Whose<'_>,
        prose: Prose,
        out: &mut Output,
    ) -> Result<Option<&mut Writing>, Error> {
        let kind = match prose {
            Prose::Reasoning => Kind::Reasoning,
            _ => Kind::Message,
        };
        let place = self.place(whose, kind, out)?;
        Ok(match self.open.get_mut(&place).map(|item| &mut item.form) {
            Some(Form::Writing(writing)) => Some(writing),
            _ => None,
        })
    }

    /// Reads more of a text. If the item was only assumed to be complete, the text begins a new
    /// item.
    pub(super) fn write(
        &mut self,
        whose: Whose<'_>,
        place: Place,
        prose: Prose,
        piece: Piece<'_>,
        out: &mut Output,
    ) -> Result<(), Error> {
        if piece.is_empty() {
            return Ok(());
        }
        if let Some(writing) = self.writing(whose, prose, out)? {
            return writing.take(place, prose, piece, out);
        }
        let kind = match prose {
            Prose::Reasoning => Kind::Reasoning,
            _ => Kind::Message,
        };
        if self
            .find(whose, kind)
            .is_some_and(|place| self.is_done(place))
        {
            out.skip(1);
            return Ok(());
        }
        self.insert(kind, None, whose.id, Extra::new())?;
        match self.writing(whose, prose, out)? {
            Some(writing) => writing.take(place, prose, piece, out),
            None => Ok(()),
        }
    }

    /// The call that an event belongs to, if it is not complete.
    pub(super) fn call(
        &mut self,
        whose: Whose<'_>,
        kind: Kind,
        out: &mut Output,
    ) -> Result<Option<&mut Call>, Error> {
        let place = self.place(whose, kind, out)?;
        Ok(match self.open.get_mut(&place).map(|item| &mut item.form) {
            Some(Form::Call(call)) => Some(call),
            Some(_) => None,
            None => self
                .passed
                .get_mut(&place)
                .and_then(|passed| passed.call.as_mut()),
        })
    }

    /// The place of the item that an event belongs to.
    fn place(&mut self, whose: Whose<'_>, kind: Kind, out: &mut Output) -> Result<u64, Error> {
        let place = match self.find(whose, kind) {
            Some(place) if self.head == Some(place) => return Ok(place),
            Some(place) => place,
            None => self.insert(kind, whose.index, whose.id, Extra::new())?,
        };
        if self.open.contains_key(&place) {
            self.end_before(place, whose.index, out)?;
        }
        Ok(place)
    }

    /// The item of this kind with this index, or with this id, or the last item. The index comes
    /// first, because some servers change the id from event to event.
    fn find(&self, whose: Whose<'_>, kind: Kind) -> Option<u64> {
        let by_index = whose.index.and_then(|index| self.by_index.get(&index));
        let by_id = || self.by_id.get(whose.id);
        let last = || self.last.as_ref().filter(|_| whose.index.is_none());
        let is_it = |place: &&u64| self.kind(**place) == Some(kind);
        let found = by_index.filter(is_it).or_else(|| by_id().filter(is_it));
        found.or_else(|| last().filter(is_it)).copied()
    }

    fn insert(
        &mut self,
        kind: Kind,
        index: Option<u64>,
        id: &str,
        begun: Extra,
    ) -> Result<u64, Error> {
        if self.open.len() + self.passed.len() == MAX_ITEMS {
            return Err(too_many("items"));
        }
        let open = self.open.last_key_value().map(|(place, _)| *place);
        let passed = self.passed.last_key_value().map(|(place, _)| *place);
        let next = open.max(passed).map_or(0, |last| last.saturating_add(1));
        let place = index
            .filter(|place| self.kind(*place).is_none())
            .unwrap_or(next);
        if let Some(index) = index {
            self.by_index.insert(index, place);
        }
        if !id.is_empty() {
            self.by_id.insert(id.to_owned(), place);
        }
        self.last = Some(place);
        self.open.insert(place, Item::new(kind, begun));
        Ok(place)
    }

    /// Without indexes, the beginning of an item ends all items before it.
    fn end_before(
        &mut self,
        place: u64,
        index: Option<u64>,
        out: &mut Output,
    ) -> Result<(), Error> {
        if index.is_none() {
            for (_, item) in self.open.range_mut(..place) {
                item.is_over = true;
            }
        }
        self.advance(out)
    }

    /// Hands over the items whose turn it is.
    fn advance(&mut self, out: &mut Output) -> Result<(), Error> {
        self.yield_turn();
        loop {
            let first = || self.open.first_key_value().map(|(place, _)| *place);
            let Some(place) = self.head.or_else(first) else {
                break;
            };
            let Entry::Occupied(mut turn) = self.open.entry(place) else {
                break;
            };
            let item = turn.get_mut();
            match &mut item.form {
                Form::Writing(writing) => writing.flow(out),
                Form::Call(call) => call.flow(&mut self.calls, out),
                Form::Other(_) => {}
            }
            if item.done.is_none() && !item.is_over {
                self.head = Some(place);
                break;
            }
            self.head = None;
            let item = turn.remove();
            let passed = self.pass(item, out)?;
            self.passed.insert(place, passed);
        }
        Ok(())
    }

    /// An item with a lower index may begin late. It takes the turn if nothing of the current item
    /// was handed over. Otherwise it waits until the current item is complete.
    fn yield_turn(&mut self) {
        let first = self.open.first_key_value().map(|(place, _)| *place);
        if let Some(head) = self
            .head
            .filter(|head| first.is_some_and(|first| first < *head))
            && let Some(item) = self.open.get_mut(&head)
            && item.form.yield_turn()
        {
            self.head = None;
        }
    }

    fn pass(&mut self, item: Item, out: &mut Output) -> Result<Passed, Error> {
        let was_done = item.done.is_some();
        let mut open = None;
        match item.form {
            Form::Writing(writing) => writing.close(item.done, out)?,
            Form::Call(mut call) if was_done => {
                self.is_nameless |= call.close(item.done, &mut self.calls, out);
            }
            Form::Call(call) => open = Some(call),
            Form::Other(begun) => {
                let item = item.done.unwrap_or_else(|| lost(begun));
                if !item.is_empty() {
                    out.push(ChatEvent::part(other(item)));
                }
            }
        }
        Ok(Passed {
            kind: item.kind,
            call: open,
            was_done,
        })
    }

    /// Ends the answer. `output` holds its items, if the server repeats them. Items that were lost
    /// before are read from it.
    pub(super) fn finish(
        &mut self,
        output: Option<Raw<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Some(output) = output.filter(|output| output.starts_with('[')) {
            // The reader has skipped over `output` once, so that it is valid JSON.
            let mut reader = Reader::new(output);
            let mut items = reader.array()?;
            let mut known: Vec<u64> = self
                .open
                .keys()
                .chain(self.passed.keys())
                .copied()
                .collect();
            known.sort_unstable();
            let mut at = 0;
            while reader.item(&mut items)? {
                self.take_again(at, &known, reader.raw()?, out)?;
                at += 1;
            }
        }
        self.open.values_mut().for_each(|item| item.is_over = true);
        self.advance(out)?;
        for passed in self.passed.values_mut() {
            if let Some(mut call) = passed.call.take() {
                self.is_nameless |= call.close(None, &mut self.calls, out);
            }
        }
        Ok(())
    }

    /// Reads the `at`th item of a repeated answer. `known` holds the places of the items before.
    fn take_again(
        &mut self,
        at: usize,
        known: &[u64],
        raw: Raw<'_>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let (kind, id) = head(raw)?;
        let place = match self.by_index.is_empty() {
            false => u64::try_from(at).ok().filter(|at| self.kind(*at).is_some()),
            true => known.get(at).copied(),
        };
        let is_same = |place: &u64| self.kind(*place) == Some(kind);
        let by_id = self.by_id.get(&*id).copied();
        match place.filter(is_same).or(by_id.filter(is_same)) {
            Some(place) => {
                if !self.is_done(place) {
                    self.complete(place, raw, out);
                }
            }
            None if place.is_none() => {
                let index = u64::try_from(at).ok();
                let place = self.insert(kind, index, &id, Extra::new())?;
                self.complete(place, raw, out);
            }
            None => out.skip(1),
        }
        Ok(())
    }

    /// Ends an answer that was cut off: hands over everything that arrived.
    pub(super) fn cut(&mut self, out: &mut Output) {
        let mut open = std::mem::take(&mut self.open);
        // The current item comes first.
        let head = self.head.take().and_then(|head| open.remove(&head));
        for item in head.into_iter().chain(open.into_values()) {
            match item.form {
                Form::Writing(writing) => writing.cut(out),
                Form::Call(mut call) => {
                    call.flow(&mut self.calls, out);
                    call.end(out);
                }
                Form::Other(_) => {}
            }
        }
    }
}

/// The kind and the id of an item.
fn head(raw: Raw<'_>) -> Result<(Kind, String), Error> {
    let mut head: Object<'_, Head<'_>> = parse(DIALECT, raw)?;
    let id = std::mem::take(&mut head.known.id.0).into_owned();
    Ok((Kind::of(&head.known.kind.0), id))
}

/// The fields of an item.
pub(super) fn object(raw: Raw<'_>, out: &mut Output) -> Extra {
    match out.value(raw) {
        Value::Object(fields) => fields,
        _ => Extra::new(),
    }
}

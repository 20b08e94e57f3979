//! Unknown fields of a stream's chunks, kept until the answer ends.

use crate::chat::{ChatEvent, Extra};
use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::places::Places;
use crate::dialect::kit::read::{MAX_UNKNOWN, Raw};

/// So many fields are compared one after the other, which is faster than a search in their order.
const FEW: usize = 16;

/// Unknown fields as raw JSON. Many servers repeat them in every chunk, so that they are handed
/// over once, at the end. The last value of each field counts.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    fields: Vec<(String, String)>,
    /// Filled once there are more than [`FEW`] fields.
    by_name: Places,
}

impl Kept {
    /// Keeps the value of a field, and replaces an earlier one.
    pub(crate) fn keep(&mut self, name: &str, value: Raw<'_>, out: &mut Output) {
        let order = |place: usize| self.fields[place].0.as_str().cmp(name);
        let place = match self.fields.len() <= FEW {
            true => self.fields.iter().position(|(known, _)| known == name),
            false => self.by_name.find(&order),
        };
        if let Some(place) = place {
            let last = &mut self.fields[place].1;
            if last != value {
                value.clone_into(last);
            }
            return;
        }
        if self.fields.len() == MAX_UNKNOWN {
            out.skip(1);
            return;
        }
        if self.fields.len() == FEW {
            for (at, (name, _)) in self.fields.iter().enumerate() {
                let order = |place: usize| self.fields[place].0.as_str().cmp(name);
                self.by_name.set(at, &order);
            }
        }
        if self.fields.len() >= FEW {
            self.by_name.set(self.fields.len(), &order);
        }
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// Hands over all fields as one event.
    pub(crate) fn end(&mut self, out: &mut Output) {
        let Self { fields, .. } = std::mem::take(self);
        if fields.is_empty() {
            return;
        }
        let mut extra = Extra::with_capacity(fields.len());
        for (name, raw) in fields {
            extra.insert(name, out.value(&raw));
        }
        out.push(ChatEvent::Extra(extra));
    }
}

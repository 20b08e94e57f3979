//! Unknown fields of a stream's chunks, kept until the answer ends.

use std::collections::BTreeMap;

use crate::chat::{ChatEvent, Extra};
use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::read::{MAX_UNKNOWN, Raw};

/// From this many fields on, a tree finds them.
const FEW: usize = 16;

/// Unknown fields as raw JSON. Many servers repeat them in every chunk, so that they are handed
/// over once, at the end. The last value of each field counts.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    fields: Vec<(String, String)>,
    /// The index of each field in `fields`. Filled once there are [`FEW`] fields.
    places: BTreeMap<String, usize>,
}

impl Kept {
    /// Keeps the value of a field, and replaces an earlier one.
    pub(crate) fn keep(&mut self, name: &str, value: Raw<'_>, out: &mut Output) {
        let place = match self.places.is_empty() {
            true => self.fields.iter().position(|(known, _)| known == name),
            false => self.places.get(name).copied(),
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
        self.fields.push((name.to_owned(), value.to_owned()));
        if self.fields.len() == FEW {
            for (at, (name, _)) in self.fields.iter().enumerate() {
                self.places.insert(name.clone(), at);
            }
        } else if self.fields.len() > FEW {
            self.places.insert(name.to_owned(), self.fields.len() - 1);
        }
    }

    /// Hands over all fields as one event.
    pub(crate) fn end(&mut self, out: &mut Output) {
        if self.fields.is_empty() {
            return;
        }
        let mut extra = Extra::with_capacity(self.fields.len());
        for (name, raw) in self.fields.drain(..) {
            extra.insert(name, out.value(&raw));
        }
        out.push(ChatEvent::Extra(extra));
    }
}

//! Which items a batch has, in the order of its requests.

use serde::{Deserialize, Serialize};

/// The places of a batch's items, in the order of its requests. Items that follow each other in the
/// input take no more room than one.
///
/// ```
/// use chatcore::provider_batch::Places;
///
/// let mut places = Places::default();
/// for place in [4, 5, 6, 9] {
///     places.push(place);
/// }
/// assert_eq!((places.len(), places.nth(3)), (4, Some(9)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Places(Vec<(u64, u64)>);

impl Places {
    /// Adds a place to the end.
    pub fn push(&mut self, place: u64) {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(place) => *last = place,
            _ => self.0.push((place, place)),
        }
    }

    /// How many places there are.
    pub fn len(&self) -> u64 {
        self.0.iter().fold(0, |sum, (first, last)| {
            sum.saturating_add(last.saturating_sub(*first).saturating_add(1))
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the request with this number, from 0.
    pub fn nth(&self, mut number: u64) -> Option<u64> {
        for (first, last) in &self.0 {
            let count = last.saturating_sub(*first).saturating_add(1);
            if number < count {
                return first.checked_add(number);
            }
            number -= count;
        }
        None
    }

    /// All places.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }
}

//! A small index of a list.

use std::cmp::Ordering;

/// The places of a list's items, in the order of a key that each item holds. It finds an item without
/// a search of the whole list, and copies no key. Meant for at most some thousand items, because an
/// insertion moves the places after it.
///
/// `order` compares the key of the item at a place with the wanted key.
#[derive(Debug, Default)]
pub(crate) struct Places(Vec<usize>);

impl Places {
    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The place of the item with a key.
    pub(crate) fn find(&self, order: &dyn Fn(usize) -> Ordering) -> Option<usize> {
        let found = self.0.binary_search_by(|place| order(*place)).ok()?;
        Some(self.0[found])
    }

    /// Notes that the item at `place` has a key, instead of an earlier item with the same key.
    pub(crate) fn set(&mut self, place: usize, order: &dyn Fn(usize) -> Ordering) {
        match self.0.binary_search_by(|place| order(*place)) {
            Ok(found) => self.0[found] = place,
            Err(next) => self.0.insert(next, place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_item_with_a_key_is_found() {
        let items = ["c", "a", "b", "a"];
        let order = |wanted: &'static str| move |place: usize| items[place].cmp(wanted);
        let mut places = Places::default();
        for (place, item) in items.into_iter().enumerate() {
            places.set(place, &order(item));
        }
        assert_eq!(places.len(), 3);
        let found = ["a", "b", "c", "d"].map(|wanted| places.find(&order(wanted)));
        assert_eq!(found, [Some(3), Some(2), Some(0), None]);
    }
}

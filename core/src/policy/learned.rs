//! What a client has learned about models.

use super::defaults::Lessons;

/// How many models a client keeps lessons of. A program asks few models, but a server may be asked
/// for any name.
const MOST: usize = 256;

/// The lessons of a client, by model.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// Ordered from oldest to newest.
    models: Vec<(String, Lessons)>,
}

impl Learned {
    /// What was learned about `model`.
    pub(crate) fn of(&self, model: &str) -> Lessons {
        let found = self.models.iter().find(|(known, _)| known == model);
        found.map_or(Lessons::default(), |(_, lessons)| *lessons)
    }

    /// Adds to the lessons of `model`. If there is no room, the oldest model is forgotten.
    pub(crate) fn learn(&mut self, model: &str, more: Lessons) {
        let mut lessons = self.of(model);
        lessons.add(more);
        self.models.retain(|(known, _)| known != model);
        if self.models.len() == MOST {
            self.models.remove(0);
        }
        self.models.push((model.to_owned(), lessons));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::defaults::Wishes;

    #[test]
    fn lessons_add_up_and_the_oldest_are_forgotten() {
        let mut learned = Learned::default();
        let refused = |refused| Lessons {
            refused,
            ..Lessons::default()
        };
        learned.learn("a", refused(Wishes::TEMPERATURE));
        learned.learn("b", refused(Wishes::MAX_TOKENS));
        learned.learn("a", refused(Wishes::MAX_TOKENS));
        let both = Wishes::TEMPERATURE.and(Wishes::MAX_TOKENS);
        assert_eq!(learned.of("a").refused, both);
        for n in 0..MOST - 1 {
            learned.learn(&n.to_string(), refused(Wishes::STREAM));
        }
        assert_eq!(learned.of("b"), Lessons::default());
        assert_eq!(learned.of("a").refused, both);
        assert_eq!(learned.models.len(), MOST);
    }
}

//! What the server's context of a lane holds, so that a turn that continues it sends only what is
//! new.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use serde_json::Value;

use super::create::Create;

/// A digest of items in their order, as the caller wrote them. Its key is random for each process,
/// so that nobody can construct two inputs with the same digest.
pub(super) type Digest = u64;

/// The server's context after a response. The server keeps it for the response's lane.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// The id of the response.
    pub(super) id: String,
    /// How many items the request had.
    asked: usize,
    /// The digest of those items. `None` if the server's items are unknown, because the caller set
    /// `previous_response_id`.
    digest: Option<Digest>,
    /// The items of the response. The caller may send them back with their members in another
    /// order.
    answered: Vec<Value>,
}

impl Context {
    /// The context of a request, before its answer.
    pub(super) fn of(create: &Create) -> Self {
        let asked = create.len();
        let digest = create.digest(asked).filter(|_| create.previous().is_none());
        Self {
            id: String::new(),
            asked,
            digest: digest.copied(),
            answered: Vec::new(),
        }
    }

    /// Adds an item of the answer.
    pub(super) fn add(&mut self, mut item: Value) {
        if self.digest.is_some() {
            remove_nulls(&mut item);
            self.answered.push(item);
        }
    }

    /// How many items of the request's input are in this context. `None` if the context belongs to
    /// another conversation, or if no item would be left to send.
    pub(super) fn known(&self, create: &Create) -> Option<usize> {
        let digest = create.digest(self.asked)?;
        let known = self.asked + self.answered.len();
        if self.digest.as_ref() != Some(digest) || known >= create.len() {
            return None;
        }
        let is_same = |(at, item): (usize, &Value)| {
            let told = create.item(self.asked + at).map(serde_json::from_slice);
            let Some(Ok(mut told)) = told else {
                return false;
            };
            remove_nulls(&mut told);
            told == *item
        };
        self.answered
            .iter()
            .enumerate()
            .all(is_same)
            .then_some(known)
    }
}

/// The digests of the first item, of the first two items, and so on.
pub(super) fn digests<'a>(items: impl Iterator<Item = &'a [u8]>) -> Vec<Digest> {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    let key = KEY.get_or_init(RandomState::new);
    items
        .scan(0, |before, item| {
            *before = key.hash_one((*before, item));
            Some(*before)
        })
        .collect()
}

/// Removes null members, because a null member means the same as a missing one.
fn remove_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_nulls);
        }
        _ => {}
    }
}

//! What a lane's server-side context holds, so that a turn that goes on from it sends only what is
//! new.

use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::create::Create;

/// A digest of items in their order.
pub(super) type Digest = [u8; 32];

/// The context after a response: the server keeps it for the lane that the response came on.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// The id of the response.
    pub(super) id: String,
    /// How many items it has, those of the response included.
    pub(super) len: usize,
    /// The digest of all of them. `None` where it is not known what the server has, because the
    /// caller went on from a response by itself.
    pub(super) digest: Option<Digest>,
}

impl Context {
    /// The context of a request, without its answer.
    pub(super) fn of(create: &Create) -> Self {
        let len = create.len();
        let digest = create.digest(len).filter(|_| create.previous().is_none());
        Self {
            id: String::new(),
            len,
            digest: digest.copied(),
        }
    }

    /// The answer has one more item.
    pub(super) fn add(&mut self, item: &Value) {
        self.digest = self.digest.map(|digest| after(Some(&digest), item));
        self.len += 1;
    }
}

/// The digest of the first item, of the first two, and so on.
pub(super) fn digests(items: &[Box<RawValue>]) -> Vec<Digest> {
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let item: Value = serde_json::from_str(item.get()).unwrap_or_default();
        all.push(after(all.last(), &item));
    }
    all
}

/// The digest of the items behind `before`, and `item` after them.
pub(super) fn after(before: Option<&Digest>, item: &Value) -> Digest {
    let mut hash = Sha256::new();
    hash.update(before.unwrap_or(&[0; 32]));
    add(item, &mut hash);
    hash.finalize().into()
}

/// Adds a value in a form that does not depend on the order of members, nor on white space. A
/// member that is null counts as one that is not there.
fn add(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                add(item, hash);
            }
            hash.update(b"]");
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(_, v)| !v.is_null()).collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            hash.update(b"{");
            for (name, value) in members {
                add_text(name, hash);
                add(value, hash);
            }
            hash.update(b"}");
        }
        Value::String(text) => add_text(text, hash),
        other => {
            hash.update(b"=");
            hash.update(other.to_string());
            hash.update(b";");
        }
    }
}

fn add_text(text: &str, hash: &mut Sha256) {
    hash.update(b"\"");
    hash.update(text.len().to_le_bytes());
    hash.update(text);
}

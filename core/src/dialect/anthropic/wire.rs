//! The structure of responses. A field of an unexpected type counts as absent.

use crate::dialect::kit::fields;
use crate::dialect::kit::read::{Count, Ignored, Object, Raw, Text, Word};

/// An event of a stream.
#[derive(Debug, Default)]
pub(super) struct Event<'a> {
    pub(super) kind: Word<'a>,
    /// In `message_start`.
    pub(super) message: Option<Box<Object<'a, Message<'a>>>>,
    /// In `content_block_…`.
    pub(super) index: Count,
    pub(super) content_block: Option<Raw<'a>>,
    pub(super) delta: Option<Object<'a, Delta<'a>>>,
    pub(super) usage: Option<Raw<'a>>,
    pub(super) error: Option<Raw<'a>>,
}

fields!(Event<'a> { kind: "type", message, index, content_block, delta, usage, error });

/// A whole message, or the head of one.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) kind: Word<'a>,
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) content: Option<Raw<'a>>,
    pub(super) stop_reason: Word<'a>,
    pub(super) usage: Option<Raw<'a>>,
    pub(super) error: Option<Raw<'a>>,
    ignored: Ignored,
}

fields!(Message<'a> {
    kind: "type", id, model, content, stop_reason, usage, error, ignored: "role",
});

/// An addition to a block or to the message.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) kind: Word<'a>,
    pub(super) text: Text<'a>,
    pub(super) thinking: Text<'a>,
    pub(super) signature: Text<'a>,
    pub(super) partial_json: Option<Raw<'a>>,
    pub(super) citation: Option<Raw<'a>>,
    pub(super) stop_reason: Word<'a>,
}

fields!(Delta<'a> {
    kind: "type", text, thinking, signature, partial_json, citation, stop_reason,
});

/// A block of content.
#[derive(Debug, Default)]
pub(super) struct Block<'a> {
    pub(super) kind: Word<'a>,
    pub(super) text: Text<'a>,
    pub(super) thinking: Text<'a>,
    pub(super) signature: Text<'a>,
    pub(super) data: Text<'a>,
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) input: Option<Raw<'a>>,
}

fields!(Block<'a> { kind: "type", text, thinking, signature, data, id, name, input });

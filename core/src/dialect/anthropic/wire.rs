//! The structure of responses. A field of an unexpected type counts as absent.

use crate::dialect::kit::read::{Count, Fields, Ignored, Object, Raw, Read, Text, Word};

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

impl<'a> Fields<'a> for Event<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "type" => &mut self.kind,
            "message" => &mut self.message,
            "index" => &mut self.index,
            "content_block" => &mut self.content_block,
            "delta" => &mut self.delta,
            "usage" => &mut self.usage,
            "error" => &mut self.error,
            _ => return None,
        })
    }
}

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

impl<'a> Fields<'a> for Message<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "type" => &mut self.kind,
            "id" => &mut self.id,
            "model" => &mut self.model,
            "content" => &mut self.content,
            "stop_reason" => &mut self.stop_reason,
            "usage" => &mut self.usage,
            "error" => &mut self.error,
            "role" => &mut self.ignored,
            _ => return None,
        })
    }
}

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

impl<'a> Fields<'a> for Delta<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "type" => &mut self.kind,
            "text" => &mut self.text,
            "thinking" => &mut self.thinking,
            "signature" => &mut self.signature,
            "partial_json" => &mut self.partial_json,
            "citation" => &mut self.citation,
            "stop_reason" => &mut self.stop_reason,
            _ => return None,
        })
    }
}

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

impl<'a> Fields<'a> for Block<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "type" => &mut self.kind,
            "text" => &mut self.text,
            "thinking" => &mut self.thinking,
            "signature" => &mut self.signature,
            "data" => &mut self.data,
            "id" => &mut self.id,
            "name" => &mut self.name,
            "input" => &mut self.input,
            _ => return None,
        })
    }
}

//! What comes over the wire.

use crate::dialect::kit::read::{Count, Fields, Ignored, Object, Raw, Read, Text};

/// An event of a stream, or a whole message: their fields do not collide.
#[derive(Debug, Default)]
pub(super) struct Payload<'a> {
    pub(super) kind: Text<'a>,
    pub(super) id: Option<Text<'a>>,
    pub(super) model: Option<Text<'a>>,
    pub(super) content: Option<Vec<Raw<'a>>>,
    pub(super) stop_reason: Option<Text<'a>>,
    pub(super) usage: Option<Raw<'a>>,
    pub(super) error: Option<Raw<'a>>,
    /// Of `message_start`.
    pub(super) message: Option<Box<Object<'a, Payload<'a>>>>,
    /// Of `content_block_…`.
    pub(super) index: Count,
    pub(super) content_block: Option<Raw<'a>>,
    pub(super) delta: Option<Object<'a, Delta<'a>>>,
    ignored: Ignored,
}

impl<'a> Fields<'a> for Payload<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "type" => &mut self.kind,
            "id" => &mut self.id,
            "model" => &mut self.model,
            "content" => &mut self.content,
            "stop_reason" => &mut self.stop_reason,
            "usage" => &mut self.usage,
            "error" => &mut self.error,
            "message" => &mut self.message,
            "index" => &mut self.index,
            "content_block" => &mut self.content_block,
            "delta" => &mut self.delta,
            "role" => &mut self.ignored,
            _ => return None,
        })
    }
}

/// More of a block, or of the message.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) kind: Text<'a>,
    pub(super) text: Option<Text<'a>>,
    pub(super) thinking: Option<Text<'a>>,
    pub(super) signature: Option<Text<'a>>,
    pub(super) partial_json: Option<Text<'a>>,
    pub(super) citation: Option<Raw<'a>>,
    pub(super) stop_reason: Option<Text<'a>>,
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
    pub(super) kind: Text<'a>,
    pub(super) text: Option<Text<'a>>,
    pub(super) thinking: Option<Text<'a>>,
    pub(super) signature: Option<Text<'a>>,
    pub(super) data: Option<Text<'a>>,
    pub(super) id: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
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

//! What comes over the wire.

use serde::de::{IgnoredAny, MapAccess};
use serde_json::value::RawValue;

use crate::dialect::object::{Fields, Object, Text};

/// An event of a stream, or a whole message: their fields do not collide.
#[derive(Debug, Default)]
pub(super) struct Payload<'a> {
    pub(super) kind: Option<Text<'a>>,
    pub(super) id: Option<Text<'a>>,
    pub(super) model: Option<Text<'a>>,
    pub(super) content: Option<Vec<&'a RawValue>>,
    pub(super) stop_reason: Option<Text<'a>>,
    pub(super) usage: Option<&'a RawValue>,
    pub(super) error: Option<&'a RawValue>,
    /// Of `message_start`.
    pub(super) message: Option<Box<Object<'a, Payload<'a>>>>,
    /// Of `content_block_…`.
    pub(super) index: Option<u64>,
    pub(super) content_block: Option<&'a RawValue>,
    pub(super) delta: Option<Object<'a, Delta<'a>>>,
}

impl<'a> Fields<'a> for Payload<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "type" => self.kind = map.next_value()?,
            "id" => self.id = map.next_value()?,
            "model" => self.model = map.next_value()?,
            "content" => self.content = map.next_value()?,
            "stop_reason" => self.stop_reason = map.next_value()?,
            "usage" => self.usage = map.next_value()?,
            "error" => self.error = map.next_value()?,
            "message" => self.message = map.next_value()?,
            "index" => self.index = map.next_value()?,
            "content_block" => self.content_block = map.next_value()?,
            "delta" => self.delta = map.next_value()?,
            "role" => drop(map.next_value::<IgnoredAny>()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// More of a block, or of the message.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) kind: Option<Text<'a>>,
    pub(super) text: Option<Text<'a>>,
    pub(super) thinking: Option<Text<'a>>,
    pub(super) signature: Option<Text<'a>>,
    pub(super) partial_json: Option<Text<'a>>,
    pub(super) citation: Option<&'a RawValue>,
    pub(super) stop_reason: Option<Text<'a>>,
}

impl<'a> Fields<'a> for Delta<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "type" => self.kind = map.next_value()?,
            "text" => self.text = map.next_value()?,
            "thinking" => self.thinking = map.next_value()?,
            "signature" => self.signature = map.next_value()?,
            "partial_json" => self.partial_json = map.next_value()?,
            "citation" => self.citation = map.next_value()?,
            "stop_reason" => self.stop_reason = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A block of content.
#[derive(Debug, Default)]
pub(super) struct Block<'a> {
    pub(super) kind: Option<Text<'a>>,
    pub(super) text: Option<Text<'a>>,
    pub(super) thinking: Option<Text<'a>>,
    pub(super) signature: Option<Text<'a>>,
    pub(super) data: Option<Text<'a>>,
    pub(super) id: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
    pub(super) input: Option<&'a RawValue>,
}

impl<'a> Fields<'a> for Block<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "type" => self.kind = map.next_value()?,
            "text" => self.text = map.next_value()?,
            "thinking" => self.thinking = map.next_value()?,
            "signature" => self.signature = map.next_value()?,
            "data" => self.data = map.next_value()?,
            "id" => self.id = map.next_value()?,
            "name" => self.name = map.next_value()?,
            "input" => self.input = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

//! What comes over the wire.

use crate::dialect::object::{Count, Fields, Object, Raw, Read, Text};
use crate::json::{JsonError, Reader};

/// An event of a stream, or a whole message: their fields do not collide.
#[derive(Debug, Default)]
pub(super) struct Payload<'a> {
    pub(super) kind: Option<Text<'a>>,
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
}

impl<'a> Fields<'a> for Payload<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "type" => self.kind = Read::read(reader)?,
            "id" => self.id = Read::read(reader)?,
            "model" => self.model = Read::read(reader)?,
            "content" => self.content = Read::read(reader)?,
            "stop_reason" => self.stop_reason = Read::read(reader)?,
            "usage" => self.usage = Read::read(reader)?,
            "error" => self.error = Read::read(reader)?,
            "message" => self.message = Read::read(reader)?,
            "index" => self.index = Read::read(reader)?,
            "content_block" => self.content_block = Read::read(reader)?,
            "delta" => self.delta = Read::read(reader)?,
            "role" => drop(reader.raw()?),
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
    pub(super) citation: Option<Raw<'a>>,
    pub(super) stop_reason: Option<Text<'a>>,
}

impl<'a> Fields<'a> for Delta<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "type" => self.kind = Read::read(reader)?,
            "text" => self.text = Read::read(reader)?,
            "thinking" => self.thinking = Read::read(reader)?,
            "signature" => self.signature = Read::read(reader)?,
            "partial_json" => self.partial_json = Read::read(reader)?,
            "citation" => self.citation = Read::read(reader)?,
            "stop_reason" => self.stop_reason = Read::read(reader)?,
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
    pub(super) input: Option<Raw<'a>>,
}

impl<'a> Fields<'a> for Block<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "type" => self.kind = Read::read(reader)?,
            "text" => self.text = Read::read(reader)?,
            "thinking" => self.thinking = Read::read(reader)?,
            "signature" => self.signature = Read::read(reader)?,
            "data" => self.data = Read::read(reader)?,
            "id" => self.id = Read::read(reader)?,
            "name" => self.name = Read::read(reader)?,
            "input" => self.input = Read::read(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

//! The structure of responses. A field of an unexpected type counts as absent.

use crate::dialect::kit::read::{
    Count, Fields, Ignored, List, MAX_ITEMS, Object, Raw, Read, Text, Word,
};
use crate::json::{JsonError, Reader};

/// A whole answer, or one chunk of a stream.
#[derive(Debug, Default)]
pub(super) struct Chunk<'a> {
    pub(super) candidates: Option<List<Object<'a, Candidate<'a>>>>,
    pub(super) prompt_feedback: Option<Object<'a, Feedback<'a>>>,
    pub(super) usage: Option<Raw<'a>>,
    pub(super) model: Text<'a>,
    pub(super) id: Text<'a>,
    pub(super) error: Option<Raw<'a>>,
}

impl<'a> Fields<'a> for Chunk<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "candidates" => &mut self.candidates,
            "promptFeedback" => &mut self.prompt_feedback,
            "usageMetadata" => &mut self.usage,
            "modelVersion" => &mut self.model,
            "responseId" => &mut self.id,
            "error" => &mut self.error,
            _ => return None,
        })
    }
}

/// What the provider says about the prompt.
#[derive(Debug, Default)]
pub(super) struct Feedback<'a> {
    pub(super) block_reason: Text<'a>,
}

impl<'a> Fields<'a> for Feedback<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        (name == "blockReason").then_some(&mut self.block_reason)
    }
}

/// One candidate of an answer.
#[derive(Debug, Default)]
pub(super) struct Candidate<'a> {
    index: Count,
    pub(super) content: Object<'a, Content<'a>>,
    /// A word or, from servers that write enums as numbers, a number of the protocol's definition.
    pub(super) finish_reason: Text<'a>,
    pub(super) logprobs: Option<Raw<'a>>,
}

impl Candidate<'_> {
    pub(super) fn place(&self) -> u64 {
        self.index.0.unwrap_or(0)
    }
}

impl<'a> Fields<'a> for Candidate<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "index" => &mut self.index,
            "content" => &mut self.content,
            "finishReason" => &mut self.finish_reason,
            "logprobsResult" => &mut self.logprobs,
            _ => return None,
        })
    }
}

/// The content of a candidate.
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    pub(super) parts: Parts<'a>,
    role: Ignored,
}

impl<'a> Fields<'a> for Content<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "parts" => &mut self.parts,
            "role" => &mut self.role,
            _ => return None,
        })
    }
}

/// The parts of a content, each with its raw JSON, because a part of an unknown type is kept as it
/// is.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) items: Vec<(Raw<'a>, Object<'a, Part<'a>>)>,
    /// Whether there were more than [`MAX_ITEMS`] parts.
    pub(super) is_over: bool,
}

impl<'a> Read<'a> for Parts<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        *self = Self::default();
        if reader.peek()? != b'[' {
            return self.read_part(reader);
        }
        let mut items = reader.array()?;
        while reader.item(&mut items)? {
            self.read_part(reader)?;
        }
        Ok(())
    }
}

impl<'a> Parts<'a> {
    fn read_part(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        if reader.peek()? != b'{' {
            return reader.raw().map(drop);
        }
        if self.items.len() == MAX_ITEMS {
            self.is_over = true;
            return reader.raw().map(drop);
        }
        let from = reader.rest();
        let mut part = Object::default();
        part.read(reader)?;
        let raw = &from[..from.len() - reader.rest().len()];
        self.items.push((raw, part));
        Ok(())
    }
}

/// A part of a content: one of its kinds, with other fields such as a thought signature.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    pub(super) text: Option<Text<'a>>,
    pub(super) thought: Text<'a>,
    pub(super) call: Option<Object<'a, Call<'a>>>,
    pub(super) inline_data: Option<Object<'a, Blob<'a>>>,
}

impl Part<'_> {
    /// Whether the part is a thought of the model.
    pub(super) fn is_thought(&self) -> bool {
        self.thought.0.text == "true"
    }
}

impl<'a> Fields<'a> for Part<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "text" => &mut self.text,
            "thought" => &mut self.thought,
            "functionCall" => &mut self.call,
            "inlineData" => &mut self.inline_data,
            _ => return None,
        })
    }
}

/// Bytes in base64.
#[derive(Debug, Default)]
pub(super) struct Blob<'a> {
    pub(super) media_type: Word<'a>,
    pub(super) data: Text<'a>,
}

impl<'a> Fields<'a> for Blob<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "mimeType" => &mut self.media_type,
            "data" => &mut self.data,
            _ => return None,
        })
    }
}

/// A call of a function, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) args: Option<Raw<'a>>,
    pub(super) partial_args: Option<List<Object<'a, PartialArg<'a>>>>,
    pub(super) will_continue: Text<'a>,
}

impl<'a> Fields<'a> for Call<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "id" => &mut self.id,
            "name" => &mut self.name,
            "args" => &mut self.args,
            "partialArgs" => &mut self.partial_args,
            "willContinue" => &mut self.will_continue,
            _ => return None,
        })
    }
}

/// One value within the arguments of a call, or a piece of a string, with its path.
#[derive(Debug, Default)]
pub(super) struct PartialArg<'a> {
    pub(super) path: Word<'a>,
    pub(super) string: Option<Text<'a>>,
    pub(super) number: Option<Raw<'a>>,
    pub(super) boolean: Option<Raw<'a>>,
    null: Ignored,
    pub(super) will_continue: Text<'a>,
}

impl<'a> Fields<'a> for PartialArg<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "jsonPath" => &mut self.path,
            "stringValue" => &mut self.string,
            "numberValue" => &mut self.number,
            "boolValue" => &mut self.boolean,
            "nullValue" => &mut self.null,
            "willContinue" => &mut self.will_continue,
            _ => return None,
        })
    }
}

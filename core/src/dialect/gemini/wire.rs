//! The structure of responses. A field of an unexpected type counts as absent.

use crate::dialect::kit::fields;
use crate::dialect::kit::read::{Count, Ignored, List, MAX_ITEMS, Object, Raw, Read, Text, Word};
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

fields!(Chunk<'a> {
    candidates, prompt_feedback: "promptFeedback", usage: "usageMetadata", model: "modelVersion",
    id: "responseId", error,
});

/// What the provider says about the prompt.
#[derive(Debug, Default)]
pub(super) struct Feedback<'a> {
    pub(super) block_reason: Text<'a>,
}

fields!(Feedback<'a> { block_reason: "blockReason" });

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

fields!(Candidate<'a> {
    index, content, finish_reason: "finishReason", logprobs: "logprobsResult",
});

/// The content of a candidate.
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    pub(super) parts: Parts<'a>,
    role: Ignored,
}

fields!(Content<'a> { parts, role });

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

fields!(Part<'a> { text, thought, call: "functionCall", inline_data: "inlineData" });

/// Bytes in base64.
#[derive(Debug, Default)]
pub(super) struct Blob<'a> {
    pub(super) media_type: Word<'a>,
    pub(super) data: Text<'a>,
}

fields!(Blob<'a> { media_type: "mimeType", data });

/// A call of a function, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) args: Option<Raw<'a>>,
    pub(super) partial_args: Option<List<Object<'a, PartialArg<'a>>>>,
    pub(super) will_continue: Text<'a>,
}

fields!(Call<'a> { id, name, args, partial_args: "partialArgs", will_continue: "willContinue" });

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

fields!(PartialArg<'a> {
    path: "jsonPath", string: "stringValue", number: "numberValue", boolean: "boolValue",
    null: "nullValue", will_continue: "willContinue",
});

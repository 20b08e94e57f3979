//! What comes over the wire. A field of an unexpected type costs no more than itself.

use std::borrow::Cow;

use crate::dialect::object::{Count, Fields, Object, Raw, Read};
use crate::json::{JsonError, Reader};

/// Text, or parts of it, or nothing: whatever a server puts where text belongs.
#[derive(Debug, Default)]
pub(super) enum Content<'a> {
    #[default]
    None,
    Text(Cow<'a, str>),
    Parts(Vec<Object<'a, Part<'a>>>),
}

impl<'a> Content<'a> {
    /// Whether it is this word.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Text(text) if text == word)
    }

    /// The text, unless it is empty or made of parts.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl<'a> Read<'a> for Content<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        Ok(match reader.peek()? {
            b'"' => Self::Text(reader.string()?),
            b'[' => Self::Parts(Read::read(reader)?),
            b'-' | b'0'..=b'9' => match reader.raw()? {
                // An id that is a number.
                number if !number.contains(['.', 'e', 'E']) => Self::Text(number.into()),
                _ => Self::None,
            },
            _ => {
                reader.raw()?;
                Self::None
            }
        })
    }
}

/// A part of content that is an array: Mistral's reasoning comes so.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    pub(super) kind: Content<'a>,
    pub(super) text: Content<'a>,
    pub(super) thinking: Content<'a>,
}

impl<'a> Fields<'a> for Part<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "text" => self.text = Read::read(reader)?,
            "thinking" => self.thinking = Read::read(reader)?,
            "type" => self.kind = Read::read(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A whole answer, or one chunk of a stream.
#[derive(Debug, Default)]
pub(super) struct Chunk<'a> {
    pub(super) object: Content<'a>,
    pub(super) id: Content<'a>,
    pub(super) model: Content<'a>,
    pub(super) choices: Option<Vec<Object<'a, Choice<'a>>>>,
    pub(super) usage: Option<Raw<'a>>,
    pub(super) error: Option<Raw<'a>>,
}

impl<'a> Fields<'a> for Chunk<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "id" => self.id = Read::read(reader)?,
            "model" => self.model = Read::read(reader)?,
            "choices" => self.choices = Read::read(reader)?,
            "usage" => self.usage = Read::read(reader)?,
            "error" => self.error = Read::read(reader)?,
            "object" => self.object = Read::read(reader)?,
            // They say nothing of the answer: the time, and padding against eavesdroppers.
            "created" | "obfuscation" => drop(reader.raw()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// One of the answers to a request.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) index: Count,
    /// What a stream brings.
    pub(super) delta: Option<Object<'a, Delta<'a>>>,
    /// What a whole answer brings; some servers send both in both.
    pub(super) message: Option<Object<'a, Delta<'a>>>,
    pub(super) finish_reason: Content<'a>,
    pub(super) logprobs: Option<Raw<'a>>,
}

impl<'a> Fields<'a> for Choice<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "index" => self.index = Read::read(reader)?,
            "delta" => self.delta = Read::read(reader)?,
            "message" => self.message = Read::read(reader)?,
            "finish_reason" => self.finish_reason = Read::read(reader)?,
            "logprobs" => self.logprobs = Read::read(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A message, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) content: Content<'a>,
    pub(super) reasoning_content: Content<'a>,
    pub(super) reasoning: Content<'a>,
    pub(super) refusal: Content<'a>,
    pub(super) tool_calls: Option<Vec<Object<'a, Call<'a>>>>,
    pub(super) function_call: Option<Object<'a, Function<'a>>>,
    pub(super) reasoning_details: Option<Raw<'a>>,
}

impl<'a> Fields<'a> for Delta<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "content" => self.content = Read::read(reader)?,
            "reasoning_content" => self.reasoning_content = Read::read(reader)?,
            "reasoning" => self.reasoning = Read::read(reader)?,
            "refusal" => self.refusal = Read::read(reader)?,
            "tool_calls" => self.tool_calls = Read::read(reader)?,
            "function_call" => self.function_call = Read::read(reader)?,
            "reasoning_details" => self.reasoning_details = Read::read(reader)?,
            "role" | "obfuscation" => drop(reader.raw()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A tool call, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) index: Count,
    pub(super) id: Content<'a>,
    pub(super) function: Option<Object<'a, Function<'a>>>,
}

impl<'a> Fields<'a> for Call<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "index" => self.index = Read::read(reader)?,
            "id" => self.id = Read::read(reader)?,
            "function" => self.function = Read::read(reader)?,
            "type" => drop(reader.raw()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The function of a tool call.
#[derive(Debug, Default)]
pub(super) struct Function<'a> {
    pub(super) name: Content<'a>,
    pub(super) arguments: Option<Raw<'a>>,
}

impl<'a> Fields<'a> for Function<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "name" => self.name = Read::read(reader)?,
            "arguments" => self.arguments = Read::read(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What an answer cost, as its many servers say it.
#[derive(Debug, Default)]
pub(super) struct Usage<'a> {
    pub(super) prompt_tokens: Count,
    pub(super) completion_tokens: Count,
    pub(super) total_tokens: Count,
    pub(super) prompt_cache_hit_tokens: Count,
    pub(super) cached_tokens: Count,
    pub(super) prompt_tokens_details: Option<Raw<'a>>,
    pub(super) completion_tokens_details: Option<Raw<'a>>,
}

impl<'a> Fields<'a> for Usage<'a> {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "prompt_tokens" => self.prompt_tokens = Read::read(reader)?,
            "completion_tokens" => self.completion_tokens = Read::read(reader)?,
            "total_tokens" => self.total_tokens = Read::read(reader)?,
            "prompt_cache_hit_tokens" => self.prompt_cache_hit_tokens = Read::read(reader)?,
            "cached_tokens" => self.cached_tokens = Read::read(reader)?,
            "prompt_tokens_details" => self.prompt_tokens_details = Read::read(reader)?,
            "completion_tokens_details" => self.completion_tokens_details = Read::read(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// What is inside of the prompt's tokens, and of the answer's.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub(super) cached_tokens: Count,
    pub(super) cache_write_tokens: Count,
    pub(super) reasoning_tokens: Count,
}

impl<'a> Fields<'a> for Details {
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError> {
        match name {
            "cached_tokens" => self.cached_tokens = Read::read(reader)?,
            "cache_write_tokens" => self.cache_write_tokens = Read::read(reader)?,
            "reasoning_tokens" => self.reasoning_tokens = Read::read(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

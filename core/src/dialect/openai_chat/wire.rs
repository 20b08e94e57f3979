//! What comes over the wire. A field of an unexpected type costs no more than itself.

use std::borrow::Cow;

use crate::dialect::kit::read::{Count, Fields, Ignored, Object, Raw, Read};
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

    /// Takes the text, unless it is empty or made of parts.
    pub(super) fn take_text(&mut self) -> Option<String> {
        match std::mem::take(self) {
            Self::Text(text) if !text.is_empty() => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl<'a> Read<'a> for Content<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        *self = match reader.peek()? {
            b'"' => Self::Text(reader.string()?),
            b'[' => {
                let mut parts = Vec::new();
                parts.read(reader)?;
                Self::Parts(parts)
            }
            b'-' | b'0'..=b'9' => match reader.raw()? {
                // An id that is a number.
                number if !number.contains(['.', 'e', 'E']) => Self::Text(number.into()),
                _ => Self::None,
            },
            _ => {
                reader.raw()?;
                Self::None
            }
        };
        Ok(())
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
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "text" => &mut self.text,
            "thinking" => &mut self.thinking,
            "type" => &mut self.kind,
            _ => return None,
        })
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
    ignored: Ignored,
}

impl<'a> Fields<'a> for Chunk<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "id" => &mut self.id,
            "model" => &mut self.model,
            "choices" => &mut self.choices,
            "usage" => &mut self.usage,
            "error" => &mut self.error,
            "object" => &mut self.object,
            // They say nothing of the answer: the time, and padding against eavesdroppers.
            "created" | "obfuscation" => &mut self.ignored,
            _ => return None,
        })
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
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "index" => &mut self.index,
            "delta" => &mut self.delta,
            "message" => &mut self.message,
            "finish_reason" => &mut self.finish_reason,
            "logprobs" => &mut self.logprobs,
            _ => return None,
        })
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
    ignored: Ignored,
}

impl<'a> Fields<'a> for Delta<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "content" => &mut self.content,
            "reasoning_content" => &mut self.reasoning_content,
            "reasoning" => &mut self.reasoning,
            "refusal" => &mut self.refusal,
            "tool_calls" => &mut self.tool_calls,
            "function_call" => &mut self.function_call,
            "reasoning_details" => &mut self.reasoning_details,
            "role" | "obfuscation" => &mut self.ignored,
            _ => return None,
        })
    }
}

/// A tool call, or a piece of one.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) index: Count,
    pub(super) id: Content<'a>,
    pub(super) function: Option<Object<'a, Function<'a>>>,
    pub(super) ignored: Ignored,
}

impl<'a> Fields<'a> for Call<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "index" => &mut self.index,
            "id" => &mut self.id,
            "function" => &mut self.function,
            "type" => &mut self.ignored,
            _ => return None,
        })
    }
}

/// The function of a tool call.
#[derive(Debug, Default)]
pub(super) struct Function<'a> {
    pub(super) name: Content<'a>,
    pub(super) arguments: Option<Raw<'a>>,
}

impl<'a> Fields<'a> for Function<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "name" => &mut self.name,
            "arguments" => &mut self.arguments,
            _ => return None,
        })
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
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "prompt_tokens" => &mut self.prompt_tokens,
            "completion_tokens" => &mut self.completion_tokens,
            "total_tokens" => &mut self.total_tokens,
            "prompt_cache_hit_tokens" => &mut self.prompt_cache_hit_tokens,
            "cached_tokens" => &mut self.cached_tokens,
            "prompt_tokens_details" => &mut self.prompt_tokens_details,
            "completion_tokens_details" => &mut self.completion_tokens_details,
            _ => return None,
        })
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
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "cached_tokens" => &mut self.cached_tokens,
            "cache_write_tokens" => &mut self.cache_write_tokens,
            "reasoning_tokens" => &mut self.reasoning_tokens,
            _ => return None,
        })
    }
}

//! The structure of responses. A field of an unexpected type counts as absent.

use chatcore::dialect::kit::{Count, Fields, Ignored, List, Object, Raw, Read, Text, Word};

/// A whole answer, or one line of a stream.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) model: Word<'a>,
    pub(super) message: Option<Object<'a, Message<'a>>>,
    pub(super) done: Text<'a>,
    pub(super) done_reason: Word<'a>,
    pub(super) error: Option<Raw<'a>>,
    pub(super) prompt_eval_count: Count,
    pub(super) eval_count: Count,
    created_at: Ignored,
}

impl<'a> Fields<'a> for Line<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "model" => &mut self.model,
            "message" => &mut self.message,
            "done" => &mut self.done,
            "done_reason" => &mut self.done_reason,
            "error" => &mut self.error,
            "prompt_eval_count" => &mut self.prompt_eval_count,
            "eval_count" => &mut self.eval_count,
            "created_at" => &mut self.created_at,
            _ => return None,
        })
    }
}

/// A piece of the message.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) content: Text<'a>,
    pub(super) thinking: Text<'a>,
    pub(super) tool_calls: List<Object<'a, Call<'a>>>,
    role: Ignored,
}

impl<'a> Fields<'a> for Message<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "content" => &mut self.content,
            "thinking" => &mut self.thinking,
            "tool_calls" => &mut self.tool_calls,
            "role" => &mut self.role,
            _ => return None,
        })
    }
}

/// A tool call. It always arrives in one piece.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) id: Text<'a>,
    pub(super) function: Object<'a, Function<'a>>,
    kind: Ignored,
}

impl<'a> Fields<'a> for Call<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "id" => &mut self.id,
            "function" => &mut self.function,
            "type" => &mut self.kind,
            _ => return None,
        })
    }
}

/// The function of a tool call.
#[derive(Debug, Default)]
pub(super) struct Function<'a> {
    pub(super) name: Text<'a>,
    pub(super) arguments: Option<Raw<'a>>,
    index: Ignored,
}

impl<'a> Fields<'a> for Function<'a> {
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>> {
        Some(match name {
            "name" => &mut self.name,
            "arguments" => &mut self.arguments,
            "index" => &mut self.index,
            _ => return None,
        })
    }
}

//! The structure of responses. A field of an unexpected type counts as absent.

use chatcore::dialect::kit::{Count, Ignored, List, Object, Raw, Text, Word, fields};

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

fields!(Line<'a> {
    model, message, done, done_reason, error, prompt_eval_count, eval_count, created_at,
});

/// A piece of the message.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) content: Text<'a>,
    pub(super) thinking: Text<'a>,
    pub(super) tool_calls: List<Object<'a, Call<'a>>>,
    role: Ignored,
}

fields!(Message<'a> { content, thinking, tool_calls, role });

/// A tool call. It always arrives in one piece.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) id: Text<'a>,
    pub(super) function: Object<'a, Function<'a>>,
    kind: Ignored,
}

fields!(Call<'a> { id, function, kind: "type" });

/// The function of a tool call.
#[derive(Debug, Default)]
pub(super) struct Function<'a> {
    pub(super) name: Text<'a>,
    pub(super) arguments: Option<Raw<'a>>,
    index: Ignored,
}

fields!(Function<'a> { name, arguments, index });

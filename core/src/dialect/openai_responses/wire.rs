//! The structure of responses. A field of an unexpected type counts as absent.

use crate::dialect::kit::fields;
use crate::dialect::kit::read::{Count, Ignored, Object, Raw, Text, Word};

/// An event of a stream.
#[derive(Debug, Default)]
pub(super) struct Event<'a> {
    pub(super) kind: Word<'a>,
    pub(super) output_index: Count,
    pub(super) content_index: Count,
    pub(super) summary_index: Count,
    pub(super) item_id: Word<'a>,
    /// In `response.output_item.…`.
    pub(super) item: Option<Raw<'a>>,
    /// In `response.content_part.…` and `response.reasoning_summary_part.…`.
    pub(super) part: Option<Raw<'a>>,
    /// The next piece of a text.
    pub(super) delta: Option<Raw<'a>>,
    /// The whole text, in the field for its kind.
    pub(super) text: Option<Raw<'a>>,
    pub(super) refusal: Option<Raw<'a>>,
    pub(super) arguments: Option<Raw<'a>>,
    pub(super) input: Option<Raw<'a>>,
    pub(super) annotation: Option<Raw<'a>>,
    /// In the events about the whole response.
    pub(super) response: Option<Raw<'a>>,
    pub(super) error: Option<Raw<'a>>,
    ignored: Ignored,
}

fields!(Event<'a> {
    kind: "type", delta, output_index, content_index, summary_index, item_id, item, part, text,
    refusal, arguments, input, annotation, response, error,
    // The position in the stream, padding against traffic analysis, and data that the part's end
    // repeats.
    ignored: "sequence_number" | "obfuscation" | "logprobs",
});

/// A whole response.
#[derive(Debug, Default)]
pub(super) struct Response<'a> {
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) object: Word<'a>,
    pub(super) kind: Word<'a>,
    pub(super) status: Word<'a>,
    pub(super) output: Option<Raw<'a>>,
    pub(super) usage: Option<Raw<'a>>,
    pub(super) error: Option<Raw<'a>>,
    pub(super) incomplete_details: Option<Object<'a, Incomplete<'a>>>,
    ignored: Ignored,
}

fields!(Response<'a> {
    id, model, object, kind: "type", status, output, usage, error, incomplete_details,
    // The repeated fields of the request, and times.
    ignored: "background" | "completed_at" | "created_at" | "frequency_penalty" | "include"
        | "instructions" | "max_output_tokens" | "max_tool_calls" | "metadata" | "output_text"
        | "parallel_tool_calls" | "presence_penalty" | "previous_response_id" | "prompt_cache_key"
        | "reasoning" | "safety_identifier" | "store" | "stream" | "temperature" | "text"
        | "tool_choice" | "tools" | "top_logprobs" | "top_p" | "truncation" | "user",
});

/// Why a response is not complete.
#[derive(Debug, Default)]
pub(super) struct Incomplete<'a> {
    pub(super) reason: Word<'a>,
}

fields!(Incomplete<'a> { reason });

/// The identifying fields of an item.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) kind: Word<'a>,
    pub(super) id: Word<'a>,
}

fields!(Head<'a> { kind: "type", id });

//! A content block from its beginning to its end.

use std::mem::take;

use serde_json::Value;

use super::DIALECT;
use super::wire::{Block, Delta};
use crate::chat::{ChatEvent, Extra, Part, Reasoning, Text};
use crate::dialect::kit::decoder::{Output, Prose};
use crate::dialect::kit::provenance::as_own;
use crate::dialect::kit::read::{Object, Raw, extra_of, parse, piece_of, to_extra};
use crate::error::Error;
use crate::json::{Joiner, Piece};

/// A block that has begun.
#[derive(Debug)]
pub(super) enum Open {
    /// Text or reasoning. Fields beside it, such as citations, may arrive before the text. They
    /// wait then, because they belong to this part and not to the one before it.
    Prose {
        is_text: bool,
        begun: bool,
        waiting: Extra,
    },
    /// A tool call: its index, the input from its start, and whether pieces of input arrived.
    Call {
        at: usize,
        is_nameless: bool,
        input: String,
        in_pieces: bool,
        half: Joiner,
    },
    /// A block of any other type, and its input, which arrives in pieces.
    Other {
        value: Value,
        input: String,
        half: Joiner,
    },
    /// A block that arrived in one piece.
    Complete,
}

impl Open {
    /// Begins a block. `calls` is the number of tool calls so far.
    pub(super) fn begin(raw: Raw<'_>, calls: &mut usize, out: &mut Output) -> Result<Self, Error> {
        let mut block: Object<'_, Block<'_>> = parse(DIALECT, raw)?;
        let Object { known, unknown } = &mut block;
        Ok(match &*take(&mut known.kind.0) {
            kind @ ("text" | "thinking") => {
                let mut open = Self::Prose {
                    is_text: kind == "text",
                    begun: false,
                    waiting: Extra::new(),
                };
                // An empty list of citations is only a placeholder.
                unknown.retain(|(_, raw)| !is_empty_list(raw));
                if !unknown.is_empty() {
                    let extra = to_extra(take(unknown), out);
                    open.take_extra(extra, out);
                }
                Self::say(Some(&mut open), Prose::Text, take(&mut known.text.0), out);
                let thinking = take(&mut known.thinking.0);
                Self::say(Some(&mut open), Prose::Reasoning, thinking, out);
                if let Some(signature) = known.signature.take() {
                    Self::sign(Some(&mut open), signature, out);
                }
                open
            }
            "redacted_thinking" => {
                let mut reasoning = Reasoning::encrypted(known.data.take().unwrap_or_default());
                if !unknown.is_empty() {
                    reasoning.extra = as_own(DIALECT, to_extra(take(unknown), out));
                }
                out.push(ChatEvent::part(reasoning));
                Self::Complete
            }
            "tool_use" => {
                let at = *calls;
                *calls += 1;
                let name = known.name.take().unwrap_or_default();
                let is_nameless = name.is_empty();
                out.push(ChatEvent::ToolCallStart {
                    index: at,
                    id: known.id.take().unwrap_or_default(),
                    name,
                });
                if !unknown.is_empty() {
                    let extra = as_own(DIALECT, to_extra(take(unknown), out));
                    out.push(ChatEvent::ToolCallExtra { index: at, extra });
                }
                // The input is an object. Servers for models of other makers were seen to send an
                // object's text as a string.
                let input = known.input.map_or("{}".into(), piece_of);
                Self::Call {
                    at,
                    is_nameless,
                    input: input.into_text().into_owned(),
                    in_pieces: false,
                    half: Joiner::default(),
                }
            }
            _ => Self::Other {
                value: out.value(raw),
                input: String::new(),
                half: Joiner::default(),
            },
        })
    }

    /// Whether the block is a part that grows.
    pub(super) fn grows(&self) -> bool {
        matches!(self, Self::Prose { .. } | Self::Call { .. })
    }

    /// Whether the block is a tool call without a name.
    pub(super) fn is_nameless(&self) -> bool {
        matches!(
            self,
            Self::Call {
                is_nameless: true,
                ..
            }
        )
    }

    /// Adds text or reasoning. The first of it begins the part. There may be no block for it.
    pub(super) fn say(block: Option<&mut Self>, prose: Prose, piece: Piece<'_>, out: &mut Output) {
        if out.say(prose, piece)
            && let Some(block) = block
        {
            block.has_begun(out);
        }
    }

    /// Adds the signature of the reasoning.
    pub(super) fn sign(block: Option<&mut Self>, signature: String, out: &mut Output) {
        out.push(ChatEvent::ReasoningSignature(signature));
        if let Some(block) = block {
            block.has_begun(out);
        }
    }

    fn has_begun(&mut self, out: &mut Output) {
        if let Self::Prose { begun, waiting, .. } = self {
            *begun = true;
            if !waiting.is_empty() {
                out.push(ChatEvent::PartExtra(as_own(DIALECT, take(waiting))));
            }
        }
    }

    /// Adds a citation to the text.
    pub(super) fn cite(block: Option<&mut Self>, citation: Raw<'_>, out: &mut Output) {
        let list = Value::Array(vec![out.value(citation)]);
        let extra = extra_of("citations", list);
        match block {
            Some(block) => block.take_extra(extra, out),
            None => out.push(ChatEvent::PartExtra(as_own(DIALECT, extra))),
        }
    }

    /// Adds fields beside the text.
    fn take_extra(&mut self, extra: Extra, out: &mut Output) {
        match self {
            Self::Prose {
                begun: false,
                waiting,
                ..
            } => merge(waiting, extra),
            _ => out.push(ChatEvent::PartExtra(as_own(DIALECT, extra))),
        }
    }

    /// Adds a piece of the input. Returns false if the block has no input.
    pub(super) fn take_input(&mut self, piece: Piece<'_>, out: &mut Output) -> bool {
        match self {
            Self::Call {
                at,
                in_pieces,
                half,
                ..
            } => {
                *in_pieces = true;
                push_arguments(*at, half.join(piece).into_owned(), out);
            }
            Self::Other { input, half, .. } => input.push_str(&half.join(piece)),
            _ => return false,
        }
        true
    }

    /// Adds a delta of an unknown type to a block of an unknown type. Returns false for other
    /// blocks.
    pub(super) fn take_unknown(
        &mut self,
        delta: &mut Object<'_, Delta<'_>>,
        out: &mut Output,
    ) -> bool {
        let Self::Other {
            value: Value::Object(fields),
            ..
        } = self
        else {
            return false;
        };
        let mut more = to_extra(take(&mut delta.unknown), out);
        if let Some(text) = delta.known.text.take() {
            more.insert("text".to_owned(), text.into());
        }
        merge(fields, more);
        true
    }

    /// Ends the block. If `is_cut`, the rest of the block may be missing.
    pub(super) fn end(self, is_cut: bool, out: &mut Output) {
        match self {
            Self::Prose {
                begun: false,
                is_text,
                waiting,
            } if !waiting.is_empty() => out.push(ChatEvent::part(match is_text {
                true => Part::Text(Text {
                    extra: as_own(DIALECT, waiting),
                    ..Text::default()
                }),
                false => Part::Reasoning(Reasoning {
                    extra: as_own(DIALECT, waiting),
                    ..Reasoning::default()
                }),
            })),
            // A stream begins with an empty object. If the call is complete, the call has no
            // arguments. If the call was cut off, the arguments are unknown.
            Self::Call {
                at,
                input,
                in_pieces: false,
                ..
            } if !(is_cut && input == "{}") => push_arguments(at, input, out),
            Self::Call { at, mut half, .. } => {
                push_arguments(at, half.rest().map(String::from).unwrap_or_default(), out);
            }
            Self::Other {
                mut value,
                mut input,
                mut half,
            } => {
                input.extend(half.rest());
                if let (Value::Object(fields), false) = (&mut value, input.is_empty()) {
                    fields.insert("input".to_owned(), out.value(&input));
                }
                let dialect = Some(DIALECT.to_owned());
                out.push(ChatEvent::part(Part::Other { dialect, value }));
            }
            _ => {}
        }
    }
}

fn push_arguments(index: usize, fragment: String, out: &mut Output) {
    if !fragment.is_empty() {
        out.push(ChatEvent::ToolCallArguments { index, fragment });
    }
}

fn is_empty_list(raw: Raw<'_>) -> bool {
    let inside = raw.strip_prefix('[');
    inside.is_some_and(|inside| inside.trim_ascii_start() == "]")
}

/// Merges fields: strings and arrays are appended, other values are replaced.
fn merge(into: &mut Extra, from: Extra) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (Some(Value::String(old)), Value::String(new)) => old.push_str(&new),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

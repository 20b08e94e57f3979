//! A block of content that has begun, until it is complete.

use serde_json::Value;

use super::wire::Delta;
use crate::chat::{ChatEvent, Extra, Part, Reasoning, Text};
use crate::dialect::kit::decoder::Out;
use crate::dialect::kit::read::{Object, to_extra, to_value};

/// A block that has begun.
#[derive(Debug)]
pub(super) enum Open {
    /// Text or reasoning. What stands beside it, such as citations, may come before it, and waits
    /// then, since it belongs to this part and not to the one before.
    Prose {
        is_text: bool,
        begun: bool,
        waiting: Extra,
    },
    /// A tool call: its place, what its start gave as input, and whether pieces of it came.
    Call {
        at: usize,
        input: String,
        in_pieces: bool,
    },
    /// A block without a name of ours, and the input that came for it in pieces.
    Other { value: Value, input: String },
    /// A block that came whole.
    Complete,
}

impl Open {
    pub(super) fn prose(is_text: bool) -> Self {
        Self::Prose {
            is_text,
            begun: false,
            waiting: Extra::new(),
        }
    }

    /// More text, reasoning or signature; the first of it begins the part.
    pub(super) fn take_prose(&mut self, event: ChatEvent, out: &mut Out) {
        out.push(event);
        if let Self::Prose { begun, waiting, .. } = self {
            *begun = true;
            if !waiting.is_empty() {
                out.push(ChatEvent::PartExtra(std::mem::take(waiting)));
            }
        }
    }

    /// Fields that stand beside the text.
    pub(super) fn take_extra(&mut self, extra: Extra, out: &mut Out) {
        match self {
            Self::Prose {
                begun: false,
                waiting,
                ..
            } => merge(waiting, extra),
            _ => out.push(ChatEvent::PartExtra(extra)),
        }
    }

    /// A piece of an input; false where the block has none.
    pub(super) fn take_input(&mut self, piece: &str, out: &mut Out) -> bool {
        match self {
            Self::Call { at, in_pieces, .. } => {
                *in_pieces = true;
                out.push(ChatEvent::ToolCallArguments {
                    index: *at,
                    fragment: piece.to_owned(),
                });
            }
            Self::Other { input, .. } => input.push_str(piece),
            _ => return false,
        }
        true
    }

    /// A delta without a name of ours grows a block without one; false for other blocks.
    pub(super) fn take_unknown(&mut self, delta: &mut Object<'_, Delta<'_>>) -> bool {
        let Self::Other {
            value: Value::Object(fields),
            ..
        } = self
        else {
            return false;
        };
        let mut more = to_extra(std::mem::take(&mut delta.unknown));
        if let Some(text) = delta.known.text.take() {
            more.insert("text".to_owned(), text.0.into_owned().into());
        }
        merge(fields, more);
        true
    }

    /// No more will come. A block that `is_cut` may lack the rest.
    pub(super) fn end(self, is_cut: bool, out: &mut Out) {
        match self {
            Self::Prose {
                begun: false,
                is_text,
                waiting,
            } if !waiting.is_empty() => out.push(ChatEvent::Part(match is_text {
                true => Part::Text(Text {
                    extra: waiting,
                    ..Text::default()
                }),
                false => Part::Reasoning(Reasoning {
                    extra: waiting,
                    ..Reasoning::default()
                }),
            })),
            // A stream begins with an empty object, which means none where the call is complete,
            // and nothing where it was cut.
            Self::Call {
                at,
                input,
                in_pieces: false,
            } if !(is_cut && input == "{}") => out.push(ChatEvent::ToolCallArguments {
                index: at,
                fragment: input,
            }),
            Self::Other { mut value, input } => {
                if let (Value::Object(fields), false) = (&mut value, input.is_empty()) {
                    fields.insert("input".to_owned(), to_value(&input));
                }
                out.push(ChatEvent::Part(Part::Other { value }));
            }
            _ => {}
        }
    }
}

/// Texts and arrays grow; other values are replaced.
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

//! Turns function calls into tool calls. A call arrives in one piece. If the caller asks for it,
//! Vertex sends the arguments in pieces, and only the first piece names the function.

use super::NAME;
use super::args::Args;
use super::wire::Call;
use crate::chat::ChatEvent;
use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::failure;
use crate::dialect::kit::read::{Object, Unknown, extra_of, piece_of, to_extra};
use crate::error::Error;

/// The tool calls of one answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// The number of calls so far.
    count: usize,
    /// The arguments of the last call, while they arrive in pieces.
    open: Option<Args>,
}

impl Calls {
    /// Whether there was no call.
    pub(super) fn are_none(&self) -> bool {
        self.count == 0
    }

    /// Reads a call, or a piece of one. `beside` holds the other fields of its part.
    pub(super) fn take(
        &mut self,
        call: Object<'_, Call<'_>>,
        beside: Unknown<'_>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { mut known, unknown } = call;
        let goes_on = known.will_continue.0.text == "true";
        let pieces = known.partial_args.take();
        let has_arguments = known.args.is_some() || pieces.is_some();
        if let Some(name) = known.name.take() {
            self.end(out);
            out.push(ChatEvent::ToolCallStart {
                index: self.count,
                // Most calls have no id.
                id: known.id.take().unwrap_or_default(),
                name,
            });
            self.count += 1;
            self.open = Some(Args::default());
        } else if self.open.is_none() {
            if has_arguments {
                return Err(failure::nameless_call());
            }
            // An empty call.
            out.skip(1);
            return Ok(());
        }
        let index = self.count.saturating_sub(1);
        let mut fragment = known
            .args
            .map(|args| piece_of(args).into_text().into_owned())
            .unwrap_or_default();
        if let (Some(pieces), Some(open)) = (pieces, &mut self.open) {
            pieces.check("arguments of a call")?;
            for piece in pieces.items {
                open.take(piece.known, &mut fragment)?;
            }
        }
        if !fragment.is_empty() {
            out.push(ChatEvent::ToolCallArguments { index, fragment });
        }
        push_beside(index, unknown, beside, out);
        if !goes_on {
            self.end(out);
        }
        Ok(())
    }

    /// Ends the last call.
    pub(super) fn end(&mut self, out: &mut Output) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        let mut fragment = String::new();
        open.end(&mut fragment);
        if !fragment.is_empty() {
            let index = self.count.saturating_sub(1);
            out.push(ChatEvent::ToolCallArguments { index, fragment });
        }
    }
}

/// Hands over the fields that must be sent back with the call: the other fields of its part, and
/// unknown fields of the call.
fn push_beside(index: usize, inside: Unknown<'_>, beside: Unknown<'_>, out: &mut Output) {
    if inside.is_empty() && beside.is_empty() {
        return;
    }
    let mut own = to_extra(beside, out);
    if !inside.is_empty() {
        let inside = to_extra(inside, out);
        own.insert("functionCall".to_owned(), inside.into());
    }
    let extra = extra_of(NAME, own.into());
    out.push(ChatEvent::ToolCallExtra { index, extra });
}

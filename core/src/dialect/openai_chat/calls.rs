//! Assembles tool calls from their pieces.
//!
//! Servers mark the pieces by index, by id, by both or by neither. Some give all calls the index 0,
//! some count the pieces instead of the calls, and some make up a new id for each piece. All of
//! them begin a call with its name, and send its arguments as one JSON object.

use super::DIALECT;
use super::shape::Shape;
use super::wire;
use crate::chat::{ChatEvent, Extra, FinishReason};
use crate::dialect::kit::decoder::Output;
use crate::dialect::kit::failure;
use crate::dialect::kit::places::Places;
use crate::dialect::kit::provenance::as_own;
use crate::dialect::kit::read::{MAX_ITEMS, Object, Unknown, piece_of, to_extra, too_many};
use crate::error::Error;
use crate::json::{Joiner, Piece};

/// The tool calls of one answer, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    /// The last call with each index that the server sent.
    by_index: Places,
    /// The last call with each id.
    by_id: Places,
    /// The number of calls that were announced, and the last of them.
    announced: usize,
    last_announced: Option<usize>,
}

/// A tool call that has begun.
#[derive(Debug, Default)]
struct Call {
    /// The index in the events. `None` until the call's name is known and the call is announced.
    at: Option<usize>,
    /// The index that the server sent with the first piece.
    index: Option<u64>,
    id: String,
    name: String,
    /// Arguments and unknown fields that wait until the call is announced.
    waiting: String,
    extra: Vec<Extra>,
    /// Half a character at the end of the arguments.
    half: Joiner,
    shape: Shape,
}

/// The context in which a piece of a tool call arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// In a whole answer.
    Whole,
    /// The only piece in its chunk.
    Alone,
    /// One of several pieces in a chunk.
    Several,
}

/// What a piece says about the call that it belongs to.
struct Said {
    position: usize,
    among: Among,
    index: Option<u64>,
    id: String,
    name: String,
    arguments: Arguments,
}

/// What a piece contains of the arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arguments {
    None,
    /// The beginning of arguments.
    Begun,
    More,
}

impl Arguments {
    fn of(piece: Option<&Piece<'_>>) -> Self {
        match piece {
            None => Self::None,
            Some(piece) if piece.text.trim_start().starts_with(['{', '[']) => Self::Begun,
            Some(_) => Self::More,
        }
    }
}

impl Calls {
    /// Whether no call was announced.
    pub(super) fn are_none(&self) -> bool {
        self.announced == 0
    }

    /// Reads a call, or a piece of one.
    pub(super) fn take(
        &mut self,
        position: usize,
        among: Among,
        call: &mut Object<'_, wire::Call<'_>>,
        out: &mut Output,
    ) -> Result<(), Error> {
        let Object { known, unknown } = call;
        let function = &mut known.function.get_or_insert_default().known;
        let arguments = function.arguments.map(piece_of);
        let arguments = arguments.filter(|piece| !piece.is_empty());
        let said = Said {
            position,
            among,
            index: known.index.0,
            id: known.id.take().unwrap_or_default(),
            name: function.name.take().unwrap_or_default(),
            arguments: Arguments::of(arguments.as_ref()),
        };
        // Some servers send an empty call in each chunk when there is no call.
        if said.id.is_empty() && said.name.is_empty() && arguments.is_none() && unknown.is_empty() {
            return Ok(());
        }
        let place = match self.place(&said) {
            Some(place) => place,
            None => self.begin(&said)?,
        };
        self.learn(place, said, out);
        if let Some(piece) = arguments {
            self.grow(place, piece, among, out);
        }
        self.extend(place, std::mem::take(unknown), out);
        Ok(())
    }

    /// The call that a piece belongs to. `None` if the piece begins a new call.
    fn place(&self, said: &Said) -> Option<usize> {
        // A whole answer holds whole calls, not pieces.
        if said.among == Among::Whole {
            return None;
        }
        let by_id = match said.id.is_empty() {
            true => None,
            false => self.by_id.find(&|at| self.calls[at].id.cmp(&said.id)),
        };
        let by_index = match said.index {
            None => None,
            index => self.by_index.find(&|at| self.calls[at].index.cmp(&index)),
        };
        let last = self.calls.len().checked_sub(1);
        match (by_id, by_index) {
            // Some servers give all their calls the same id.
            (Some(at), None) if said.index.is_some() && self.is_other(at, said) => None,
            (Some(at), Some(other)) if at != other && self.is_other(at, said) => None,
            (Some(at), _) => Some(at),
            // Servers that give every call the index 0 tell them apart by id and name.
            (None, Some(at)) if self.is_other(at, said) => None,
            (None, Some(at)) => Some(at),
            // A call begins with its name.
            (None, None) if !said.name.is_empty() => None,
            (None, None) if said.index.is_some() || !said.id.is_empty() => {
                // The server counts the pieces, or makes up an id for each piece.
                let is_growing = |at: &usize| !self.calls[*at].shape.is_closed();
                let last = self.last_announced.filter(is_growing);
                last.filter(|_| said.arguments != Arguments::None)
            }
            // A piece without index, id and name continues the last call.
            (None, None) if said.among == Among::Alone => last,
            (None, None) => Some(said.position).filter(|&at| at < self.calls.len()),
        }
    }

    /// Whether a piece with a name belongs to another call than its index or id says.
    fn is_other(&self, at: usize, said: &Said) -> bool {
        let call = &self.calls[at];
        if said.name.is_empty() || call.name.is_empty() {
            return false;
        }
        let has_new_id = !said.id.is_empty() && !call.id.is_empty() && said.id != call.id;
        // Some servers repeat the name in each piece.
        let goes_on = call.shape.is_open() && said.arguments == Arguments::More;
        said.name != call.name
            || has_new_id && !goes_on
            || call.shape.is_closed() && said.arguments != Arguments::None
    }

    fn begin(&mut self, said: &Said) -> Result<usize, Error> {
        let place = self.calls.len();
        if place == MAX_ITEMS {
            return Err(too_many("tool calls"));
        }
        let index = said.index;
        if index.is_some() {
            let order = |at: usize| self.calls[at].index.cmp(&index);
            self.by_index.set(place, &order);
        }
        self.calls.push(Call {
            index,
            ..Call::default()
        });
        Ok(place)
    }

    /// Stores the id and the name from a piece. Either may come with a later piece.
    fn learn(&mut self, place: usize, said: Said, out: &mut Output) {
        let mut is_new = false;
        if self.calls[place].id.is_empty() && !said.id.is_empty() {
            let order = |at: usize| self.calls[at].id.cmp(&said.id);
            self.by_id.set(place, &order);
            self.calls[place].id = said.id;
            is_new = true;
        }
        let call = &mut self.calls[place];
        if call.name.is_empty() && !said.name.is_empty() {
            call.name = said.name;
            is_new = true;
        }
        if is_new && !call.name.is_empty() {
            self.announce(place, out);
        }
    }

    /// Announces a call, and hands over the arguments and fields that waited.
    fn announce(&mut self, place: usize, out: &mut Output) {
        let call = &mut self.calls[place];
        let index = *call.at.get_or_insert_with(|| {
            self.announced += 1;
            self.last_announced = Some(place);
            self.announced - 1
        });
        out.push(ChatEvent::ToolCallStart {
            index,
            id: call.id.clone(),
            name: call.name.clone(),
        });
        let fragment = std::mem::take(&mut call.waiting);
        if !fragment.is_empty() {
            out.push(ChatEvent::ToolCallArguments { index, fragment });
        }
        for extra in std::mem::take(&mut call.extra) {
            out.push(ChatEvent::ToolCallExtra { index, extra });
        }
    }

    fn grow(&mut self, place: usize, piece: Piece<'_>, among: Among, out: &mut Output) {
        let call = &mut self.calls[place];
        let fragment = call.half.join(piece);
        if among != Among::Whole {
            if call.shape.is_closed() && !fragment.trim().is_empty() {
                // The arguments are complete: this piece repeats them, or belongs to no call.
                out.skip(1);
                return;
            }
            call.shape.take(&fragment);
        }
        match call.at {
            Some(_) if fragment.is_empty() => {}
            Some(index) => out.push(ChatEvent::ToolCallArguments {
                index,
                fragment: fragment.into_owned(),
            }),
            None => call.waiting.push_str(&fragment),
        }
    }

    /// Hands over the unknown fields of a call.
    fn extend(&mut self, place: usize, unknown: Unknown<'_>, out: &mut Output) {
        if unknown.is_empty() {
            return;
        }
        let extra = as_own(DIALECT, to_extra(unknown, out));
        let call = &mut self.calls[place];
        match call.at {
            Some(index) => out.push(ChatEvent::ToolCallExtra { index, extra }),
            None => call.extra.push(extra),
        }
    }

    /// Ends all calls. `reason` is the reason for which the model stopped.
    ///
    /// # Errors
    /// [`Server`](crate::ErrorKind::Server) if a call has no name, unless the answer was cut off.
    pub(super) fn end(&mut self, reason: &FinishReason, out: &mut Output) -> Result<(), Error> {
        let is_cut = *reason == FinishReason::Length;
        let are_meant = *reason == FinishReason::ToolCalls;
        let mut is_nameless = false;
        for place in 0..self.calls.len() {
            let call = &mut self.calls[place];
            let rest = call.half.rest().map(String::from);
            if let Some(index) = call.at {
                out_arguments(index, rest, out);
                continue;
            }
            call.waiting.extend(rest);
            let is_blank = matches!(call.waiting.trim(), "" | "{}" | "null");
            let is_meant = are_meant && self.announced == 0 && !call.id.is_empty();
            if is_blank && !is_meant {
                // Some servers send an empty call when there is no call.
                continue;
            }
            is_nameless = true;
            self.announce(place, out);
        }
        match is_nameless && !is_cut {
            true => Err(failure::nameless_call()),
            false => Ok(()),
        }
    }
}

fn out_arguments(index: usize, fragment: Option<String>, out: &mut Output) {
    if let Some(fragment) = fragment {
        out.push(ChatEvent::ToolCallArguments { index, fragment });
    }
}

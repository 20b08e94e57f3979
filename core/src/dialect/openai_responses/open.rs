//! One item of an answer: its kind and its state.

use super::call::{CUSTOM, Call};
use super::writing::Writing;
use crate::chat::Extra;

/// The kind of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Reasoning,
    Call,
    CustomCall,
    Other,
}

impl Kind {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "message" => Self::Message,
            "reasoning" => Self::Reasoning,
            "function_call" => Self::Call,
            CUSTOM => Self::CustomCall,
            _ => Self::Other,
        }
    }
}

/// How an event identifies its item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: &'a str,
}

/// The state of an item, by its kind.
#[derive(Debug)]
pub(super) enum Form {
    Writing(Writing),
    Call(Call),
    Other(Extra),
}

impl Form {
    /// Gives up the item's turn if nothing of it was handed over. Returns whether it did.
    pub(super) fn yield_turn(&mut self) -> bool {
        match self {
            Self::Writing(writing) => writing.yield_turn(),
            Self::Call(call) => !call.is_announced(),
            Self::Other(_) => true,
        }
    }
}

/// An item that is not complete.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) form: Form,
    /// The whole item, once the server has sent it.
    pub(super) done: Option<Extra>,
    /// Whether its end was lost, because another item has begun.
    pub(super) is_over: bool,
}

impl Item {
    pub(super) fn new(kind: Kind, begun: Extra) -> Self {
        let form = match kind {
            Kind::Message => Form::Writing(Writing::new(true, begun)),
            Kind::Reasoning => Form::Writing(Writing::new(false, begun)),
            Kind::Call => Form::Call(Call::new(false, begun)),
            Kind::CustomCall => Form::Call(Call::new(true, begun)),
            Kind::Other => Form::Other(begun),
        };
        Self {
            kind,
            form,
            done: None,
            is_over: false,
        }
    }
}

/// An item that was handed over.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) kind: Kind,
    /// A call that is not complete.
    pub(super) call: Option<Call>,
    pub(super) was_done: bool,
}

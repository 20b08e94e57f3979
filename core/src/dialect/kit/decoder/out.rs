//! The events that were decoded so far.

use std::collections::VecDeque;

use serde_json::Value;

use crate::chat::{ChatEvent, FinishReason};
use crate::json::{self, Joiner, Piece};

/// The memory that a value may take, as a multiple of its text. A [`Value`] of one digit takes 72
/// bytes.
const TIMES: usize = 15;

/// Extra memory for all values of one event, in bytes, so that small values always fit.
const SPARE: usize = 16 << 10;

/// The kinds of text that a model writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prose {
    /// Text of the answer.
    #[default]
    Text,
    /// Text of the model's reasoning.
    Reasoning,
    /// The model's reason for declining.
    Refusal,
}

impl Prose {
    fn event(self, text: String) -> ChatEvent {
        match self {
            Self::Text => ChatEvent::Text(text),
            Self::Reasoning => ChatEvent::Reasoning(text),
            Self::Refusal => ChatEvent::Refusal(text),
        }
    }
}

/// The events that were decoded so far, and the state that all dialects share.
#[derive(Debug, Default)]
pub struct Output {
    pub(super) events: VecDeque<ChatEvent>,
    /// The terminal event was read, or nothing more is needed: `Assemble::end` is called next.
    pub(super) is_last: bool,
    /// The answer was ended.
    pub(super) done: bool,
    /// How many events were skipped.
    pub(super) skipped: u32,
    /// How many bytes of an event's data follow the value that was read. They are another event.
    pub(in crate::dialect::kit) unread: usize,
    /// An estimate of the memory that the answer's events and values take, in bytes, without the
    /// model's texts. It is compared with [`Caps::body`](crate::Caps::body).
    pub(super) held: usize,
    /// What is left of [`SPARE`] for the current event.
    spare: usize,
    /// Half a character (a lone surrogate) at the end of the last text. `prose` is the kind of that
    /// text.
    half: Joiner,
    prose: Prose,
}

impl Output {
    /// Called before each event.
    pub(super) fn begin_event(&mut self) {
        self.spare = SPARE;
    }

    /// Ends the answer. The model stopped for `reason`; `raw` is the provider's word for it.
    pub fn finish(&mut self, reason: FinishReason, raw: String) {
        self.push(ChatEvent::Finish { reason, raw });
        self.done = true;
    }

    /// Whether the answer was ended.
    pub fn is_finished(&self) -> bool {
        self.done
    }

    /// Says that nothing more is needed: [`Assemble::end`](super::Assemble::end) is called next.
    pub fn set_last(&mut self) {
        self.is_last = true;
    }

    /// Counts an event, or a part of one, that is skipped because the dialect does not know it.
    pub fn skip(&mut self, count: u32) {
        self.skipped = self.skipped.saturating_add(count);
    }

    /// Adds an event that is not [text](Self::say).
    pub fn push(&mut self, event: ChatEvent) {
        if self.half.is_waiting() {
            self.end_half(&event);
        }
        self.held += size_of::<ChatEvent>();
        self.events.push_back(event);
    }

    /// Adds a piece of text, and returns whether an event was added. Half a character at the end of
    /// the piece is held back until the next piece brings the other half.
    pub fn say(&mut self, prose: Prose, piece: Piece<'_>) -> bool {
        if piece.is_empty() {
            return false;
        }
        if prose != self.prose {
            self.end_text();
            self.prose = prose;
        }
        let text = self.half.join(piece);
        let is_said = !text.is_empty();
        if is_said {
            self.events.push_back(prose.event(text.into_owned()));
        }
        is_said
    }

    /// Adds half a character whose other half did not come. It is replaced.
    pub(super) fn end_text(&mut self) {
        if let Some(rest) = self.half.rest() {
            self.events.push_back(self.prose.event(rest.into()));
        }
    }

    /// Usage and similar events may come between two pieces of a text.
    #[cold]
    fn end_half(&mut self, next: &ChatEvent) {
        match next {
            ChatEvent::Usage(_) | ChatEvent::Extra(_) | ChatEvent::Start { .. } => {}
            _ => self.end_text(),
        }
    }

    /// Parses raw JSON. If the value would take too much memory or cannot be parsed, the result is
    /// a string that holds the raw text.
    pub fn value(&mut self, raw: &str) -> Value {
        let times = raw.len().saturating_mul(TIMES);
        let mut room = times.saturating_add(self.spare);
        let all = room;
        let value = json::parse_within(raw, &mut room);
        let taken = all - room;
        self.spare -= taken.saturating_sub(times);
        self.held += taken;
        match value {
            Ok(Some(value)) => value,
            _ => {
                self.held += raw.len();
                Value::String(raw.to_owned())
            }
        }
    }
}

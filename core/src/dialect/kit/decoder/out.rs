//! What came out of the frames so far.

use std::collections::VecDeque;

use serde_json::Value;

use crate::chat::{ChatEvent, FinishReason};
use crate::json::{self, Joiner, Piece};

/// How much more memory than its text a value may take: a [`Value`] of one digit takes 72 bytes.
const TIMES: usize = 15;

/// What the values of one event may take beside that, in bytes, so that small ones always fit.
const SPARE: usize = 16 << 10;

/// Text of the model, by what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prose {
    /// The answer.
    #[default]
    Text,
    /// What the model writes while it reasons.
    Reasoning,
    /// Why the model declines.
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

/// What came out of the frames so far.
#[derive(Debug, Default)]
pub struct Output {
    pub(super) events: VecDeque<ChatEvent>,
    /// The terminal event was read, or nothing more is awaited: the answer is to be ended.
    pub(super) is_last: bool,
    /// The answer was ended.
    pub(super) done: bool,
    /// Events that were passed over.
    pub(super) skipped: u32,
    /// How many bytes of an event's data follow the value that was read: another event.
    pub(in crate::dialect::kit) unread: usize,
    /// About how many bytes the answer holds beside its texts.
    pub(super) held: usize,
    /// What is left of [`SPARE`] for the event that is read.
    spare: usize,
    /// Half a character at the end of the last text, and what kind of text that was.
    half: Joiner,
    prose: Prose,
}

impl Output {
    /// Another event is to be read.
    pub(super) fn begin_event(&mut self) {
        self.spare = SPARE;
    }

    /// Ends the answer: the model stopped for `reason`, in the provider's word `raw`.
    pub fn finish(&mut self, reason: FinishReason, raw: String) {
        self.push(ChatEvent::Finish { reason, raw });
        self.done = true;
    }

    /// Whether the answer was ended.
    pub fn is_finished(&self) -> bool {
        self.done
    }

    /// Says that nothing more is awaited: [`Assemble::end`](super::Assemble::end) is called next.
    pub fn set_last(&mut self) {
        self.is_last = true;
    }

    /// Counts an event, or a part of one, that is passed over because it is not known.
    pub fn skip(&mut self, count: u32) {
        self.skipped = self.skipped.saturating_add(count);
    }

    /// Hands over an event that is not [prose](Self::say).
    pub fn push(&mut self, event: ChatEvent) {
        if self.half.is_waiting() {
            self.end_half(&event);
        }
        self.held += size_of::<ChatEvent>();
        self.events.push_back(event);
    }

    /// Hands over a piece of text. Half a character at its end waits for its other half, which is
    /// the beginning of the next piece.
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

    /// Half a character that waits for its other half stays alone.
    pub(super) fn end_text(&mut self) {
        if let Some(rest) = self.half.rest() {
            self.events.push_back(self.prose.event(rest.into()));
        }
    }

    /// What it cost, for example, may stand between two pieces of a text.
    #[cold]
    fn end_half(&mut self, next: &ChatEvent) {
        match next {
            ChatEvent::Usage(_) | ChatEvent::Extra(_) | ChatEvent::Start { .. } => {}
            _ => self.end_text(),
        }
    }

    /// The value of raw JSON; its text where it would take too much memory.
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

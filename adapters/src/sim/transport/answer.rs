//! What the simulated provider says, in the form that the request speaks.

use chatcore::{ChatEvent, FinishReason, Fold, ToolCall, Usage};

use super::request::SimRequest;
use crate::answers::{Events, Form, Frame, Refusal};

/// What the provider says to one request.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) ask: &'a SimRequest,
    /// The tokens: the words of the text, each with the space after it, then the calls, each as
    /// its beginning and the words of its arguments.
    pub(super) tokens: Vec<ChatEvent>,
    has_calls: bool,
    /// Whether it was cut to what the request allows.
    is_cut: bool,
    /// Whether it says what it cost.
    tells_usage: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        ask: &'a SimRequest,
        text: &str,
        calls: &[ToolCall],
        tells_usage: bool,
    ) -> Self {
        let words = text.split_inclusive(' ');
        let mut tokens: Vec<_> = words.map(|word| ChatEvent::Text(word.to_owned())).collect();
        for (index, call) in calls.iter().enumerate() {
            tokens.push(ChatEvent::ToolCallStart {
                index,
                id: call.id.clone(),
                name: call.name.clone(),
            });
            let words = call.arguments.split_inclusive(' ');
            tokens.extend(words.map(|word| ChatEvent::ToolCallArguments {
                index,
                fragment: word.to_owned(),
            }));
        }
        let allowed = ask.max_tokens.unwrap_or(usize::MAX);
        let is_cut = tokens.len() > allowed;
        tokens.truncate(allowed);
        Self {
            ask,
            tokens,
            has_calls: !calls.is_empty(),
            is_cut,
            tells_usage,
        }
    }

    fn frame(&self) -> Frame {
        let mut frame = Frame::new(format!("sim-{}", self.ask.number), &*self.ask.model);
        frame.created = 1_700_000_000;
        frame.include_usage = self.ask.wants_usage && self.tells_usage;
        frame
    }

    /// What it has cost after so many tokens, if it is told.
    fn usage(&self, tokens: usize) -> Option<ChatEvent> {
        let mut usage = Usage::default();
        usage.input_tokens = self.ask.input_tokens;
        usage.output_tokens = tokens as u64;
        self.tells_usage.then_some(ChatEvent::Usage(usage))
    }

    /// The events after the last token.
    fn last(&self) -> impl Iterator<Item = ChatEvent> {
        let reason = match self.is_cut {
            true => FinishReason::Length,
            false if self.has_calls => FinishReason::ToolCalls,
            false => FinishReason::Stop,
        };
        let raw = reason.as_str().to_owned();
        let finish = ChatEvent::Finish { reason, raw };
        self.usage(self.tokens.len()).into_iter().chain([finish])
    }

    /// All of it in one piece.
    pub(super) fn whole(&self) -> String {
        let mut fold = Fold::new();
        self.tokens.iter().for_each(|token| fold.push_ref(token));
        self.last().for_each(|event| fold.push(event));
        let form = self.ask.form;
        form.whole(&fold.finish(), &self.frame()).to_string()
    }

    /// Begins to write it as a stream.
    pub(super) fn stream(&self) -> Stream {
        Stream(self.ask.form.stream(self.frame()))
    }

    /// What a stream begins with, before the first token.
    pub(super) fn opening(&self, stream: &mut Stream) -> Vec<u8> {
        let empty = ChatEvent::Text(String::new());
        stream.write(self.usage(0).into_iter().chain([empty]))
    }

    /// What a stream ends with, its terminal event last.
    pub(super) fn ending(&self, stream: &mut Stream) -> Vec<u8> {
        stream.write(self.last())
    }
}

/// A stream that is being written.
#[derive(Debug)]
pub(super) struct Stream(Box<dyn Events>);

impl Stream {
    fn write(&mut self, events: impl IntoIterator<Item = ChatEvent>) -> Vec<u8> {
        let events = events.into_iter();
        events.flat_map(|event| self.0.write(&event)).collect()
    }

    /// One token.
    pub(super) fn token(&mut self, token: &ChatEvent) -> Vec<u8> {
        self.0.write(token)
    }

    /// An error within the stream.
    pub(super) fn error(&mut self, message: &str) -> Vec<u8> {
        self.0.fail(&refusal(500, message))
    }
}

/// The body of an error.
pub(super) fn error(form: &dyn Form, status: u16, message: &str) -> String {
    form.refuse(&refusal(status, message)).to_string()
}

fn refusal(status: u16, message: &str) -> Refusal {
    let mut refusal = Refusal::new(status, message);
    let code = match status {
        404 => "not_found",
        429 => "rate_limit_exceeded",
        500.. => "server_error",
        _ => return refusal,
    };
    refusal.code = Some(code.to_owned());
    refusal
}

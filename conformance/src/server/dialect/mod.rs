//! The server's dialects. They read the prompt and repeat it in the answer.

pub(super) mod error;
pub(super) mod writing;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::plan::Plan;
use super::provider::Thinking;

/// A chat request in any dialect.
#[derive(Debug)]
pub(super) struct Question {
    /// The request's number, which becomes the answer's id.
    pub(super) number: u64,
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) stream_usage: bool,
    /// The text of the last message.
    prompt: String,
    /// The number of words in all messages.
    prompt_words: usize,
    thinking: Thinking,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    model: Cow<'a, str>,
    #[serde(borrow, default)]
    messages: Vec<Message<'a>>,
    /// Responses has `input` instead of `messages`.
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(borrow, alias = "instructions")]
    system: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, alias = "output")]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

impl Question {
    /// Reads a request's body. The error is the provider's message.
    pub(super) fn read(number: u64, body: &[u8]) -> Result<Self, String> {
        let invalid = |error| format!("invalid request: {error}");
        let mut body: Body<'_> = serde_json::from_slice(body).map_err(invalid)?;
        if let Some(input) = body.input {
            body.messages = match input.get().starts_with('[') {
                true => serde_json::from_str(input.get()).map_err(invalid)?,
                false => vec![Message {
                    content: Some(input),
                }],
            };
        }
        let Some(last) = body.messages.last() else {
            return Err("invalid request: messages must not be empty".into());
        };
        let contents = body.messages.iter().map(|message| message.content);
        let contents = contents.chain([body.system]);
        Ok(Self {
            number,
            model: body.model.into_owned(),
            stream: body.stream,
            stream_usage: body
                .stream_options
                .is_some_and(|options| options.include_usage),
            prompt: text_of(last.content),
            prompt_words: contents.map(|content| words(&text_of(content))).sum(),
            thinking: Thinking::default(),
        })
    }

    /// The same question for a model with this behaviour.
    pub(super) fn thinking(mut self, thinking: Thinking) -> Self {
        self.stream_usage |= thinking.stream_usage;
        self.thinking = thinking;
        self
    }

    /// The answer: `echo: ` and the prompt, or as many words as the plan says.
    pub(super) fn answer(&self, plan: &Plan) -> Answer {
        let text = match plan.words {
            Some(count) => {
                let mut text = String::with_capacity(count * 7);
                for n in 0..count {
                    use std::fmt::Write;
                    // Writing to a string cannot fail.
                    let _ = write!(text, "{}word{n}", if n == 0 { "" } else { " " });
                }
                text
            }
            None => format!("echo: {}", self.prompt),
        };
        let limit = self.thinking.limit.unwrap_or(usize::MAX);
        let thought = self.thinking.words.min(limit);
        let (text, is_cut) = first_words(text, limit - thought);
        Answer {
            prompt_tokens: self.prompt_words,
            answer_tokens: thought + words(&text),
            thought_tokens: thought,
            shows_thoughts: self.thinking.shown,
            is_cut,
            pad: plan.pad,
            text,
        }
    }
}

/// The first `count` words, and whether there were more.
fn first_words(mut text: String, count: usize) -> (String, bool) {
    match text.split_inclusive(char::is_whitespace).nth(count) {
        None => (text, false),
        Some(_) => {
            let kept = text.split_inclusive(char::is_whitespace).take(count);
            let end = kept.map(str::len).sum();
            text.truncate(end);
            (text, true)
        }
    }
}

/// The model's answer. One word counts as one token.
#[derive(Debug)]
pub(super) struct Answer {
    text: String,
    pad: usize,
    pub(super) prompt_tokens: usize,
    /// The tokens of the answer, reasoning included.
    pub(super) answer_tokens: usize,
    pub(super) thought_tokens: usize,
    shows_thoughts: bool,
    /// Whether the token limit cut it off.
    pub(super) is_cut: bool,
}

impl Answer {
    /// The visible reasoning, in pieces of up to 100 words.
    pub(super) fn thoughts(&self) -> Vec<String> {
        let shown = if self.shows_thoughts {
            self.thought_tokens
        } else {
            0
        };
        let piece = |from: usize| "hmm ".repeat((shown - from).min(100));
        (0..shown).step_by(100).map(piece).collect()
    }

    /// The words of the text. Together they are the whole text.
    pub(super) fn pieces(&self) -> impl Iterator<Item = String> {
        let mut pad = self.pad;
        self.text
            .split_inclusive(' ')
            .map(move |word| "x".repeat(std::mem::take(&mut pad)) + word)
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn text_of(content: Option<&RawValue>) -> String {
    let Some(content) = content else {
        return String::new();
    };
    if let Ok(text) = serde_json::from_str::<Cow<'_, str>>(content.get()) {
        return text.into_owned();
    }
    let parts: Vec<Part<'_>> = serde_json::from_str(content.get()).unwrap_or_default();
    parts.into_iter().filter_map(|part| part.text).collect()
}

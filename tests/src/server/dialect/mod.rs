//! The provider dialects that the server speaks: the prompt is read, and comes back in the answer.

pub(super) mod anthropic;
pub(super) mod error;
pub(super) mod openai;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::plan::Plan;

/// What a chat request asks for, in either dialect.
#[derive(Debug)]
pub(super) struct Question {
    /// The request's number; it becomes the answer's id.
    pub(super) number: u64,
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) stream_usage: bool,
    /// The text of the last message.
    prompt: String,
    /// Words of all messages together.
    prompt_words: usize,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(borrow)]
    system: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
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
    /// Reads a request's body. The error is what the provider would say.
    pub(super) fn read(number: u64, body: &[u8]) -> Result<Self, String> {
        let body: Body<'_> =
            serde_json::from_slice(body).map_err(|error| format!("invalid request: {error}"))?;
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
        })
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
        Answer {
            prompt_tokens: self.prompt_words,
            answer_tokens: words(&text),
            pad: plan.pad,
            text,
        }
    }
}

/// What the model says; a word counts as a token.
#[derive(Debug)]
pub(super) struct Answer {
    text: String,
    pad: usize,
    pub(super) prompt_tokens: usize,
    pub(super) answer_tokens: usize,
}

impl Answer {
    /// As a JSON string.
    pub(super) fn json(&self) -> String {
        json(&format!("{}{}", "x".repeat(self.pad), self.text))
    }

    /// Word by word, each as a JSON string; they add up to the whole.
    pub(super) fn pieces(&self) -> impl Iterator<Item = String> {
        let mut pad = self.pad;
        self.text.split_inclusive(' ').map(move |word| {
            if pad == 0 {
                return json(word);
            }
            json(&format!("{}{word}", "x".repeat(std::mem::take(&mut pad))))
        })
    }
}

pub(super) fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
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

//! Estimates how many tokens a request takes before the provider has counted them.

use serde_json::Value;

use crate::chat::{ChatRequest, Extra, MediaSource, Message, Part};

/// Tokens around each message: its role and its delimiters.
const MESSAGE: u64 = 4;
/// Tokens of an image: what the large providers count for one of medium size (765 to 1,600).
const IMAGE: u64 = 1_200;
/// Tokens of a file: what Anthropic counts for two pages of a PDF (1,500 to 3,000 each, plus an
/// image of each page).
const FILE: u64 = 6_000;
/// Tokens of audio: one minute at OpenAI (10 a second), 20 seconds at Gemini (32 a second).
const AUDIO: u64 = 600;
/// Tokens of an answer without `max_tokens`: the client's own default.
pub(crate) const ANSWER: u64 = 256;

/// An estimate of the tokens of `request` and of its answer, for the rate limit. The provider's own
/// count replaces it afterwards.
///
/// Nothing is tokenized: the estimate reads each byte once. An ASCII character counts a quarter of
/// a token, a character of two bytes (Cyrillic, Greek, accents) half a token, one of three bytes
/// (Chinese, Japanese, Korean) one token, one of four bytes (emoji) two. These are the providers'
/// rules of thumb for prose, on the high side outside English; code may take more. The answer
/// counts `max_tokens`, which is how OpenAI counts it when a request arrives, or 256 tokens without
/// a limit.
///
/// ```
/// use chatcore::{ChatRequest, estimate_tokens};
///
/// let request = ChatRequest::from("Why is the sky blue?").max_tokens(100);
/// assert_eq!(estimate_tokens(&request), 4 + 5 + 100);
/// ```
pub fn estimate_tokens(request: &ChatRequest) -> u64 {
    let answer = request.max_tokens.map_or(ANSWER, u64::from);
    input(request).div_ceil(4).saturating_add(answer)
}

/// An estimate of the tokens that a request and its answer took, for an answer without a report of
/// its usage.
#[cfg(feature = "typed")]
pub(crate) fn used(request: &ChatRequest, answer: &Message) -> u64 {
    input(request).saturating_add(message(answer)).div_ceil(4)
}

/// The estimate of what is sent, in quarters of a token.
fn input(request: &ChatRequest) -> u64 {
    let messages = request.messages.iter().map(message);
    let tools = request.tools.iter().map(|tool| {
        let description = tool.description.as_deref().map_or(0, quarters);
        MESSAGE * 4 + quarters(&tool.name) + description + json(&tool.parameters)
    });
    messages.chain(tools).fold(0_u64, u64::saturating_add)
}

/// An estimate of the tokens of one text, rounded up. Code may take twice as many.
#[cfg(feature = "jobs")]
pub(crate) fn text(text: &str) -> u64 {
    quarters(text).div_ceil(4)
}

fn message(message: &Message) -> u64 {
    let name = message.name.as_deref().map_or(0, quarters);
    MESSAGE * 4 + name + parts(&message.parts) + object(&message.extra)
}

fn parts(parts: &[Part]) -> u64 {
    parts.iter().map(part).fold(0, u64::saturating_add)
}

fn part(part: &Part) -> u64 {
    match part {
        Part::Text(text) => quarters(&text.text),
        // The size of media in bytes says little about their tokens.
        Part::Image(_) => IMAGE * 4,
        Part::Audio(_) => AUDIO * 4,
        Part::File(file) => match &file.source {
            MediaSource::Text { text } => quarters(text),
            _ => FILE * 4,
        },
        Part::ToolCall(call) => MESSAGE * 4 + quarters(&call.name) + quarters(&call.arguments),
        Part::ToolResult(result) => MESSAGE * 4 + parts(&result.content),
        Part::Reasoning(reasoning) => quarters(&reasoning.text),
        Part::Refusal(refusal) => quarters(&refusal.text),
        Part::Other { value, .. } => json(value),
    }
}

fn json(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        // The quotes count half a token.
        Value::String(text) => 2 + quarters(text),
        Value::Array(items) => 2 + items.iter().map(json).fold(0, u64::saturating_add),
        Value::Object(fields) => 2 + object(fields),
    }
}

fn object(fields: &Extra) -> u64 {
    (fields.iter())
        .map(|(name, value)| 4 + quarters(name) + json(value))
        .fold(0, u64::saturating_add)
}

/// The estimate of a text in quarters of a token.
fn quarters(text: &str) -> u64 {
    // A lead byte tells the length of its character; continuation bytes count nothing.
    text.bytes()
        .map(|byte| match byte {
            0x00..=0x7f => 1,
            0x80..=0xbf => 0,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 4,
            0xf0..=0xff => 8,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::Tool;

    fn estimate(text: &str) -> u64 {
        estimate_tokens(&ChatRequest::new([Message::user(text)]).max_tokens(0)) - MESSAGE
    }

    #[test]
    fn text_of_many_scripts() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("Why is the sky blue?"), 5);
        assert_eq!(estimate("天空为什么是蓝色的？"), 10);
        assert_eq!(estimate("Почему небо голубое?"), 10);
        assert_eq!(estimate("🌍"), 2);
    }

    /// The cases are those of the npm package, too.
    #[test]
    fn every_case() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../cases/estimate.json")).unwrap();
        for case in cases {
            let messages: Vec<Message> = serde_json::from_value(case["messages"].clone()).unwrap();
            let mut request = ChatRequest::new(messages).max_tokens(0);
            for tool in case["tools"].as_array().unwrap() {
                let text = |name: &str| tool[name].as_str().unwrap();
                let tool = Tool::new(text("name"), tool["parameters"].clone())
                    .description(text("description"));
                request = request.tool(tool);
            }
            assert_eq!(json!(estimate_tokens(&request)), case["tokens"], "{case}");
        }
    }

    #[test]
    fn the_answer_counts_as_long_as_it_may_be() {
        let request = ChatRequest::new([Message::user("hi")]);
        assert_eq!(estimate_tokens(&request), 5 + ANSWER);
        assert_eq!(estimate_tokens(&request.max_tokens(1_000)), 5 + 1_000);
    }

    #[test]
    fn tools_images_and_results_count() {
        let plain = ChatRequest::new([Message::user("hi")]);
        let tool = Tool::new("weather", json!({"type": "object", "properties": {}}));
        assert!(estimate_tokens(&plain.clone().tool(tool)) >= estimate_tokens(&plain) + 10);
        let image = Message::user("hi").part(Part::image_url("https://example.com/a.png"));
        assert_eq!(
            estimate_tokens(&ChatRequest::new([image])),
            estimate_tokens(&plain) + IMAGE
        );
        let pdf = Part::file_base64("application/pdf", "A".repeat(1 << 20));
        let asked = |part: Part| ChatRequest::new([Message::user("hi").part(part)]);
        assert_eq!(estimate_tokens(&asked(pdf)), estimate_tokens(&plain) + FILE);
        let text = Part::file_text("x".repeat(400));
        assert_eq!(estimate_tokens(&asked(text)), estimate_tokens(&plain) + 100);
        let sound = Part::audio_base64("audio/wav", "A".repeat(1 << 20));
        assert_eq!(
            estimate_tokens(&asked(sound)),
            estimate_tokens(&plain) + AUDIO
        );
        let result = Message::tool_result("call_1", "x".repeat(400));
        assert!(estimate_tokens(&ChatRequest::new([result])) >= 100 + ANSWER);
    }
}

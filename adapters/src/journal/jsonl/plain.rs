//! Writes the body of an answer that is only text. It is what `OpenAiChatForm` writes, without a tree
//! of values in between and with the names in whole pieces, because nearly all answers of a batch are
//! such.

use chatcore::json::Writer;
use chatcore::{ChatResponse, FinishReason, Part, Usage};

/// The text of an answer, if it has no other parts.
pub(super) fn text(answer: &ChatResponse) -> Option<&str> {
    match answer.message.parts.as_slice() {
        [] => Some(""),
        [Part::Text(part)] => Some(&part.text),
        _ => None,
    }
}

/// Writes the members of the body, without the braces around them.
pub(super) fn members(to: &mut Writer, answer: &ChatResponse, text: &str, created: u64) {
    to.piece("\"id\":");
    to.string(&answer.id);
    to.piece(",\"object\":\"chat.completion\",\"created\":");
    to.count(created);
    to.piece(",\"model\":");
    to.string(&answer.model);
    to.piece(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    to.string(text);
    to.piece(",\"refusal\":null},\"logprobs\":");
    match answer.extra.get("logprobs") {
        Some(logprobs) => to.value(logprobs),
        None => to.null(),
    }
    to.piece(",\"finish_reason\":");
    match &answer.finish_reason {
        Some(FinishReason::Refusal | FinishReason::Pause) => to.string("stop"),
        Some(reason) => to.string(reason.as_str()),
        None => to.null(),
    }
    to.close('}');
    to.close(']');
    if let Some(usage) = &answer.usage {
        to.piece(",\"usage\":");
        write_usage(to, usage);
    }
    if let Some(fingerprint) = answer.extra.get("system_fingerprint") {
        to.key("system_fingerprint");
        to.value(fingerprint);
    }
}

fn write_usage(to: &mut Writer, usage: &Usage) {
    for (name, tokens) in [
        ("{\"prompt_tokens\":", usage.input_tokens),
        (",\"completion_tokens\":", usage.output_tokens),
        (",\"total_tokens\":", usage.total_tokens()),
    ] {
        to.piece(name);
        to.count(tokens);
    }
    for (details, name, tokens) in [
        (
            "prompt_tokens_details",
            "cached_tokens",
            usage.cache_read_tokens,
        ),
        (
            "completion_tokens_details",
            "reasoning_tokens",
            usage.reasoning_tokens,
        ),
    ] {
        if let Some(tokens) = tokens {
            to.key(details);
            to.open('{');
            to.key(name);
            to.count(tokens);
            to.close('}');
        }
    }
    to.close('}');
}

#[cfg(test)]
mod tests {
    use chatcore::Message;
    use chatcore::chat::Extra;
    use serde_json::{Value, json};

    use super::*;
    use crate::answers::openai_chat::OpenAiChatForm;
    use crate::answers::{Form, Frame};

    /// Both ways to write the body.
    fn both(answer: &ChatResponse) -> (String, String) {
        let mut writer = Writer::with_capacity(64);
        writer.open('{');
        members(&mut writer, answer, text(answer).unwrap(), 7);
        writer.close('}');
        let frame = Frame {
            created: 7,
            ..Frame::default()
        };
        let form = OpenAiChatForm.whole(answer, &frame);
        (writer.into_text(), form.to_string())
    }

    #[test]
    fn it_is_what_the_form_writes() {
        let mut usage = Usage::default();
        (usage.input_tokens, usage.output_tokens) = (12, 34);
        let mut detailed = usage.clone();
        (detailed.cache_read_tokens, detailed.reasoning_tokens) = (Some(5), Some(6));
        let extra = |value: Value| -> Extra { serde_json::from_value(value).unwrap() };
        let extras = [
            json!({}),
            json!({"system_fingerprint": "fp", "service_tier": "default"}),
            json!({"logprobs": {"content": [1, null]}}),
        ];
        let reasons = [
            "stop",
            "length",
            "tool_calls",
            "content_filter",
            "refusal",
            "pause",
            "eos",
        ];
        for text in ["", "hi", "\"quoted\"\n\u{1}ü😀"] {
            for usage in [None, Some(usage.clone()), Some(detailed.clone())] {
                for value in &extras {
                    for reason in [None].into_iter().chain(reasons.map(Some)) {
                        let mut answer = ChatResponse::default();
                        (answer.id, answer.model) = ("a".into(), "m".into());
                        if !text.is_empty() {
                            answer.message = Message::assistant(text);
                        }
                        answer.finish_reason =
                            reason.map(|reason| FinishReason::from(reason.to_owned()));
                        answer.usage = usage.clone();
                        answer.extra = extra(value.clone());
                        let (plain, form) = both(&answer);
                        assert_eq!(plain, form);
                    }
                }
            }
        }
    }

    #[test]
    fn other_parts_are_left_to_the_form() {
        let mut answer = ChatResponse::default();
        answer.message = Message::assistant("a");
        answer.message.parts.push(Part::text("b"));
        assert_eq!(text(&answer), None);
        answer.message.parts.truncate(1);
        assert_eq!(text(&answer), Some("a"));
    }
}

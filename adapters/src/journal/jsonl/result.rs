//! Writes a result as a line in OpenAI's Batch format.

use chatcore::journal::Outcome;
use chatcore::json::Writer;
use chatcore::{ChatResponse, Error, FinishReason, Part};
use serde_json::{Map, Value, json};

use super::plain;
use super::tag::Tag;
use crate::answers::openai_chat::OpenAiChatForm;
use crate::answers::{Form, Frame};

/// Appends the line of a result to `to`, including the line end. `created` is in seconds since
/// 1970.
pub(in crate::journal) fn write(to: &mut Vec<u8>, tag: Tag, outcome: &Outcome, created: u64) {
    tag.write(to);
    let mut writer = Writer::from(std::mem::take(to));
    writer.piece(",\"custom_id\":");
    writer.string(&outcome.id);
    writer.piece(",\"response\":");
    match &outcome.result {
        Ok(answer) => {
            response(&mut writer, answer, created);
            writer.piece(",\"error\":null}\n");
        }
        Err(error) => {
            refused(&mut writer, error);
            writer.piece(",\"error\":");
            failure(&mut writer, error);
            writer.piece("}\n");
        }
    }
    *to = writer.into_bytes();
}

fn response(to: &mut Writer, answer: &ChatResponse, created: u64) {
    to.piece("{\"status_code\":200,\"request_id\":");
    to.string(answer.request_id.as_deref().unwrap_or(""));
    to.piece(",\"body\":{");
    match plain::text(answer) {
        Some(text) => plain::members(to, answer, text, created),
        None => {
            let frame = Frame {
                created,
                ..Frame::default()
            };
            let body = OpenAiChatForm.whole(answer, &frame);
            for (name, value) in body.as_object().into_iter().flatten() {
                to.key(name);
                to.value(value);
            }
        }
    }
    let more = beyond_the_form(answer);
    if !more.is_empty() {
        to.key("chatcore");
        to.value(&Value::Object(more));
    }
    to.close('}');
    to.close('}');
}

/// The fields of an answer that OpenAI's form cannot hold, in the JSON form of [`ChatResponse`].
fn beyond_the_form(answer: &ChatResponse) -> Map<String, Value> {
    let mut more = Map::new();
    let message = &answer.message;
    if !message.extra.is_empty() || !is_in_the_form(&message.parts) {
        more.insert("message".into(), json!(message));
    }
    let has_place = |name: &str| matches!(name, "logprobs" | "system_fingerprint");
    let extra = answer.extra.iter().filter(|(name, _)| !has_place(name));
    let extra: Map<_, _> = extra.map(|(name, v)| (name.clone(), v.clone())).collect();
    if !extra.is_empty() {
        more.insert("extra".into(), extra.into());
    }
    if let Some(FinishReason::Refusal | FinishReason::Pause) = answer.finish_reason {
        more.insert("finish_reason".into(), json!(answer.finish_reason));
    }
    let usage = answer.usage.as_ref();
    if usage.is_some_and(|usage| usage.cache_write_tokens.is_some()) {
        more.insert("usage".into(), json!(usage));
    }
    more
}

/// Whether OpenAI's form can hold all these parts in their order: reasoning, then text, then a
/// refusal, then tool calls, none of them with extra fields.
fn is_in_the_form(parts: &[Part]) -> bool {
    let place = |part: &Part| match part {
        Part::Reasoning(part)
            if part.extra.is_empty() && part.signature.is_none() && part.encrypted.is_none() =>
        {
            Some(0)
        }
        Part::Text(part) if part.extra.is_empty() => Some(1),
        Part::Refusal(part) if part.extra.is_empty() => Some(2),
        Part::ToolCall(call) if call.extra.is_empty() => Some(3),
        _ => None,
    };
    let mut last = None;
    parts.iter().all(|part| {
        let place = place(part);
        // Several tool calls are allowed, but several texts would be merged into one.
        let is_next = place.is_some() && (last < place || (last == place && last == Some(3)));
        last = place;
        is_next
    })
}

/// The response to a request that the provider refused; null if there was no such response.
fn refused(to: &mut Writer, error: &Error) {
    let Some(status) = error.status().filter(|status| !status.is_success()) else {
        to.null();
        return;
    };
    to.open('{');
    to.key("status_code");
    to.count(status.as_u16().into());
    to.member("request_id", error.request_id().unwrap_or(""));
    to.key("body");
    to.open('{');
    to.key("error");
    to.open('{');
    to.member("message", error.message());
    for (name, value) in [
        ("type", error.error_type()),
        ("param", error.param()),
        ("code", error.code()),
    ] {
        to.key(name);
        match value {
            Some(value) => to.string(value),
            None => to.null(),
        }
    }
    to.close('}');
    to.close('}');
    to.close('}');
}

/// Writes OpenAI's `code` and `message`, and the whole error as `detail`.
fn failure(to: &mut Writer, error: &Error) {
    to.open('{');
    to.member("code", error.code().unwrap_or(error.kind().as_str()));
    to.member("message", &error.to_string());
    to.key("detail");
    match serde_json::to_string(error) {
        Ok(json) => to.raw(&json),
        Err(_) => to.null(),
    }
    to.close('}');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chatcore::chat::{Audio, Extra, Image, MediaSource, Reasoning, Text};
    use chatcore::{ChatEvent, ErrorKind, Fold, ToolCall, Usage};

    use super::*;

    fn line(result: Result<ChatResponse, Error>) -> Value {
        let outcome = Outcome {
            place: 3,
            id: "a\"b\n".to_owned(),
            tag: 0xab,
            result,
            took: Duration::ZERO,
        };
        let mut bytes = b"before".to_vec();
        write(&mut bytes, Tag::of(&outcome), &outcome, 17);
        let text = String::from_utf8(bytes).unwrap();
        let line = text.strip_prefix("before").unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        assert!(Tag::read(line.as_bytes()).is_some());
        serde_json::from_str(line).unwrap()
    }

    fn answer(events: impl IntoIterator<Item = ChatEvent>) -> ChatResponse {
        let mut fold = Fold::new();
        events.into_iter().for_each(|event| fold.push(event));
        fold.push(ChatEvent::Finish {
            reason: FinishReason::Stop,
            raw: "stop".into(),
        });
        fold.finish()
    }

    #[test]
    fn an_answer_is_openais_line() {
        let usage = ChatEvent::Usage(Usage::new(5, 2));
        let line = line(Ok(answer([ChatEvent::Text("hi".into()), usage])));
        assert_eq!(line["id"], "batch_req_3_00000000000000ab_5_2");
        assert_eq!(line["custom_id"], "a\"b\n");
        assert_eq!(line["error"], Value::Null);
        assert_eq!(line["response"]["status_code"], 200);
        let body = &line["response"]["body"];
        assert_eq!(
            (&body["object"], &body["created"]),
            (&json!("chat.completion"), &json!(17))
        );
        let choice = &body["choices"][0];
        assert_eq!(choice["message"]["content"], "hi");
        assert_eq!(choice["finish_reason"], "stop");
        assert_eq!(body["usage"]["total_tokens"], 7);
        assert!(body.get("chatcore").is_none());
    }

    #[test]
    fn tool_calls_have_no_content() {
        let line = line(Ok(answer([ChatEvent::part(ToolCall::new("c", "f", "{}"))])));
        let message = &line["response"]["body"]["choices"][0]["message"];
        assert_eq!(message["content"], Value::Null);
        assert_eq!(message["tool_calls"][0]["function"]["name"], "f");
    }

    #[test]
    fn what_openais_form_has_no_place_for_is_kept() {
        let extra = |name: &str| Extra::from_iter([(name.to_owned(), json!({"a": "b"}))]);
        let mut text = Text::new("hi");
        text.extra = extra("citations");
        let mut call = ToolCall::new("c", "f", "{}");
        call.extra = extra("gemini");
        let mut signed = Reasoning::new("why");
        signed.signature = Some("sig".into());
        let other = Part::Other {
            dialect: Some("anthropic".into()),
            value: json!({"type": "server_tool_use"}),
        };
        let source = || MediaSource::base64("image/png", "iVBORw0KGgo=");
        let parts: [Part; 7] = [
            text.into(),
            call.into(),
            signed.into(),
            Reasoning::encrypted("x").into(),
            other,
            Image::new(source()).into(),
            Audio::new(MediaSource::base64("audio/wav", "UklGRg==")).into(),
        ];
        for part in &parts {
            let whole = answer([ChatEvent::part(part.clone())]);
            let line = line(Ok(whole.clone()));
            let kept = &line["response"]["body"]["chatcore"]["message"];
            let back: chatcore::Message = serde_json::from_value(kept.clone()).unwrap();
            assert_eq!(back, whole.message);
        }
        // Parts in the form's order, and in another order.
        let plain = [
            Reasoning::new("r").into(),
            Part::text("a"),
            ToolCall::new("c", "f", "{}").into(),
            ToolCall::new("d", "f", "{}").into(),
        ];
        assert!(is_in_the_form(&plain));
        assert!(!is_in_the_form(&[plain[1].clone(), plain[1].clone()]));
        assert!(!is_in_the_form(&[plain[2].clone(), plain[1].clone()]));

        let mut whole = answer([ChatEvent::Text("hi".into())]);
        whole.extra = extra("grounding");
        whole.extra.extend(extra("system_fingerprint"));
        whole.finish_reason = Some(FinishReason::Pause);
        let mut usage = Usage::new(5, 2);
        usage.cache_write_tokens = Some(3);
        whole.usage = Some(usage);
        let body = line(Ok(whole))["response"]["body"].take();
        assert_eq!(body["system_fingerprint"], json!({"a": "b"}));
        let kept = &body["chatcore"];
        assert_eq!(kept["extra"], json!({"grounding": {"a": "b"}}));
        assert_eq!(kept["finish_reason"], json!(FinishReason::Pause));
        assert_eq!(kept["usage"]["cache_write_tokens"], 3);
    }

    #[test]
    fn an_error_is_openais_line_with_all_of_it() {
        let error = Error::new(ErrorKind::BadRequest, "no")
            .with_status(http::StatusCode::BAD_REQUEST)
            .with_code(Some("bad".into()));
        let line = line(Err(error.clone()));
        assert_eq!(line["response"]["status_code"], 400);
        assert_eq!(line["response"]["body"]["error"]["code"], "bad");
        assert_eq!(line["error"]["code"], "bad");
        let back: Error = serde_json::from_value(line["error"]["detail"].clone()).unwrap();
        assert_eq!(back.to_string(), error.to_string());
        let lost = super::tests::line(Err(Error::new(ErrorKind::Connection, "lost")));
        assert_eq!(lost["response"], Value::Null);
        assert_eq!(lost["error"]["code"], "connection");
    }
}

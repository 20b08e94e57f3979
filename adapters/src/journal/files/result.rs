//! A result → its line, as OpenAI's Batch API writes it.

use chatcore::journal::Outcome;
use chatcore::json::Writer;
use chatcore::{ChatResponse, Error, FinishReason, Usage};

use super::tag::Tag;

/// Adds the line of a result to `to`, its line end included. `created` is in seconds since 1970.
pub(super) fn write(to: &mut Vec<u8>, outcome: &Outcome, created: u64) {
    let usage = outcome.result.as_ref().ok();
    let usage = usage.and_then(|answer| answer.usage.as_ref());
    let tag = Tag {
        place: outcome.place,
        digest: outcome.tag,
        input_tokens: usage.map_or(0, |usage| usage.input_tokens),
        output_tokens: usage.map_or(0, |usage| usage.output_tokens),
    };
    tag.write(to);
    to.extend_from_slice(b",\"custom_id\":");
    let mut writer = Writer::with_capacity(512);
    writer.string(&outcome.id);
    writer_raw(to, writer);
    let mut writer = Writer::with_capacity(512);
    match &outcome.result {
        Ok(answer) => {
            to.extend_from_slice(b",\"response\":");
            response(&mut writer, answer, created);
            writer_raw(to, writer);
            to.extend_from_slice(b",\"error\":null}\n");
        }
        Err(error) => {
            to.extend_from_slice(b",\"response\":");
            refused(&mut writer, error);
            writer_raw(to, writer);
            to.extend_from_slice(b",\"error\":");
            let mut writer = Writer::with_capacity(512);
            failure(&mut writer, error);
            writer_raw(to, writer);
            to.extend_from_slice(b"}\n");
        }
    }
}

fn writer_raw(to: &mut Vec<u8>, writer: Writer) {
    to.extend_from_slice(&writer.into_bytes());
}

fn response(to: &mut Writer, answer: &ChatResponse, created: u64) {
    to.open('{');
    to.key("status_code");
    to.count(200);
    to.member("request_id", answer.request_id.as_deref().unwrap_or(""));
    to.key("body");
    to.open('{');
    to.member("id", &answer.id);
    to.member("object", "chat.completion");
    to.key("created");
    to.count(created);
    to.member("model", &answer.model);
    to.key("choices");
    to.open('[');
    to.open('{');
    to.key("index");
    to.count(0);
    to.key("message");
    message(to, answer);
    to.key("logprobs");
    match answer.extra.get("logprobs") {
        Some(logprobs) => to.value(logprobs),
        None => to.null(),
    }
    to.key("finish_reason");
    match &answer.finish_reason {
        Some(reason) => to.string(finish_reason(reason)),
        None => to.null(),
    }
    to.close('}');
    to.close(']');
    if let Some(cost) = &answer.usage {
        to.key("usage");
        usage(to, cost);
    }
    to.close('}');
    to.close('}');
}

/// OpenAI has no word for a refusal and for a pause: its clients take neither.
fn finish_reason(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::Refusal | FinishReason::Pause => "stop",
        reason => reason.as_str(),
    }
}

fn message(to: &mut Writer, answer: &ChatResponse) {
    let text = answer.text();
    let refusal = answer.refusal();
    let mut calls = answer.tool_calls().peekable();
    to.open('{');
    to.member("role", "assistant");
    to.key("content");
    match text.is_empty() && (refusal.is_some() || calls.peek().is_some()) {
        true => to.null(),
        false => to.string(&text),
    }
    to.key("refusal");
    match refusal {
        Some(refusal) => to.string(refusal),
        None => to.null(),
    }
    let reasoning = answer.reasoning();
    if !reasoning.is_empty() {
        to.member("reasoning_content", &reasoning);
    }
    if calls.peek().is_some() {
        to.key("tool_calls");
        to.open('[');
        for call in calls {
            to.open('{');
            to.member("id", &call.id);
            to.member("type", "function");
            to.key("function");
            to.open('{');
            to.member("name", &call.name);
            to.member("arguments", &call.arguments);
            to.close('}');
            to.close('}');
        }
        to.close(']');
    }
    to.close('}');
}

fn usage(to: &mut Writer, usage: &Usage) {
    to.open('{');
    for (name, count) in [
        ("prompt_tokens", usage.input_tokens),
        ("completion_tokens", usage.output_tokens),
        ("total_tokens", usage.total_tokens()),
    ] {
        to.key(name);
        to.count(count);
    }
    for (details, name, count) in [
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
        if let Some(count) = count {
            to.key(details);
            to.open('{');
            to.key(name);
            to.count(count);
            to.close('}');
        }
    }
    to.close('}');
}

/// The response of a request that the provider refused; null where there was none.
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

/// OpenAI's `code` and `message`, and the whole error as `detail`.
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

    use chatcore::{ChatEvent, ErrorKind, Fold, ToolCall};
    use serde_json::{Value, json};

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
        write(&mut bytes, &outcome, 17);
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
    }

    #[test]
    fn tool_calls_have_no_content() {
        let line = line(Ok(answer([ChatEvent::part(ToolCall::new("c", "f", "{}"))])));
        let message = &line["response"]["body"]["choices"][0]["message"];
        assert_eq!(message["content"], Value::Null);
        assert_eq!(message["tool_calls"][0]["function"]["name"], "f");
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

//! Writes events and answers as JSON, in the form that `wasm/ts/border/response.ts` reads.

use chatcore::chat::{Extra, MediaSource};
use chatcore::json::Writer;
use chatcore::{ChatEvent, ChatResponse, Message, Part, Role, Status, Usage};

/// An event of the core.
pub(crate) fn event(w: &mut Writer, event: &ChatEvent) {
    w.open('{');
    match event {
        ChatEvent::Start { id, model } => {
            w.member("type", "start");
            optional(w, "id", id.as_deref());
            optional(w, "model", model.as_deref());
        }
        ChatEvent::Text(text) => prose(w, "text", "text", text),
        ChatEvent::Reasoning(text) => prose(w, "reasoning", "text", text),
        ChatEvent::ReasoningSignature(text) => prose(w, "reasoning_signature", "signature", text),
        ChatEvent::Refusal(text) => prose(w, "refusal", "text", text),
        ChatEvent::ToolCallStart { index, id, name } => {
            of_call(w, "tool_call_start", *index);
            w.member("id", id);
            w.member("name", name);
        }
        ChatEvent::ToolCallArguments { index, fragment } => {
            of_call(w, "tool_call_arguments", *index);
            w.member("fragment", fragment);
        }
        ChatEvent::ToolCallExtra { index, extra } => {
            of_call(w, "tool_call_extra", *index);
            w.key("extra");
            w.members(extra);
        }
        ChatEvent::Part(value) => {
            w.member("type", "part");
            w.key("part");
            part(w, value);
        }
        ChatEvent::PartEnd => w.member("type", "part_end"),
        ChatEvent::PartExtra(extra) => beside(w, "part_extra", extra),
        ChatEvent::MessageExtra(extra) => beside(w, "message_extra", extra),
        ChatEvent::Extra(extra) => beside(w, "extra", extra),
        ChatEvent::Usage(value) => {
            w.member("type", "usage");
            w.key("usage");
            usage(w, value);
        }
        ChatEvent::Finish { reason, raw } => {
            w.member("type", "finish");
            w.member("reason", reason.as_str());
            w.member("raw", raw);
        }
        // There are no other kinds: the test `golden` checks this against `ChatEvent::KINDS`.
        _ => w.member("type", "unknown"),
    }
    w.close('}');
}

fn prose(w: &mut Writer, kind: &str, name: &str, text: &str) {
    w.member("type", kind);
    w.member(name, text);
}

fn of_call(w: &mut Writer, kind: &str, index: usize) {
    w.member("type", kind);
    w.key("index");
    w.count(index as u64);
}

fn beside(w: &mut Writer, kind: &str, extra: &Extra) {
    w.member("type", kind);
    w.key("extra");
    w.members(extra);
}

/// Written after the last event: the whole answer, folded from all events.
pub(crate) fn folded(w: &mut Writer, answer: &ChatResponse) {
    w.open('{');
    w.member("type", "response");
    w.key("response");
    response(w, answer);
    w.close('}');
}

/// A whole answer. It is an array, because JavaScript would parse an object's names for each
/// answer.
pub(crate) fn response(w: &mut Writer, answer: &ChatResponse) {
    w.open('[');
    w.string(&answer.id);
    w.string(&answer.model);
    message(w, &answer.message);
    string_or_null(
        w,
        answer.finish_reason.as_ref().map(|reason| reason.as_str()),
    );
    w.string(&answer.finish_reason_raw);
    match &answer.usage {
        Some(value) => usage(w, value),
        None => w.null(),
    }
    string_or_null(w, answer.request_id.as_deref());
    w.count(answer.attempts.into());
    w.count(answer.skipped_events.into());
    if !answer.extra.is_empty() {
        w.members(&answer.extra);
    }
    w.close(']');
}

/// A message of the assistant. A message that consists of one text is a string.
fn message(w: &mut Writer, message: &Message) {
    let text = match &*message.parts {
        [Part::Text(text)] if text.extra.is_empty() => Some(&text.text),
        _ => None,
    };
    let has_more = message.name.is_some() || !message.extra.is_empty();
    if let (Some(text), Role::Assistant, false) = (text, &message.role, has_more) {
        w.string(text);
        return;
    }
    whole_message(w, message);
}

/// A message of any role, as an object.
pub(crate) fn whole_message(w: &mut Writer, message: &Message) {
    w.open('{');
    w.member("role", message.role.as_str());
    w.key("content");
    match &*message.parts {
        [Part::Text(text)] if text.extra.is_empty() => w.string(&text.text),
        parts => list(w, parts),
    }
    if let Some(name) = &message.name {
        w.member("name", name);
    }
    extra(w, &message.extra);
    w.close('}');
}

fn list(w: &mut Writer, parts: &[Part]) {
    w.open('[');
    for value in parts {
        part(w, value);
    }
    w.close(']');
}

fn part(w: &mut Writer, value: &Part) {
    w.open('{');
    match value {
        Part::Text(text) => {
            prose(w, "text", "text", &text.text);
            extra(w, &text.extra);
        }
        Part::Image(image) => {
            w.member("type", "image");
            source(w, &image.source);
            if let Some(detail) = &image.detail {
                w.member("detail", detail);
            }
            extra(w, &image.extra);
        }
        Part::File(file) => {
            w.member("type", "file");
            source(w, &file.source);
            if let Some(name) = &file.name {
                w.member("name", name);
            }
            extra(w, &file.extra);
        }
        Part::Audio(audio) => {
            w.member("type", "audio");
            source(w, &audio.source);
            if let Some(transcript) = &audio.transcript {
                w.member("transcript", transcript);
            }
            extra(w, &audio.extra);
        }
        Part::ToolCall(call) => {
            prose(w, "tool_call", "id", &call.id);
            w.member("name", &call.name);
            w.member("arguments", &call.arguments);
            extra(w, &call.extra);
        }
        Part::ToolResult(result) => {
            prose(w, "tool_result", "call_id", &result.call_id);
            w.key("content");
            list(w, &result.content);
            w.key("is_error");
            w.boolean(result.is_error);
            extra(w, &result.extra);
        }
        Part::Reasoning(reasoning) => {
            prose(w, "reasoning", "text", &reasoning.text);
            if let Some(signature) = &reasoning.signature {
                w.member("signature", signature);
            }
            if let Some(encrypted) = &reasoning.encrypted {
                w.member("encrypted", encrypted);
            }
            extra(w, &reasoning.extra);
        }
        Part::Refusal(refusal) => {
            prose(w, "refusal", "text", &refusal.text);
            extra(w, &refusal.extra);
        }
        Part::Other { dialect, value } => {
            w.member("type", "other");
            if let Some(dialect) = dialect {
                w.member("dialect", dialect);
            }
            w.key("value");
            w.value(value);
        }
        _ => w.member("type", "unknown"),
    }
    w.close('}');
}

/// The source of an image, a file or an audio.
fn source(w: &mut Writer, source: &MediaSource) {
    w.key("source");
    w.open('{');
    match source {
        MediaSource::Url { url, media_type } => {
            prose(w, "url", "url", url);
            if let Some(media_type) = media_type {
                w.member("media_type", media_type);
            }
        }
        MediaSource::Base64 { media_type, data } => {
            prose(w, "base64", "media_type", media_type);
            w.member("data", data);
        }
        MediaSource::File {
            file_id,
            media_type,
        } => {
            prose(w, "file", "file_id", file_id);
            if let Some(media_type) = media_type {
                w.member("media_type", media_type);
            }
        }
        MediaSource::Text { text } => prose(w, "text", "text", text),
        // The test `golden` checks this against `MediaSource::KINDS`.
        _ => w.member("type", "unknown"),
    }
    w.close('}');
}

pub(crate) fn usage(w: &mut Writer, usage: &Usage) {
    w.open('[');
    w.count(usage.input_tokens);
    w.count(usage.output_tokens);
    w.string(&usage.raw_json);
    for tokens in [
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    ] {
        match tokens {
            Some(tokens) => w.count(tokens),
            None => w.null(),
        }
    }
    w.close(']');
}

/// The status, with JavaScript's names, because it is passed to the user unchanged.
pub(crate) fn status(status: &Status) -> String {
    let mut w = Writer::default();
    w.open('{');
    for (name, count) in [
        ("maxWorkers", status.max_workers as u64),
        ("limit", status.limit as u64),
        ("active", status.active as u64),
        ("queued", status.queued as u64),
        ("queueSize", status.queue_size as u64),
        ("started", status.started),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("cancelled", status.cancelled),
        ("retried", status.retried),
    ] {
        number(&mut w, name, Some(count));
    }
    w.key("closed");
    w.boolean(status.closed);
    w.close('}');
    w.into_text()
}

/// A member that is a number, if it exists.
pub(crate) fn number(w: &mut Writer, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        w.key(name);
        w.count(number);
    }
}

/// A member that is a string, or null.
fn optional(w: &mut Writer, name: &str, text: Option<&str>) {
    w.key(name);
    string_or_null(w, text);
}

fn string_or_null(w: &mut Writer, text: Option<&str>) {
    match text {
        Some(text) => w.string(text),
        None => w.null(),
    }
}

fn extra(w: &mut Writer, extra: &Extra) {
    if !extra.is_empty() {
        w.key("extra");
        w.members(extra);
    }
}

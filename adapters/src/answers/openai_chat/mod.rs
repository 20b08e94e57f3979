//! OpenAI's chat completions.

mod chunks;
mod whole;

use chatcore::chat::Extra;
use chatcore::{ChatResponse, FinishReason, Usage};
use serde_json::{Value, json};

use self::chunks::Chunks;
use super::{Events, Form, Frame, Refusal};

/// The form of OpenAI's chat completions.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiChatForm;

impl Form for OpenAiChatForm {
    fn dialect(&self) -> &'static str {
        "openai_chat"
    }

    fn path(&self) -> &'static str {
        "/chat/completions"
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn whole(&self, answer: &ChatResponse, frame: &Frame) -> Value {
        whole::write(answer, frame)
    }

    fn stream(&self, frame: Frame) -> Box<dyn Events> {
        Box::new(Chunks::new(frame))
    }

    fn refuse(&self, refusal: &Refusal) -> Value {
        refuse(refusal)
    }
}

/// The body of an error. Both of OpenAI's forms use it.
pub(super) fn refuse(refusal: &Refusal) -> Value {
    let kind = match refusal.status {
        401 | 403 => "authentication_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    };
    json!({"error": {
        "message": refusal.message,
        "type": refusal.kind.as_deref().unwrap_or(kind),
        "param": refusal.param,
        "code": refusal.code,
    }})
}

/// Why an answer ended, in OpenAI's words.
fn finish_reason<'a>(reason: &'a FinishReason, frame: &'a Frame) -> &'a str {
    match (&frame.finish, reason) {
        (Some(own), _) => own,
        (None, FinishReason::Refusal | FinishReason::Pause) => "stop",
        (None, other) => other.as_str(),
    }
}

/// The fields of a tool call as they appear in OpenAI's form. Fields of another dialect stay under
/// that dialect's name, and return under it. The ids of Responses are left out: a call with them
/// needs its reasoning item, and this protocol has no place for that.
fn own_members(mut extra: Extra) -> Extra {
    extra.remove("openai_responses");
    if let Some(Value::Object(own)) = extra.remove("openai_chat") {
        extra.extend(own);
    }
    extra
}

/// The usage in OpenAI's fields.
fn usage(usage: &Usage) -> Value {
    let mut told = json!({
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens(),
    });
    if let Some(cached) = usage.cache_read_tokens {
        told["prompt_tokens_details"] = json!({"cached_tokens": cached});
    }
    if let Some(thought) = usage.reasoning_tokens {
        told["completion_tokens_details"] = json!({"reasoning_tokens": thought});
    }
    told
}

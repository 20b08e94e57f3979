//! Answers in the form of the endpoint, whole and streamed, with what goes wrong within them.

use chatcore::{ChatEvent, FinishReason, Fold, Part, Usage};
use chatcore_adapters::answers::anthropic::AnthropicForm;
use chatcore_adapters::answers::openai_chat::OpenAiChatForm;
use chatcore_adapters::answers::openai_responses::OpenAiResponsesForm;
use chatcore_adapters::answers::{Form, Frame, Refusal};
use serde_json::json;

use super::{Answer, Question};
use crate::server::plan::{Endpoint, Plan};

/// The form of what an endpoint answers; OpenAI's for endpoints that have none.
pub(crate) fn form_of(endpoint: &Endpoint) -> &'static dyn Form {
    match endpoint {
        Endpoint::Anthropic => &AnthropicForm,
        Endpoint::OpenAiResponses => &OpenAiResponsesForm,
        _ => &OpenAiChatForm,
    }
}

fn frame(question: &Question, plan: &Plan) -> Frame {
    let prefix = match plan.endpoint {
        Endpoint::Anthropic => "msg_",
        Endpoint::OpenAiResponses => "resp_",
        _ => "chatcmpl-",
    };
    let mut frame = Frame::new(format!("{prefix}{}", question.number), &*question.model);
    frame.created = 1_790_000_000;
    frame.include_usage = question.stream_usage && !plan.no_usage;
    frame.finish = plan.finish.clone();
    frame
}

fn usage(answer: &Answer) -> ChatEvent {
    let mut usage = Usage::default();
    usage.input_tokens = answer.prompt_tokens as u64;
    usage.output_tokens = answer.answer_tokens as u64;
    usage.reasoning_tokens = Some(answer.thought_tokens as u64).filter(|thought| *thought > 0);
    ChatEvent::Usage(usage)
}

/// What comes before the text.
fn beginning(question: &Question, answer: &Answer, plan: &Plan) -> Vec<ChatEvent> {
    let told = (!plan.no_usage).then(|| usage(answer));
    let mut events: Vec<_> = told.into_iter().collect();
    if plan.endpoint == Endpoint::OpenAiResponses && answer.thought_tokens > 0 {
        let number = question.number;
        let value = json!({"id": format!("rs_{number}"), "type": "reasoning", "summary": [],
            "encrypted_content": format!("gAAA{number}")});
        events.push(ChatEvent::part(Part::Other {
            dialect: Some("openai_responses".into()),
            value,
        }));
    }
    events.extend(answer.thoughts().into_iter().map(ChatEvent::Reasoning));
    events
}

fn end(answer: &Answer) -> ChatEvent {
    let reason = match answer.is_cut {
        true => FinishReason::Length,
        false => FinishReason::Stop,
    };
    let raw = reason.as_str().to_owned();
    ChatEvent::Finish { reason, raw }
}

pub(crate) fn whole(question: &Question, plan: &Plan) -> Vec<u8> {
    let answer = question.answer(plan);
    let mut fold = Fold::new();
    for event in beginning(question, &answer, plan) {
        fold.push(event);
    }
    fold.push(ChatEvent::Text(answer.pieces().collect()));
    fold.push(end(&answer));
    let form = form_of(&plan.endpoint);
    let whole = form.whole(&fold.finish(), &frame(question, plan));
    whole.to_string().into_bytes()
}

/// Every event on its own.
pub(crate) fn events(question: &Question, plan: &Plan) -> Vec<Vec<u8>> {
    let answer = question.answer(plan);
    let mut writer = form_of(&plan.endpoint).stream(frame(question, plan));
    let mut events = Vec::new();
    for event in beginning(question, &answer, plan) {
        push(&mut events, &writer.write(&event));
    }
    let opening = ChatEvent::Text(String::new());
    push(&mut events, &writer.write(&opening));
    for (n, piece) in answer.pieces().enumerate() {
        if plan.error_event == Some(n) {
            push(&mut events, &writer.fail(&failure(plan)));
            return events;
        }
        if plan.garbage_event == Some(n) {
            events.push(b"data: {\"delta\":\n\n".to_vec());
        }
        push(&mut events, &writer.write(&ChatEvent::Text(piece)));
    }
    if !plan.no_terminal {
        push(&mut events, &writer.write(&end(&answer)));
    }
    events
}

/// The error within a stream.
fn failure(plan: &Plan) -> Refusal {
    let (code, message) = match plan.endpoint {
        Endpoint::Anthropic => ("overloaded_error", "Overloaded"),
        _ => (
            "server_error",
            "The server had an error while processing your request.",
        ),
    };
    let code = plan.error_code.as_deref().unwrap_or(code).to_owned();
    let mut refusal = Refusal::new(500, message);
    refusal.kind = Some(code.clone());
    refusal.code = (plan.endpoint != Endpoint::Anthropic).then_some(code);
    refusal
}

/// Adds what was written, cut into events.
fn push(events: &mut Vec<Vec<u8>>, written: &[u8]) {
    let mut start = 0;
    for end in memchr::memmem::find_iter(written, b"\n\n") {
        events.push(written[start..end + 2].to_vec());
        start = end + 2;
    }
}

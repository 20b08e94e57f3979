//! Anthropic's messages, whole and streamed.

use super::{Answer, Question, json};
use crate::server::plan::Plan;

pub(crate) fn whole(question: &Question, plan: &Plan) -> Vec<u8> {
    let answer = question.answer(plan);
    let usage = if plan.no_usage {
        String::new()
    } else {
        let (input, output) = (answer.prompt_tokens, answer.answer_tokens);
        format!(",\"usage\":{{\"input_tokens\":{input},\"output_tokens\":{output}}}")
    };
    format!(
        "{{\"id\":\"msg_{}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":{},\
         \"content\":[{{\"type\":\"text\",\"text\":{}}}],\"stop_reason\":{},\
         \"stop_sequence\":null{usage}}}",
        question.number,
        json(&question.model),
        answer.json(),
        json(finish(&answer, plan)),
    )
    .into_bytes()
}

pub(crate) fn events(question: &Question, plan: &Plan) -> Vec<Vec<u8>> {
    let answer = question.answer(plan);
    let (input, output) = (answer.prompt_tokens, answer.answer_tokens);
    let mut events = vec![
        event(
            "message_start",
            &format!(
                "\"message\":{{\"id\":\"msg_{}\",\"type\":\"message\",\"role\":\"assistant\",\
                 \"model\":{},\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\
                 \"usage\":{{\"input_tokens\":{input},\"output_tokens\":1}}}}",
                question.number,
                json(&question.model),
            ),
        ),
        event(
            "content_block_start",
            "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}",
        ),
    ];
    for (n, piece) in answer.pieces().enumerate() {
        if plan.error_event == Some(n) {
            events.push(error(plan));
            return events;
        }
        if plan.garbage_event == Some(n) {
            events.push(b"event: content_block_delta\ndata: {\"type\":\n\n".to_vec());
        }
        events.push(event(
            "content_block_delta",
            &format!("\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":{piece}}}"),
        ));
    }
    if !plan.no_terminal {
        events.push(event("content_block_stop", "\"index\":0"));
        let finish = json(finish(&answer, plan));
        let usage = if plan.no_usage {
            String::new()
        } else {
            format!(",\"usage\":{{\"output_tokens\":{output}}}")
        };
        events.push(event(
            "message_delta",
            &format!("\"delta\":{{\"stop_reason\":{finish},\"stop_sequence\":null}}{usage}"),
        ));
        events.push(b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_vec());
    }
    events
}

fn finish<'a>(answer: &Answer, plan: &'a Plan) -> &'a str {
    let usual = if answer.is_cut {
        "max_tokens"
    } else {
        "end_turn"
    };
    plan.finish.as_deref().unwrap_or(usual)
}

fn event(name: &str, fields: &str) -> Vec<u8> {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{fields}}}\n\n").into_bytes()
}

fn error(plan: &Plan) -> Vec<u8> {
    let code = json(plan.error_code.as_deref().unwrap_or("overloaded_error"));
    event(
        "error",
        &format!("\"error\":{{\"type\":{code},\"message\":\"Overloaded\"}}"),
    )
}

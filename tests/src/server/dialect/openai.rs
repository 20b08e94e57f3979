//! Chat completions, whole and streamed.

use super::{Question, json};
use crate::server::plan::Plan;

const CREATED: u64 = 1_790_000_000;

pub(crate) fn whole(question: &Question, plan: &Plan) -> Vec<u8> {
    let answer = question.answer(plan);
    let usage = if plan.no_usage {
        String::new()
    } else {
        format!(
            ",\"usage\":{}",
            usage(answer.prompt_tokens, answer.answer_tokens)
        )
    };
    format!(
        "{{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion\",\"created\":{CREATED},\
         \"model\":{},\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\
         \"content\":{}}},\"logprobs\":null,\"finish_reason\":{}}}]{usage}}}",
        question.number,
        json(&question.model),
        answer.json(),
        json(plan.finish.as_deref().unwrap_or("stop")),
    )
    .into_bytes()
}

pub(crate) fn events(question: &Question, plan: &Plan) -> Vec<Vec<u8>> {
    let answer = question.answer(plan);
    let start = format!(
        "data: {{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion.chunk\",\
         \"created\":{CREATED},\"model\":{},\"choices\":[",
        question.number,
        json(&question.model)
    );
    let chunk = |delta: &str, finish: &str| {
        format!(
            "{start}{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]}}\n\n"
        )
        .into_bytes()
    };
    let mut events = vec![chunk("{\"role\":\"assistant\",\"content\":\"\"}", "null")];
    for (n, piece) in answer.pieces().enumerate() {
        if plan.error_event == Some(n) {
            events.push(error(plan));
            return events;
        }
        if plan.garbage_event == Some(n) {
            events.push(b"data: {\"choices\":[{\"delta\":\n\n".to_vec());
        }
        events.push(chunk(&format!("{{\"content\":{piece}}}"), "null"));
    }
    if !plan.no_terminal {
        let finish = json(plan.finish.as_deref().unwrap_or("stop"));
        events.push(chunk("{}", &finish));
        if question.stream_usage && !plan.no_usage {
            let usage = usage(answer.prompt_tokens, answer.answer_tokens);
            events.push(format!("{start}],\"usage\":{usage}}}\n\n").into_bytes());
        }
        events.push(b"data: [DONE]\n\n".to_vec());
    }
    events
}

fn usage(prompt: usize, answer: usize) -> String {
    let total = prompt + answer;
    format!(
        "{{\"prompt_tokens\":{prompt},\"completion_tokens\":{answer},\"total_tokens\":{total}}}"
    )
}

fn error(plan: &Plan) -> Vec<u8> {
    let code = json(plan.error_code.as_deref().unwrap_or("server_error"));
    format!(
        "data: {{\"error\":{{\"message\":\"The server had an error while processing your \
         request.\",\"type\":{code},\"param\":null,\"code\":{code}}}}}\n\n"
    )
    .into_bytes()
}

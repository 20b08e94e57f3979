//! Chat completions, whole and streamed.

use super::{Answer, Question, json};
use crate::server::plan::Plan;

const CREATED: u64 = 1_790_000_000;

pub(crate) fn whole(question: &Question, plan: &Plan) -> Vec<u8> {
    let answer = question.answer(plan);
    let usage = if plan.no_usage {
        String::new()
    } else {
        format!(",\"usage\":{}", usage(&answer))
    };
    let thoughts = answer.thoughts().concat();
    let reasoning = match thoughts.is_empty() {
        true => String::new(),
        false => format!("\"reasoning_content\":{},", json(&thoughts)),
    };
    format!(
        "{{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion\",\"created\":{CREATED},\
         \"model\":{},\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\
         {reasoning}\"content\":{}}},\"logprobs\":null,\"finish_reason\":{}}}]{usage}}}",
        question.number,
        json(&question.model),
        answer.json(),
        json(finish(&answer, plan)),
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
    for thought in answer.thoughts() {
        let thought = json(&thought);
        events.push(chunk(
            &format!("{{\"reasoning_content\":{thought}}}"),
            "null",
        ));
    }
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
        events.push(chunk("{}", &json(finish(&answer, plan))));
        if question.stream_usage && !plan.no_usage {
            let usage = usage(&answer);
            events.push(format!("{start}],\"usage\":{usage}}}\n\n").into_bytes());
        }
        events.push(b"data: [DONE]\n\n".to_vec());
    }
    events
}

fn finish<'a>(answer: &Answer, plan: &'a Plan) -> &'a str {
    let usual = if answer.is_cut { "length" } else { "stop" };
    plan.finish.as_deref().unwrap_or(usual)
}

fn usage(answer: &Answer) -> String {
    let (prompt, said) = (answer.prompt_tokens, answer.answer_tokens);
    let details = match answer.thought_tokens {
        0 => String::new(),
        thought => {
            format!(",\"completion_tokens_details\":{{\"reasoning_tokens\":{thought}}}")
        }
    };
    format!(
        "{{\"prompt_tokens\":{prompt},\"completion_tokens\":{said},\"total_tokens\":{}{details}}}",
        prompt + said
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

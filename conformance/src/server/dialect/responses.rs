//! OpenAI's Responses, whole and streamed.

use super::{Answer, Question, json};
use crate::server::plan::Plan;

const CREATED: u64 = 1_790_000_000;

pub(crate) fn whole(question: &Question, plan: &Plan) -> Vec<u8> {
    let answer = question.answer(plan);
    response(question, &answer, plan).into_bytes()
}

pub(crate) fn events(question: &Question, plan: &Plan) -> Vec<Vec<u8>> {
    let answer = question.answer(plan);
    let id = question.number;
    let begun = format!(
        "\"response\":{{\"id\":\"resp_{id}\",\"object\":\"response\",\"created_at\":{CREATED},\
         \"status\":\"in_progress\",\"error\":null,\"model\":{},\"output\":[]}}",
        json(&question.model)
    );
    let mut events = vec![
        event("response.created", &begun),
        event("response.in_progress", &begun),
    ];
    if answer.thought_tokens > 0 {
        let at = "\"output_index\":0";
        let item = reasoning(id);
        events.push(event(
            "response.output_item.added",
            &format!("{at},\"item\":{item}"),
        ));
        events.push(event(
            "response.output_item.done",
            &format!("{at},\"item\":{item}"),
        ));
    }
    let at = format!(
        "\"output_index\":{},\"item_id\":\"msg_{id}\"",
        usize::from(answer.thought_tokens > 0)
    );
    let begun = format!(
        "{at},\"item\":{{\"id\":\"msg_{id}\",\"type\":\"message\",\"status\":\"in_progress\",\
         \"content\":[],\"role\":\"assistant\"}}"
    );
    events.push(event("response.output_item.added", &begun));
    let at = format!("{at},\"content_index\":0");
    let part = |text: &str| {
        format!("{at},\"part\":{{\"type\":\"output_text\",\"annotations\":[],\"text\":{text}}}")
    };
    events.push(event("response.content_part.added", &part("\"\"")));
    for (n, piece) in answer.pieces().enumerate() {
        if plan.error_event == Some(n) {
            events.push(error(plan));
            return events;
        }
        if plan.garbage_event == Some(n) {
            let garbage = "event: response.output_text.delta\ndata: {\"delta\":\n\n";
            events.push(garbage.as_bytes().to_vec());
        }
        let delta = format!("{at},\"delta\":{piece},\"logprobs\":[],\"obfuscation\":\"x\"");
        events.push(event("response.output_text.delta", &delta));
    }
    if !plan.no_terminal {
        let text = answer.json();
        events.push(event(
            "response.output_text.done",
            &format!("{at},\"text\":{text}"),
        ));
        events.push(event("response.content_part.done", &part(&text)));
        let item = message(id, &answer);
        events.push(event(
            "response.output_item.done",
            &format!("{at},\"item\":{item}"),
        ));
        let kind = match reason(&answer, plan) {
            Some(_) => "response.incomplete",
            None => "response.completed",
        };
        let response = response(question, &answer, plan);
        events.push(event(kind, &format!("\"response\":{response}")));
    }
    events
}

/// A finished response.
fn response(question: &Question, answer: &Answer, plan: &Plan) -> String {
    let id = question.number;
    let usage = match plan.no_usage {
        true => "null".to_owned(),
        false => usage(answer),
    };
    let (status, details) = match reason(answer, plan) {
        Some(reason) => ("incomplete", format!("{{\"reason\":{}}}", json(reason))),
        None => ("completed", "null".to_owned()),
    };
    let thought = match answer.thought_tokens {
        0 => String::new(),
        _ => reasoning(id) + ",",
    };
    format!(
        "{{\"id\":\"resp_{id}\",\"object\":\"response\",\"created_at\":{CREATED},\
         \"status\":\"{status}\",\"error\":null,\"incomplete_details\":{details},\"model\":{},\
         \"output\":[{thought}{}],\"usage\":{usage}}}",
        json(&question.model),
        message(id, answer),
    )
}

fn message(id: u64, answer: &Answer) -> String {
    format!(
        "{{\"id\":\"msg_{id}\",\"type\":\"message\",\"status\":\"completed\",\"content\":\
         [{{\"type\":\"output_text\",\"annotations\":[],\"text\":{}}}],\"role\":\"assistant\"}}",
        answer.json()
    )
}

fn reasoning(id: u64) -> String {
    format!(
        "{{\"id\":\"rs_{id}\",\"type\":\"reasoning\",\"summary\":[],\
         \"encrypted_content\":\"gAAA{id}\"}}"
    )
}

/// Why the answer is incomplete, if it is.
fn reason<'a>(answer: &Answer, plan: &'a Plan) -> Option<&'a str> {
    let usual = answer.is_cut.then_some("max_output_tokens");
    plan.finish.as_deref().or(usual)
}

fn usage(answer: &Answer) -> String {
    let (input, output) = (answer.prompt_tokens, answer.answer_tokens);
    format!(
        "{{\"input_tokens\":{input},\"input_tokens_details\":{{\"cached_tokens\":0}},\
         \"output_tokens\":{output},\"output_tokens_details\":{{\"reasoning_tokens\":{}}},\
         \"total_tokens\":{}}}",
        answer.thought_tokens,
        input + output
    )
}

fn event(name: &str, fields: &str) -> Vec<u8> {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{fields}}}\n\n").into_bytes()
}

fn error(plan: &Plan) -> Vec<u8> {
    let code = json(plan.error_code.as_deref().unwrap_or("server_error"));
    let message = "The server had an error while processing your request.";
    event(
        "error",
        &format!("\"code\":{code},\"message\":\"{message}\",\"param\":null"),
    )
}

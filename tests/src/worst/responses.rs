//! OpenAI's Responses.

use super::shapes::{deep, event, list, nested, repeat, run};
use super::{Case, case};

/// A whole response with these items.
fn response(output: &str) -> String {
    format!("{{\"status\":\"completed\",\"output\":[{output}]}}")
}

fn of(kind: &str, fields: &str) -> String {
    event(&format!("{{\"type\":\"response.{kind}\",{fields}}}"))
}

fn done(index: usize, item: &str) -> String {
    of(
        "output_item.done",
        &format!("\"output_index\":{index},\"item\":{item}"),
    )
}

fn delta(index: usize, part: usize) -> String {
    let fields = format!("\"output_index\":{index},\"content_index\":{part},\"delta\":\"a\"");
    of("output_text.delta", &fields)
}

fn message(content: &str) -> String {
    format!("{{\"type\":\"message\",\"content\":[{content}]}}")
}

const TEXT: &str = "{\"type\":\"output_text\",\"text\":\"a\"}";
const CALL: &str = "{\"type\":\"function_call\",\"name\":\"f\"}";

pub(super) const CASES: &[Case] = &[
    // nesting
    case("responses: nested responses", |n| {
        nested(n, "{\"response\":", "}")
    }),
    case("responses: nested responses in an event", |n| {
        event(&nested(
            n,
            "{\"type\":\"response.completed\",\"response\":",
            "}",
        ))
    }),
    case("responses: deep items", |n| {
        response(&format!("{{\"type\":\"x\",\"a\":[{}]}}", deep(n, 4)))
    }),
    // empty objects and digits
    case("responses: empty items", |n| {
        response(&(repeat(n, "{},") + "{}"))
    }),
    case("responses: digits for items", |n| {
        response(&(repeat(n, "0,") + "0"))
    }),
    case("responses: calls", |n| {
        response(&list(n, |_| CALL.to_owned()))
    }),
    case("responses: texts", |n| {
        response(&message(&list(n, |_| TEXT.to_owned())))
    }),
    case("responses: empty objects in a message", |n| {
        response(&message(&(repeat(n, "{},") + "{}")))
    }),
    case("responses: digits in an item", |n| {
        done(
            0,
            &format!("{{\"type\":\"x\",\"a\":[{}0]}}", repeat(n, "0,")),
        )
    }),
    case("responses: digits beside a text", |n| {
        let digits = repeat(n, "0,");
        let text = format!("{{\"type\":\"output_text\",\"text\":\"a\",\"x\":[{digits}0]}}");
        done(0, &message(&text))
    }),
    case(
        "responses: digits beside a text that is not the last",
        |n| {
            let digits = repeat(n / 2, "0,");
            let text = format!("{{\"type\":\"output_text\",\"text\":\"a\",\"x\":[{digits}0]}}");
            let part = format!("\"output_index\":0,\"content_index\":0,\"part\":{text}");
            of("content_part.done", &part) + &done(0, &message(&format!("{text},{TEXT}")))
        },
    ),
    case("responses: digits in arguments that are an array", |n| {
        let digits = repeat(n, "0,");
        response(&format!(
            "{{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":[{digits}0]}}"
        ))
    }),
    // many small events
    case("responses: items that never end", |n| {
        run(n, |at| delta(at, 0))
    }),
    case("responses: texts that never end", |n| {
        run(n, |at| delta(0, at % 2000))
    }),
    case("responses: texts that wait", |n| {
        delta(0, 0) + &run(n, |at| delta(1, at % 2000))
    }),
    case("responses: pieces in turns", |n| {
        run(n, |at| delta(at % 2, 0))
    }),
    case("responses: items without numbers", |n| {
        run(n, |at| {
            let item = format!("\"item\":{{\"type\":\"message\",\"id\":\"{at}\"}}");
            of("output_item.added", &item)
        })
    }),
    case("responses: one item, begun again", |n| {
        run(n, |_| {
            of(
                "output_item.added",
                &format!("\"output_index\":0,\"item\":{CALL}"),
            )
        })
    }),
    case("responses: one item, done again", |n| {
        run(n, |_| done(0, &message(TEXT)))
    }),
    case("responses: items done in the wrong order", |n| {
        delta(0, 0) + &run(n, |at| done(at + 1, &message(TEXT)))
    }),
    case("responses: sources", |n| {
        run(n, |_| {
            of(
                "output_text.annotation.added",
                "\"output_index\":0,\"annotation\":[0]",
            )
        })
    }),
    case("responses: a text, done again", |n| {
        let text = "a".repeat(n / 64);
        let done = format!("\"output_index\":0,\"text\":\"{text}\"");
        (0..64).map(|_| of("output_text.done", &done)).collect()
    }),
    case("responses: the answer said again at its end", |n| {
        let item = message(&format!(
            "{{\"type\":\"output_text\",\"text\":\"{}\"}}",
            "a".repeat(n / 3)
        ));
        let end = format!("\"response\":{}", response(&item));
        done(0, &item) + &of("completed", &end)
    }),
];

//! Anthropic's messages.

use super::shapes::{deep, event, float, list, nested, repeat, run};
use super::{Case, case};

/// A whole message with this content.
fn message(content: &str) -> String {
    format!("{{\"content\":[{content}],\"stop_reason\":\"end_turn\"}}")
}

fn start(index: usize, block: &str) -> String {
    event(&format!(
        "{{\"type\":\"content_block_start\",\"index\":{index},\"content_block\":{block}}}"
    ))
}

fn delta(index: usize, delta: &str) -> String {
    event(&format!(
        "{{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{delta}}}"
    ))
}

fn usage(usage: &str) -> String {
    event(&format!("{{\"type\":\"message_delta\",\"usage\":{usage}}}"))
}

fn name(number: usize) -> String {
    format!("\"{number:x}\":1")
}

const TEXT: &str = "{\"type\":\"text\",\"text\":\"a\"}";
const CALL: &str = "{\"type\":\"tool_use\",\"name\":\"f\"}";

pub(super) const CASES: &[Case] = &[
    // nesting
    case("anthropic: nested messages", |n| {
        nested(n, "{\"message\":", "}")
    }),
    case("anthropic: nested messages in an event", |n| {
        event(&nested(n, "{\"type\":\"message_start\",\"message\":", "}"))
    }),
    case("anthropic: nested content", |n| {
        nested(n, "{\"content\":[", "]}")
    }),
    case("anthropic: deep blocks", |n| {
        message(&format!("{{\"type\":\"x\",\"a\":[{}]}}", deep(n, 4)))
    }),
    // empty objects
    case("anthropic: empty blocks", |n| {
        message(&(repeat(n, "{},") + "{}"))
    }),
    case("anthropic: digits for blocks", |n| {
        message(&(repeat(n, "0,") + "0"))
    }),
    case("anthropic: empty objects in an unknown field", |n| {
        format!("{{\"content\":[],\"x\":[{}]}}", repeat(n, "{},") + "{}")
    }),
    case("anthropic: empty objects in a block", |n| {
        start(
            0,
            &format!("{{\"type\":\"x\",\"x\":[{}]}}", repeat(n, "{},") + "{}"),
        )
    }),
    case("anthropic: digits in a block", |n| {
        start(
            0,
            &format!("{{\"type\":\"x\",\"x\":[{}]}}", repeat(n, "0,") + "0"),
        )
    }),
    // names
    case("anthropic: names in the message", |n| {
        format!("{{\"content\":[],{}}}", list(n, name))
    }),
    case("anthropic: names in an event", |n| {
        event(&format!("{{\"type\":\"message_delta\",{}}}", list(n, name)))
    }),
    case("anthropic: names in a delta", |n| {
        event(&format!(
            "{{\"type\":\"message_delta\",\"delta\":{{{}}}}}",
            list(n, name)
        ))
    }),
    case("anthropic: names in a block", |n| {
        start(0, &format!("{{\"type\":\"text\",{}}}", list(n, name)))
    }),
    case("anthropic: names in a call", |n| {
        start(
            0,
            &format!("{{\"type\":\"tool_use\",\"name\":\"f\",{}}}", list(n, name)),
        )
    }),
    case("anthropic: names in many deltas", |n| {
        run(n, |i| {
            event(&format!(
                "{{\"type\":\"message_delta\",\"delta\":{{{}}}}}",
                name(i)
            ))
        })
    }),
    case("anthropic: unknown deltas of an unknown block", |n| {
        start(0, "{\"type\":\"x\"}")
            + &run(n, |i| delta(0, &format!("{{\"type\":\"y\",{}}}", name(i))))
    }),
    // blocks
    case("anthropic: open blocks", |n| run(n, |i| start(i, TEXT))),
    case("anthropic: open blocks without a name of ours", |n| {
        run(n, |i| start(i, "{\"type\":\"x\"}"))
    }),
    case("anthropic: open calls", |n| run(n, |i| start(i, CALL))),
    case("anthropic: deltas of many blocks", |n| {
        run(n / 2, |i| start(i, "{\"type\":\"x\"}"))
            + &run(n / 2, |i| {
                delta(
                    i * 7 % 1000,
                    "{\"type\":\"input_json_delta\",\"partial_json\":\"1\"}",
                )
            })
    }),
    case("anthropic: one block again and again", |n| {
        repeat(n, &start(0, TEXT))
    }),
    case("anthropic: blocks of a whole message", |n| {
        message(&list(n, |_| TEXT.into()))
    }),
    case("anthropic: calls of a whole message", |n| {
        message(&list(n, |_| CALL.into()))
    }),
    case("anthropic: unknown blocks of a whole message", |n| {
        message(&list(n, |_| "{\"type\":\"x\"}".into()))
    }),
    case("anthropic: proofs of a whole message", |n| {
        message(&list(n, |_| "{\"type\":\"redacted_thinking\"}".into()))
    }),
    case("anthropic: citations", |n| {
        start(0, "{\"type\":\"text\"}")
            + &repeat(
                n,
                &delta(0, "{\"type\":\"citations_delta\",\"citation\":0}"),
            )
    }),
    case("anthropic: citations in a block", |n| {
        start(
            0,
            &format!(
                "{{\"type\":\"text\",\"citations\":[{}]}}",
                list(n, |_| "{\"a\":1}".into())
            ),
        )
    }),
    case("anthropic: proofs", |n| {
        repeat(
            n,
            &delta(0, "{\"type\":\"signature_delta\",\"signature\":\"a\"}"),
        )
    }),
    // usage
    case("anthropic: usage in many events", |n| {
        run(n, |i| usage(&format!("{{\"output_tokens\":{i}}}")))
    }),
    case("anthropic: names in usage", |n| {
        usage(&format!("{{{}}}", list(n, name)))
    }),
    case("anthropic: names in many usages", |n| {
        run(n, |i| usage(&format!("{{{}}}", name(i))))
    }),
    case("anthropic: large usage, and small ones", |n| {
        usage(&format!("{{{}}}", list(n / 2, name))) + &repeat(n / 2, &usage("{}"))
    }),
    // numbers and escapes
    case("anthropic: floats", |n| {
        start(0, &format!("{{\"type\":\"x\",\"x\":[{}]}}", list(n, float)))
    }),
    case("anthropic: floats for counts", |n| {
        usage(&format!(
            "{{{}}}",
            list(n, |i| format!("\"output_tokens\":{}", float(i)))
        ))
    }),
    case("anthropic: escapes", |n| {
        delta(
            0,
            &format!(
                "{{\"type\":\"text_delta\",\"text\":\"{}\"}}",
                repeat(n, "\\n")
            ),
        )
    }),
    case("anthropic: halves in many deltas", |n| {
        repeat(
            n,
            &delta(0, "{\"type\":\"text_delta\",\"text\":\"\\ud83d\"}"),
        )
    }),
    case("anthropic: escaped input", |n| {
        start(0, CALL)
            + &delta(
                0,
                &format!(
                    "{{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}",
                    repeat(n, "\\\"")
                ),
            )
    }),
    // framing
    case("anthropic: small deltas", |n| {
        repeat(n, &delta(0, "{\"type\":\"text_delta\",\"text\":\"a\"}"))
    }),
    case("anthropic: pings", |n| {
        repeat(n, "event: ping\ndata: {}\n\n")
    }),
    case("anthropic: unknown events", |n| {
        repeat(n, "data: {\"type\":\"x\"}\n\n")
    }),
    case("anthropic: messages again and again", |n| {
        repeat(
            n,
            &event("{\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}"),
        )
    }),
    // errors
    Case {
        status: 400,
        ..case("anthropic: nested errors in detail", |n| {
            format!("[{}]", list(n, |_| nested(900, "{\"detail\":", "}")))
        })
    },
    Case {
        status: 400,
        ..case("anthropic: nested errors in message", |n| {
            format!("[{}]", list(n, |_| nested(900, "{\"message\":", "}")))
        })
    },
    Case {
        status: 400,
        ..case("anthropic: nested errors in errors", |n| {
            format!("[{}]", list(n, |_| nested(900, "{\"errors\":", "}")))
        })
    },
    Case {
        status: 400,
        ..case("anthropic: nested errors", |n| {
            nested(n, "{\"error\":", "}")
        })
    },
    Case {
        status: 529,
        ..case("anthropic: an error of many", |n| {
            format!(
                "{{\"error\":[{}]}}",
                list(n, |_| "{\"message\":\"a\"}".into())
            )
        })
    },
    case("anthropic: an error in a stream", |n| {
        format!("event: error\ndata: {}\n\n", repeat(n, "a"))
    }),
];

//! Chat completions.

use super::shapes::{deep, event, float, list, nested, repeat, run};
use super::{Case, case};

/// A whole answer whose message has these fields.
fn message(fields: &str) -> String {
    format!("{{\"choices\":[{{\"message\":{{{fields}}},\"finish_reason\":\"stop\"}}]}}")
}

/// One event whose delta has these fields.
fn delta(fields: &str) -> String {
    event(&format!("{{\"choices\":[{{\"delta\":{{{fields}}}}}]}}"))
}

fn call(id: usize, index: usize, name: &str, arguments: &str) -> String {
    format!(
        "{{\"index\":{index},\"id\":\"{id}\",\"function\":{{\"name\":\"{name}\",\
         \"arguments\":\"{arguments}\"}}}}"
    )
}

fn name(number: usize) -> String {
    format!("\"{number:x}\":1")
}

pub(super) const CASES: &[Case] = &[
    // many values in one event
    case("openai: empty strings in an event", |n| {
        event(&repeat(n, "\""))
    }),
    // nesting
    case("openai: nested content", |n| {
        message(&format!("\"content\":{}", nested(n, "[{\"text\":", "}]")))
    }),
    case("openai: nested unknown field", |n| {
        nested(n, "{\"a\":", "}")
    }),
    case("openai: nested lists", |n| event(&nested(n, "[", "]"))),
    case("openai: deep content", |n| {
        message(&format!("\"content\":[{}]", deep(n, 6)))
    }),
    case("openai: deep unknown field", |n| {
        message(&format!("\"content\":\"a\",\"x\":[{}]", deep(n, 6)))
    }),
    case("openai: deep logprobs", |n| {
        event(&format!(
            "{{\"choices\":[{{\"logprobs\":[{}]}}]}}",
            deep(n, 4)
        ))
    }),
    // empty objects
    case("openai: empty choices", |n| {
        format!("{{\"choices\":[{}]}}", repeat(n, "{},") + "{}")
    }),
    case("openai: choices of another index", |n| {
        format!(
            "{{\"choices\":[{}]}}",
            list(n, |i| format!("{{\"index\":{}}}", i + 1))
        )
    }),
    case("openai: empty calls", |n| {
        delta(&format!("\"tool_calls\":[{}]", repeat(n, "{},") + "{}"))
    }),
    case("openai: empty parts", |n| {
        message(&format!("\"content\":[{}]", repeat(n, "{},") + "{}"))
    }),
    case("openai: empty objects in an unknown field", |n| {
        message(&format!("\"x\":[{}]", repeat(n, "{},") + "{}"))
    }),
    case("openai: empty strings in an unknown field", |n| {
        message(&format!("\"x\":[{}]", repeat(n, "\"\",") + "1"))
    }),
    case("openai: empty details", |n| {
        delta(&format!(
            "\"reasoning_details\":[{}]",
            repeat(n, "{},") + "{}"
        ))
    }),
    case("openai: digits in an unknown field", |n| {
        message(&format!("\"x\":[{}]", repeat(n, "0,") + "0"))
    }),
    case("openai: digits in logprobs", |n| {
        event(&format!(
            "{{\"choices\":[{{\"logprobs\":[{}]}}]}}",
            repeat(n, "12345,") + "0"
        ))
    }),
    // names
    case("openai: names in the chunk", |n| {
        format!("{{{},\"choices\":[{{}}]}}", list(n, name))
    }),
    case("openai: names in the choice", |n| {
        event(&format!("{{\"choices\":[{{{}}}]}}", list(n, name)))
    }),
    case("openai: names in the delta", |n| delta(&list(n, name))),
    case("openai: names in a call", |n| {
        delta(&format!(
            "\"tool_calls\":[{{\"id\":\"a\",{}}}]",
            list(n, name)
        ))
    }),
    case("openai: names in calls", |n| {
        delta(&format!(
            "\"tool_calls\":[{}]",
            list(n, |i| format!("{{\"id\":\"{i}\",\"a\":1}}"))
        ))
    }),
    case("openai: names in an unknown field", |n| {
        delta(&format!("\"x\":{{{}}}", list(n, name)))
    }),
    case("openai: names in many chunks", |n| {
        run(n, |i| event(&format!("{{\"choices\":[{{}}],\"{i:x}\":1}}")))
    }),
    case("openai: names in many deltas", |n| {
        run(n, |i| delta(&name(i)))
    }),
    case("openai: one name again and again", |n| {
        format!("{{{},\"choices\":[{{}}]}}", list(n, |_| name(1)))
    }),
    case("openai: known names again and again", |n| {
        event(&format!(
            "{{{}}}",
            list(n, |_| "\"choices\":[{\"delta\":{}}]".into())
        ))
    }),
    // tool calls
    case("openai: ids in one chunk", |n| {
        delta(&format!(
            "\"tool_calls\":[{}]",
            list(n, |i| call(i, 0, "f", ""))
        ))
    }),
    case("openai: indexes in one chunk", |n| {
        delta(&format!(
            "\"tool_calls\":[{}]",
            list(n, |i| format!(
                "{{\"index\":{i},\"function\":{{\"name\":\"f\"}}}}"
            ))
        ))
    }),
    case("openai: ids in many chunks", |n| {
        run(n, |i| {
            delta(&format!("\"tool_calls\":[{}]", call(i, 0, "f", "{}")))
        })
    }),
    case("openai: pieces of many calls", |n| {
        run(n, |i| {
            delta(&format!(
                "\"tool_calls\":[{}]",
                call(i * 7 % 2000, i * 7 % 2000, "f", "1")
            ))
        })
    }),
    case("openai: ids of the pieces", |n| {
        run(n, |i| {
            delta(&format!(
                "\"tool_calls\":[{}]",
                call(i, i, if i == 0 { "f" } else { "" }, "[")
            ))
        })
    }),
    case("openai: calls without a name", |n| {
        run(n, |i| {
            delta(&format!(
                "\"tool_calls\":[{{\"index\":{i},\"id\":\"{i}\"}}]"
            ))
        })
    }),
    case("openai: calls of a whole answer", |n| {
        message(&format!(
            "\"tool_calls\":[{}]",
            list(n, |_| "{\"function\":{\"name\":\"f\"}}".into())
        ))
    }),
    case("openai: objects for arguments", |n| {
        delta(&format!(
            "\"tool_calls\":[{{\"function\":{{\"name\":\"f\",\"arguments\":{{{}}}}}}}]",
            list(n, name)
        ))
    }),
    // content
    case("openai: parts of text", |n| {
        message(&format!(
            "\"content\":[{}]",
            list(n, |_| "{\"text\":\"a\"}".into())
        ))
    }),
    case("openai: strings for parts", |n| {
        message(&format!("\"content\":[{}]", repeat(n, "\"a\",") + "\"a\""))
    }),
    case("openai: parts by turns", |n| {
        message(&format!(
            "\"content\":[{}]",
            list(n, |_| "{\"text\":\"a\"},{\"thinking\":\"b\"}".into())
        ))
    }),
    case("openai: parts of another type", |n| {
        message(&format!(
            "\"content\":[{}]",
            list(n, |_| "{\"type\":\"x\"}".into())
        ))
    }),
    case("openai: lists in parts", |n| {
        message(&format!(
            "\"content\":[{}]",
            list(n, |_| "{\"text\":[{}]}".into())
        ))
    }),
    case("openai: details with indexes", |n| {
        delta(&format!(
            "\"reasoning_details\":[{}]",
            list(n, |i| format!("{{\"index\":{i}}}"))
        ))
    }),
    case("openai: pieces of one detail", |n| {
        delta(&format!(
            "\"reasoning_details\":[{}]",
            list(n, |_| "{\"index\":1,\"text\":\"abc\",\"type\":\"x\"}"
                .into())
        ))
    }),
    case("openai: details in many chunks", |n| {
        run(n, |i| {
            delta(&format!(
                "\"reasoning_details\":[{{\"index\":{i},\"text\":\"abc\",\"type\":\"x\"}}]"
            ))
        })
    }),
    // pictures and sound
    case("openai: pictures", |n| {
        delta(&format!(
            "\"images\":[{}]",
            list(n, |_| "{\"image_url\":{\"url\":\"\"}}".into())
        ))
    }),
    case("openai: pictures in many chunks", |n| {
        run(n, |_| {
            delta("\"images\":[{\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]")
        })
    }),
    case("openai: pieces of sound", |n| {
        run(n, |_| {
            delta("\"audio\":{\"data\":\"AA==\",\"transcript\":\"a\"}")
        })
    }),
    case("openai: fields of sound in many chunks", |n| {
        run(n, |i| delta(&format!("\"audio\":{{\"f{i}\":{{}}}}")))
    }),
    // usage
    case("openai: usage again and again in one chunk", |n| {
        event(&format!(
            "{{{}}}",
            list(n, |_| "\"usage\":{\"prompt_tokens\":1}".into())
        ))
    }),
    case("openai: usage in many chunks", |n| {
        run(n, |i| {
            event(&format!(
                "{{\"choices\":[{{}}],\"usage\":{{\"prompt_tokens\":{i}}}}}"
            ))
        })
    }),
    case("openai: names in usage", |n| {
        event(&format!(
            "{{\"choices\":[{{}}],\"usage\":{{{}}}}}",
            list(n, name)
        ))
    }),
    case("openai: large usage, and small ones", |n| {
        format!(
            "{}{}",
            event(&format!("{{\"usage\":{{{}}}}}", list(n / 2, name))),
            run(n / 2, |_| event("{\"usage\":{}}"))
        )
    }),
    // numbers and escapes
    case("openai: floats", |n| {
        message(&format!("\"x\":[{}]", list(n, float)))
    }),
    case("openai: floats in logprobs", |n| {
        event(&format!(
            "{{\"choices\":[{{\"logprobs\":[{}]}}]}}",
            list(n, float)
        ))
    }),
    case("openai: a number of many digits", |n| {
        message(&format!("\"x\":{}.5", repeat(n, "7")))
    }),
    case("openai: floats for counts", |n| {
        event(&format!(
            "{{\"usage\":{{{}}}}}",
            list(n, |i| format!("\"prompt_tokens\":{}", float(i)))
        ))
    }),
    case("openai: escapes", |n| {
        message(&format!("\"content\":\"{}\"", repeat(n, "\\n")))
    }),
    case("openai: escapes of characters", |n| {
        message(&format!("\"content\":\"{}\"", repeat(n, "\\ud83d\\ude00")))
    }),
    case("openai: halves of characters", |n| {
        message(&format!("\"content\":\"{}\"", repeat(n, "\\ud83d")))
    }),
    case("openai: halves in many deltas", |n| {
        run(n, |_| delta("\"content\":\"\\ud83d\""))
    }),
    case("openai: halves in parts", |n| {
        message(&format!(
            "\"content\":[{}]",
            repeat(n, "\"\\ud83d\",\"\\ude00\",") + "1"
        ))
    }),
    case("openai: escaped names", |n| {
        delta(&list(n, |i| format!("\"\\u0061{i:x}\":1")))
    }),
    // framing
    case("openai: small deltas", |n| {
        repeat(n, &delta("\"content\":\"a\""))
    }),
    case("openai: empty events", |n| repeat(n, &event("{}"))),
    case("openai: events of nothing", |n| repeat(n, "data:\n\n")),
    case("openai: keep-alives", |n| repeat(n, ":\n")),
    case("openai: empty lines", |n| {
        format!("data: {{}}\n\n{}", repeat(n, "\r\n"))
    }),
    case("openai: lines of one event", |n| {
        format!("{}\n", repeat(n, "data: 1\n"))
    }),
    case("openai: events without empty lines", |n| {
        format!("{}\n", repeat(n, "data: {}\n"))
    }),
    case("openai: events in one line", |n| {
        format!("data: {}\n\n", repeat(n, "{}"))
    }),
    case("openai: stray lines", |n| {
        format!("data: {{}}\n\n{}", repeat(n, "x\n"))
    }),
    case("openai: stray lines of JSON", |n| {
        format!("data: {{}}\n\n{}", repeat(n, "[\n"))
    }),
    case("openai: lines without framing", |n| repeat(n, "{}\n")),
    case("openai: white space", |n| {
        format!("{{\"choices\":[{}{{}}]}}", repeat(n, " \n"))
    }),
    case("openai: ids of events", |n| {
        repeat(n, "id: 1\ndata: {}\n\n")
    }),
    case("openai: no UTF-8", |n| {
        format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n",
            repeat(n, "\u{fffd}")
        )
    }),
    // errors
    Case {
        status: 400,
        ..case("openai: an error of many", |n| {
            format!("{{\"errors\":[{}]}}", list(n, |_| "{\"msg\":\"a\"}".into()))
        })
    },
    Case {
        status: 400,
        ..case("openai: an error of names", |n| {
            format!("{{\"error\":{{{}}}}}", list(n, name))
        })
    },
    case("openai: errors in a stream", |n| {
        event(&format!(
            "{{\"error\":[{}]}}",
            list(n, |_| "{\"message\":{\"detail\":[1]}}".into())
        ))
    }),
    case("openai: an envelope of names", |n| {
        format!("{{\"code\":1,{}}}", list(n, name))
    }),
];

//! Google's generateContent.

use super::shapes::{deep, event, list, nested, repeat, run};
use super::{Case, case};

/// A whole answer with these parts.
fn message(parts: &str) -> String {
    format!(
        "{{\"candidates\":[{{\"content\":{{\"parts\":[{parts}]}},\"finishReason\":\"STOP\"}}]}}"
    )
}

/// One event with these parts.
fn chunk(parts: &str) -> String {
    event(&format!(
        "{{\"candidates\":[{{\"content\":{{\"parts\":[{parts}]}}}}]}}"
    ))
}

fn name(number: usize) -> String {
    format!("\"{number:x}\":1")
}

/// A call whose arguments come in pieces.
fn pieces(size: usize, piece: impl FnMut(usize) -> String) -> String {
    let begin = "{\"functionCall\":{\"name\":\"f\",\"willContinue\":true}}";
    chunk(begin) + &run(size, piece)
}

fn piece(path: &str, value: &str) -> String {
    chunk(&format!(
        "{{\"functionCall\":{{\"willContinue\":true,\"partialArgs\":\
         [{{\"jsonPath\":\"{path}\",{value}}}]}}}}"
    ))
}

pub(super) const CASES: &[Case] = &[
    // nesting
    case("gemini: nested parts", |n| {
        nested(n, "{\"candidates\":[", "]}")
    }),
    case("gemini: nested unknown field", |n| {
        nested(n, "{\"a\":", "}")
    }),
    case("gemini: deep parts", |n| {
        message(&format!("{{\"a\":[{}]}}", deep(n, 8)))
    }),
    case("gemini: deep arguments", |n| {
        message(&format!(
            "{{\"functionCall\":{{\"name\":\"f\",\"args\":{{\"a\":[{}]}}}}}}",
            deep(n, 10)
        ))
    }),
    // empty objects
    case("gemini: empty candidates", |n| {
        format!("{{\"candidates\":[{}]}}", repeat(n, "{},") + "{}")
    }),
    case("gemini: empty parts", |n| {
        message(&(repeat(n, "{},") + "{}"))
    }),
    case("gemini: digits for parts", |n| {
        message(&(repeat(n, "0,") + "0"))
    }),
    case("gemini: empty texts", |n| {
        message(&(repeat(n, "{\"text\":\"\"},") + "{}"))
    }),
    case("gemini: empty calls", |n| {
        message(&(repeat(n, "{\"functionCall\":{}},") + "{}"))
    }),
    case("gemini: empty objects in a part", |n| {
        message(&format!("{{\"a\":[{}]}}", repeat(n, "{},") + "{}"))
    }),
    case("gemini: empty pieces of arguments", |n| {
        chunk(&format!(
            "{{\"functionCall\":{{\"name\":\"f\",\"partialArgs\":[{}]}}}}",
            repeat(n, "{},") + "{}"
        ))
    }),
    // names
    case("gemini: names in the chunk", |n| {
        format!("{{{},\"candidates\":[{{}}]}}", list(n, name))
    }),
    case("gemini: names in the candidate", |n| {
        event(&format!("{{\"candidates\":[{{{}}}]}}", list(n, name)))
    }),
    case("gemini: names in the content", |n| {
        event(&format!(
            "{{\"candidates\":[{{\"content\":{{{}}}}}]}}",
            list(n, name)
        ))
    }),
    case("gemini: names in a part", |n| {
        message(&format!("{{\"text\":\"a\",{}}}", list(n, name)))
    }),
    case("gemini: names in a call", |n| {
        message(&format!(
            "{{\"functionCall\":{{\"name\":\"f\",{}}}}}",
            list(n, name)
        ))
    }),
    case("gemini: names in many chunks", |n| {
        run(n, |i| {
            event(&format!("{{\"candidates\":[{{}}],\"{i:x}\":1}}"))
        })
    }),
    case("gemini: names in the prompt's feedback", |n| {
        event(&format!("{{\"promptFeedback\":{{{}}}}}", list(n, name)))
    }),
    // parts
    case("gemini: calls", |n| {
        run(n, |_| chunk("{\"functionCall\":{\"name\":\"f\"}}"))
    }),
    case("gemini: calls in one chunk", |n| {
        chunk(&list(n, |_| "{\"functionCall\":{\"name\":\"f\"}}".into()))
    }),
    case("gemini: signatures in one chunk", |n| {
        chunk(&list(n, |_| "{\"thoughtSignature\":\"a\"}".into()))
    }),
    case("gemini: signatures in many chunks", |n| {
        run(n, |_| chunk("{\"thoughtSignature\":\"a\"}"))
    }),
    case("gemini: texts with signatures", |n| {
        run(n, |_| {
            chunk(&list(2048, |_| {
                "{\"text\":\"a\",\"thoughtSignature\":\"a\"}".into()
            }))
        })
    }),
    case("gemini: calls with signatures", |n| {
        run(n, |_| {
            chunk("{\"functionCall\":{\"name\":\"f\"},\"thoughtSignature\":\"a\"}")
        })
    }),
    case("gemini: images", |n| {
        run(n, |_| chunk("{\"inlineData\":{\"mimeType\":\"image/a\"}}"))
    }),
    case("gemini: parts without a name of ours", |n| {
        run(n, |_| chunk("{\"a\":1}"))
    }),
    case("gemini: text and thoughts in turn", |n| {
        run(n, |_| {
            chunk("{\"text\":\"a\"},{\"text\":\"b\",\"thought\":true}")
        })
    }),
    // pieces of arguments
    case("gemini: arguments deeper and deeper", |n| {
        pieces(n, |i| {
            piece(
                &format!("${}", ".a".repeat(i % 127 + 1)),
                "\"numberValue\":1",
            )
        })
    }),
    case("gemini: arguments as deep as can be", |n| {
        pieces(n, |i| {
            piece(
                &format!("$.x{i:x}{}", ".a".repeat(126)),
                "\"numberValue\":1",
            )
        })
    }),
    case("gemini: names of arguments", |n| {
        pieces(n, |i| piece(&format!("$.{i:x}"), "\"numberValue\":1"))
    }),
    case("gemini: items of arguments", |n| {
        pieces(n, |i| {
            piece(&format!("$.a[{}]", i * 9), "\"numberValue\":1")
        })
    }),
    case("gemini: one string in pieces", |n| {
        pieces(n, |_| {
            piece("$.a", "\"stringValue\":\"\\ud83d\",\"willContinue\":true")
        })
    }),
    // usage and errors
    case("gemini: usage again and again", |n| {
        run(n, |_| event("{\"usageMetadata\":{\"promptTokenCount\":1}}"))
    }),
    case("gemini: details of an error", |n| {
        format!(
            "{{\"error\":{{\"message\":\"m\",\"details\":[{}]}}}}",
            list(n, |_| "{\"@type\":\"a.RetryInfo\",\"retryDelay\":\"1s\"}"
                .into())
        )
    }),
    case("gemini: logprobs", |n| {
        run(n, |_| {
            event("{\"candidates\":[{\"logprobsResult\":{\"chosenCandidates\":[1]}}]}")
        })
    }),
];

//! The right result of each reply.

use chatcore::{ChatResponse, Error, ErrorKind};

use super::Way;

/// The right result of one reply.
enum Right {
    /// This text and nothing else, from one request.
    Text(&'static str),
    /// Tool calls with these ids, names and arguments, from one request.
    Calls(&'static [(&'static str, &'static str, &'static str)]),
    /// An error of this kind whose message contains the first text, after the second text arrived.
    Error(ErrorKind, &'static str, &'static str),
    /// Like `Error`, and the request is not repeated.
    Final(ErrorKind, &'static str, &'static str),
}

/// The right results, by row name.
const RIGHT: &[(&str, Right)] = {
    use ErrorKind::*;
    use Right::*;
    const OSLO: Right = Calls(&[("call_a", "weather", "{\"city\":\"Oslo\"}")]);
    &[
        ("choice-index-token", Text("Hello!")),
        ("choice-index-1-stream", Text("Hello")),
        ("error-field-mid", Error(Server, "slot was lost", "Hel")),
        (
            "error-bare-mid",
            Final(BadRequest, "exceeds the context size", "Hel"),
        ),
        ("content-0.005", Text("It costs $0.005 each, [1], true")),
        (
            "error-choice",
            Error(Server, "upstream timed out", "Partial "),
        ),
        ("ids-change", OSLO),
        ("index-wanders", OSLO),
        ("sentinel-after-text", Text("Hello")),
        ("function-call-empty-strings", Text("Hi you")),
        ("no-done-held", Text("Hello")),
        ("no-done-heartbeats", Text("Hello")),
        ("a-ping-empty", Text("Hello")),
        ("ping-time", Text("Hello")),
        ("error-event-text", Error(Server, "upstream gone", "Hel")),
        ("single-newlines", Text("Hello")),
        ("gzip-stream", Final(Protocol, "content-encoding gzip", "")),
        (
            "422-mistral",
            Final(BadRequest, "Extra inputs are not permitted", ""),
        ),
        ("429-kimi", Final(QuotaExceeded, "account is suspended", "")),
        (
            "minimax-stream",
            Final(QuotaExceeded, "insufficient balance", ""),
        ),
        ("surrogates-split", Text("a😀b")),
        ("tool-calls-object", Text("Hi")),
        ("delta-list", Text("Hello")),
        (
            "index-string",
            Calls(&[("a", "f", "{\"x\":1}"), ("b", "g", "{\"y\":2}")]),
        ),
        ("usage-strings", Text("Hello")),
        ("finish-word-null", Error(Truncated, "", "Hello")),
        ("error-empty", Text("Hello")),
        ("done-lower", Text("Hello")),
        ("slow-first-byte", Text("Hello")),
    ]
};

/// Returns what is wrong with a result.
pub(super) fn check(
    name: &str,
    way: Way,
    told: &Result<ChatResponse, Error>,
    requests: usize,
) -> Result<(), String> {
    let Some((_, right)) = RIGHT.iter().find(|(known, _)| *known == name) else {
        println!("{name}, {way:?}: nothing is known to be right\n  {told:?}");
        return Ok(());
    };
    match (right, told) {
        (Right::Text(text), Ok(answer)) => {
            ensure(answer.text() == *text, "the text")?;
            ensure(answer.tool_calls().count() == 0, "a tool call")?;
            ensure(!answer.finish_reason_raw.is_empty(), "no finish reason")?;
            ensure(requests == 1, "the requests")?;
            if name == "usage-strings" {
                let usage = answer
                    .usage
                    .as_ref()
                    .map(|u| (u.input_tokens, u.output_tokens));
                ensure(usage == Some((11, 7)), "the usage")?;
            }
            Ok(())
        }
        (Right::Calls(calls), Ok(answer)) => {
            let found = answer.tool_calls();
            let found = found.map(|call| (&*call.id, &*call.name, &*call.arguments));
            ensure(found.eq(calls.iter().copied()), "the calls")?;
            ensure(requests == 1, "the requests")
        }
        (Right::Error(kind, message, partial), Err(error)) => {
            is_error(error, *kind, message, partial)
        }
        (Right::Final(kind, message, partial), Err(error)) => {
            ensure(requests == 1, "the requests")?;
            is_error(error, *kind, message, partial)
        }
        _ => Err("an answer for an error, or an error for an answer".to_owned()),
    }
}

fn is_error(error: &Error, kind: ErrorKind, message: &str, partial: &str) -> Result<(), String> {
    ensure(error.kind() == kind, "the kind")?;
    ensure(error.message().contains(message), "the message")?;
    let had = error.partial().map(|had| had.text().into_owned());
    ensure(had.unwrap_or_default() == partial, "the partial answer")?;
    let advice =
        kind != ErrorKind::QuotaExceeded || error.to_string().contains("balance and billing");
    ensure(advice, "the advice")
}

fn ensure(is_right: bool, what: &str) -> Result<(), String> {
    match is_right {
        true => Ok(()),
        false => Err(format!("wrong: {what}")),
    }
}

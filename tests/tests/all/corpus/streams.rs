//! Recorded streams.

use chatcore::{ChatResponse, Dialect, Mode};
use serde_json::{Value, json};

use super::decode::decode;
use super::rows::{each, name};
use super::split::Random;

/// The fields of an answer that the recordings contain.
fn told(answer: &ChatResponse) -> Value {
    let calls: Vec<_> = answer
        .tool_calls()
        .map(|call| {
            json!({
                "id": call.id,
                "name": call.name,
                "arguments": call.arguments_json().unwrap_or(json!(call.arguments)),
            })
        })
        .collect();
    let usage = answer.usage.as_ref().map(|usage| usage.raw());
    json!({
        "text": answer.text(),
        "reasoning": answer.reasoning(),
        "tool_calls": calls,
        "finish_reason": answer.finish_reason_raw,
        "usage": usage,
    })
}

/// The same fields of a row's expectation, with the arguments parsed.
fn expected(row: &Value) -> Value {
    let expect = &row["expect"];
    let calls: Vec<_> = expect["tool_calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| {
            let text = call["arguments"].as_str().unwrap();
            // Empty text means no arguments.
            let arguments = match text {
                "" => json!({}),
                text => serde_json::from_str(text).unwrap_or(json!(text)),
            };
            // Gemini's calls usually have no id.
            let id = call["id"].as_str().unwrap_or("");
            json!({"id": id, "name": call["name"], "arguments": arguments})
        })
        .collect();
    let finish_reason = match &expect["finish_reason"] {
        Value::String(word) => word.clone(),
        // One server writes its enums as numbers.
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    json!({
        "text": expect["text"].as_str().unwrap_or(""),
        "reasoning": expect["reasoning"].as_str().unwrap_or(""),
        "tool_calls": calls,
        "finish_reason": finish_reason,
        "usage": expect["usage"],
    })
}

/// Whether two values are equal. Numbers are compared by value, so 0.0 equals 0.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, l)| right.get(name).is_some_and(|r| same(l, r)))
        }
        (left, right) => left == right,
    }
}

/// Fails unless the answer matches the row.
pub(super) fn assert_told(answer: &ChatResponse, row: &Value) {
    let (told, expected) = (told(answer), expected(row));
    assert!(
        same(&told, &expected),
        "{}:\n{told}\nmust be\n{expected}",
        name(row)
    );
}

/// Recordings that contain the answers to several requests. A terminal event ends a stream, so
/// decoding the whole recording gives only the first answer, while the row expects all of them.
/// Joining them would make a message that no provider accepts: a call without its result, followed
/// by text.
const SEVERAL_ANSWERS: [&str; 3] = ["3dbc18fa6336", "0bc5c2cc1dda", "5c7dee9eb4d0"];

/// Whether a recording contains several answers.
pub(super) fn is_several(row: &Value) -> bool {
    SEVERAL_ANSWERS.contains(&row["id"].as_str().unwrap())
}

/// Decodes each answer in a recording separately.
fn each_answer(input: &str, dialect: &dyn Dialect) -> Vec<ChatResponse> {
    let firsts = ["event: message_start", "event: response.created"];
    let starts = firsts.iter().flat_map(|first| input.match_indices(first));
    let starts: Vec<_> = starts.map(|(at, _)| at).collect();
    let ends = starts[1..].iter().copied().chain([input.len()]);
    let answers = starts
        .iter()
        .zip(ends)
        .map(|(start, end)| &input[*start..end]);
    let decoded = answers.map(|answer| {
        let bytes = [answer.as_bytes()];
        decode(dialect, 200, Mode::Stream, bytes).unwrap()
    });
    decoded.collect()
}

/// Fails unless the answers together match the row.
fn assert_told_together(answers: &[ChatResponse], row: &Value) {
    let expected = expected(row);
    let told: Vec<_> = answers.iter().map(told).collect();
    let text: String = told
        .iter()
        .filter_map(|told| told["text"].as_str())
        .collect();
    assert_eq!(text, expected["text"], "{}", name(row));
    let calls: Vec<_> = told
        .iter()
        .filter_map(|told| told["tool_calls"].as_array())
        .flatten()
        .collect();
    assert_eq!(json!(calls), expected["tool_calls"], "{}", name(row));
    let last = &told[told.len() - 1];
    assert_eq!(
        last["finish_reason"],
        expected["finish_reason"],
        "{}",
        name(row)
    );
    let mut usage = json!({});
    for told in told.iter().filter_map(|told| told["usage"].as_object()) {
        usage.as_object_mut().unwrap().extend(told.clone());
    }
    assert!(same(&usage, &expected["usage"]), "{}: {usage}", name(row));
}

fn holds(row: &Value, dialect: &dyn Dialect, random: &mut Random) {
    let name = name(row);
    let input = row["input"].as_str().unwrap().as_bytes();
    let run = |pieces: &[&[u8]]| {
        let answer = decode(dialect, 200, Mode::Stream, pieces.iter().copied());
        answer.unwrap_or_else(|error| panic!("{name}: {error:?}"))
    };
    let whole = run(&[input]);
    if SEVERAL_ANSWERS.contains(&row["id"].as_str().unwrap()) {
        let answers = each_answer(row["input"].as_str().unwrap(), dialect);
        assert!(
            answers.len() > 1,
            "{name} is one answer: it must be held to"
        );
        assert_told_together(&answers, row);
        assert_eq!(whole, answers[0], "{name}");
    } else {
        assert_told(&whole, row);
    }
    let unchanged = |pieces: &[&[u8]], how: &dyn Fn() -> String| {
        let answer = run(pieces);
        assert!(answer == whole, "{name}, {}: {answer:?}", how());
    };
    unchanged(&input.chunks(1).collect::<Vec<_>>(), &|| {
        "byte by byte".into()
    });
    for most in [3, 50, 1000] {
        unchanged(&random.pieces(input, most), &|| format!("pieces to {most}"));
    }
    // Splitting at every byte takes time quadratic in the length. Without optimisation, a long
    // recording is split only at every n-th byte, from a random start.
    let step = match cfg!(debug_assertions) {
        true => 1 + input.len() / 500,
        false => 1,
    };
    for at in (1 + random.below(step)..input.len()).step_by(step) {
        unchanged(&[&input[..at], &input[at..]], &|| format!("split at {at}"));
    }
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn openai_chat() {
    let mut random = Random::new();
    each("streams_openai_chat.jsonl", |row, dialect| {
        holds(row, dialect, &mut random);
    });
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn anthropic() {
    let mut random = Random::new();
    each("streams_anthropic.jsonl", |row, dialect| {
        holds(row, dialect, &mut random);
    });
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn ollama_chat() {
    let mut random = Random::new();
    each("streams_ollama_chat.jsonl", |row, dialect| {
        holds(row, dialect, &mut random);
    });
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn gemini() {
    let mut random = Random::new();
    each("streams_gemini.jsonl", |row, dialect| {
        holds(row, dialect, &mut random);
    });
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn openai_responses() {
    let mut random = Random::new();
    each("streams_openai_responses.jsonl", |row, dialect| {
        holds(row, dialect, &mut random);
    });
}

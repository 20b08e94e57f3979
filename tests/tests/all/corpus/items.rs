//! Items of OpenAI's Responses are sent back unchanged.

use std::collections::BTreeMap;

use chatcore::dialect::OpenAiResponses;
use chatcore::{ChatRequest, Dialect, Message, Mode, Provider};
use serde_json::Value;

use super::decode::decode;
use super::rows::{each, name};
use super::streams::is_several;

/// The items of a recorded stream, from each item's last event, or else from the response.
fn recorded(input: &str) -> Vec<Value> {
    let data = input.lines().filter_map(|line| line.strip_prefix("data:"));
    let mut items = BTreeMap::new();
    for event in data.filter_map(|data| serde_json::from_str::<Value>(data).ok()) {
        match event["type"].as_str() {
            Some("response.output_item.done") => {
                items.insert(
                    event["output_index"].as_u64().unwrap(),
                    event["item"].clone(),
                );
            }
            Some("response.completed") => {
                let output = event["response"]["output"].as_array().unwrap();
                for (item, at) in output.iter().zip(0..) {
                    items.entry(at).or_insert_with(|| item.clone());
                }
            }
            _ => {}
        }
    }
    items.into_values().collect()
}

/// The items that a message is sent as.
fn sent(message: Message) -> Value {
    let provider = Provider::new("p", "http://127.0.0.1/v1", "m", OpenAiResponses::default());
    let request = ChatRequest::new([Message::user("hi"), message]);
    let endpoint = provider.endpoint().unwrap();
    let request = OpenAiResponses::default().encode(&endpoint, &request, Mode::Whole);
    let mut body: Value = serde_json::from_slice(request.unwrap().body()).unwrap();
    let mut input = body["input"].take();
    input.as_array_mut().unwrap().remove(0);
    input
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn items_go_back_as_they_came() {
    let mut count = 0;
    each("streams_openai_responses.jsonl", |row, dialect| {
        if is_several(row) {
            return;
        }
        let input = row["input"].as_str().unwrap();
        let answer = decode(dialect, 200, Mode::Stream, [input.as_bytes()]).unwrap();
        // The message is stored as JSON and read again, as an application might do.
        let json = serde_json::to_string(&answer.message).unwrap();
        let message: Message = serde_json::from_str(&json).unwrap();
        assert_eq!(message, answer.message, "{}", name(row));
        let items = recorded(input);
        count += items.len();
        assert_eq!(sent(message), Value::Array(items), "{}", name(row));
    });
    assert!(count > 30, "{count} items");
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn a_stream_and_the_response_at_its_end_are_one_message() {
    let mut count = 0;
    each("streams_openai_responses.jsonl", |row, dialect| {
        let input = row["input"].as_str().unwrap();
        let data = input.lines().filter_map(|line| line.strip_prefix("data:"));
        let mut ends = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let end = ends.rfind(|end| end["type"] == "response.completed");
        let Some(whole) = end.map(|end| end["response"].clone()) else {
            return;
        };
        let is_empty = whole["output"].as_array().is_none_or(Vec::is_empty);
        // Encrypted content of one item may differ between events.
        let is_same = whole["output"] == Value::Array(recorded(input));
        if is_several(row) || is_empty || !is_same {
            return;
        }
        let whole = whole.to_string();
        let whole = decode(dialect, 200, Mode::Whole, [whole.as_bytes()]).unwrap();
        let streamed = decode(dialect, 200, Mode::Stream, [input.as_bytes()]).unwrap();
        assert_eq!(streamed, whole, "{}", name(row));
        count += 1;
    });
    assert!(count > 15, "{count} rows");
}

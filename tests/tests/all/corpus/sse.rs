//! Recorded event streams from the standard's own tests and from SDKs. Where an SDK differs from
//! the standard, the standard's result is expected.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use chatcore::Mode;
use chatcore::dialect::Anthropic;
use chatcore::frame::{Sse, SseEvent};
use serde_json::Value;

use super::decode::decode;
use super::split::Random;

const CAP: usize = 16 << 20;

/// The pieces in which a row's bytes arrive.
fn pieces(row: &Value) -> Vec<Vec<u8>> {
    if let Some(pieces) = row["input_b64"].as_array() {
        return pieces.iter().map(|piece| base64(text(piece))).collect();
    }
    match &row["input"] {
        Value::Array(pieces) => pieces.iter().map(|piece| text(piece).into()).collect(),
        whole => vec![text(whole).into()],
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Decodes base64.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let six = alphabet.iter().position(|known| *known == letter).unwrap();
        bits = bits << 6 | u32::try_from(six).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<SseEvent>, Sse) {
    let mut sse = Sse::new(CAP);
    let mut events = Vec::new();
    for piece in pieces {
        sse.feed(Bytes::copy_from_slice(piece));
        while let Some(event) = sse.next_event().unwrap() {
            events.push(event);
        }
    }
    (events, sse)
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The events of a row that the standard would dispatch. For an SDK's row, events without data are
/// left out.
fn expected(row: &Value) -> Vec<&Value> {
    let events = row["expect"]["events"].as_array().unwrap().iter();
    let is_sdk = row["expect"]["spec"] == "sdk";
    let has_data =
        |event: &&Value| !is_sdk || event["data"] != "" || event["data_json"] != Value::Null;
    events.filter(has_data).collect()
}

fn assert_events(events: &[SseEvent], row: &Value, how: &str) {
    let expected = expected(row);
    let name = format!("{} {how}: {events:?}", row["source"]);
    assert_eq!(events.len(), expected.len(), "{name}");
    for (event, expected) in events.iter().zip(expected) {
        let data = utf8(&event.data);
        if let Some(text) = expected["data"].as_str() {
            assert_eq!(data, text, "{name}");
        }
        if let Some(json) = expected.get("data_json") {
            assert_eq!(
                &serde_json::from_str::<Value>(&data).unwrap(),
                json,
                "{name}"
            );
        }
        if let Some(given) = expected.get("event") {
            // An event without a name means `message`.
            let given = given.as_str().filter(|given| *given != "message");
            assert_eq!(utf8(&event.name), given.unwrap_or(""), "{name}");
        }
        if let Some(id) = expected["id"].as_str() {
            assert_eq!(utf8(&event.id), id, "{name}");
        }
    }
}

/// Tests a line reader's case: each of its lines becomes a `data` line, and all of them together
/// one event.
fn assert_lines(pieces: &[Vec<u8>], row: &Value) {
    let lines = row["expect"]["lines"].as_array().unwrap();
    let mut lines: Vec<_> = lines.iter().map(text).collect();
    let input = pieces.concat();
    let input = std::str::from_utf8(&input).unwrap();
    // A last line without a line end is dropped, unless the reader flushes.
    let rest = input.rsplit(['\n', '\r']).next().unwrap();
    if row["expect"]["flush"] == false && !rest.is_empty() {
        lines.push(rest);
    }
    let (mut at_start, mut after_return) = (true, false);
    let mut marked = Vec::new();
    for piece in pieces {
        let mut bytes = Vec::new();
        for &byte in piece {
            let is_second_half = after_return && byte == b'\n';
            if at_start && !is_second_half {
                bytes.extend_from_slice(b"data:");
            }
            bytes.push(byte);
            at_start = matches!(byte, b'\n' | b'\r');
            after_return = byte == b'\r';
        }
        marked.push(bytes);
    }
    marked.push(if at_start {
        b"\n".into()
    } else {
        b"\n\n".into()
    });
    let (events, _) = read(marked.iter().map(Vec::as_slice));
    let data: Vec<_> = events.iter().map(|event| utf8(&event.data)).collect();
    let expected: Vec<_> = (!lines.is_empty())
        .then(|| lines.join("\n"))
        .into_iter()
        .collect();
    assert_eq!(data, expected, "{}", row["source"]);
}

/// Tests an error in a stream: its type and its message.
fn assert_error(pieces: &[Vec<u8>], row: &Value) {
    let dialect = Anthropic::default();
    let pieces = pieces.iter().map(Vec::as_slice);
    let error = decode(&dialect, 200, Mode::Stream, pieces).unwrap_err();
    let expected = &row["expect"]["error"];
    assert_eq!(
        error.error_type(),
        expected["type"].as_str(),
        "{}",
        row["source"]
    );
    assert_eq!(
        error.message(),
        text(&expected["message"]),
        "{}",
        row["source"]
    );
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn sse_decoder() {
    let mut random = Random::new();
    let path = Path::new(env!("CORPUS")).join("sse_decoder.jsonl");
    let file = std::fs::read_to_string(path).unwrap();
    let mut count = 0;
    for line in file.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let pieces = pieces(&row);
        let expect = &row["expect"];
        count += 1;
        if expect.get("lines").is_some() {
            assert_lines(&pieces, &row);
            continue;
        }
        if expect.get("error").is_some() {
            assert_error(&pieces, &row);
            continue;
        }
        let (events, sse) = read(pieces.iter().map(Vec::as_slice));
        if expect.get("accept").is_some() {
            // A browser refuses other content types. Many proxies send wrong ones, so only the
            // bytes count here.
            assert_eq!(events.len(), 1, "{}", row["source"]);
            continue;
        }
        if let Some(retry) = expect["retry"].as_u64() {
            let retry = Some(Duration::from_millis(retry));
            assert_eq!(sse.retry(), retry, "{}", row["source"]);
        }
        assert_events(&events, &row, "as recorded");
        let input = pieces.concat();
        assert_events(&read([&input[..]]).0, &row, "in one piece");
        assert_events(&read(input.chunks(1)).0, &row, "byte by byte");
        assert_events(&read(random.pieces(&input, 9)).0, &row, "at random");
        if input.len() < 2000 {
            for at in 0..input.len() {
                let (left, right) = input.split_at(at);
                assert_events(&read([left, right]).0, &row, &format!("split at {at}"));
            }
        }
    }
    println!("sse_decoder.jsonl: {count} rows");
    assert!(count > 0);
}

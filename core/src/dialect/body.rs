//! Writing a request's body, the same way in all dialects.

use serde::Serialize;
use serde_json::Value;

use crate::chat::{ChatRequest, Part};
use crate::error::Error;

/// Writes `body` as JSON, with the request's [`extra`](ChatRequest::extra) fields in it.
///
/// # Errors
/// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an extra field that chatcore sets
/// itself.
pub(super) fn write(request: &ChatRequest, body: &impl Serialize) -> Result<Vec<u8>, Error> {
    if request.extra.get("n").is_some_and(|n| n != 1) {
        return Err(Error::invalid(
            "`n` asks for several answers in one; send several requests, for example with \
             gather_with_limit",
        ));
    }
    if request.extra.contains_key("stream") {
        return Err(Error::invalid(
            "`stream` is not set by hand: await the call for a whole answer, or take its stream()",
        ));
    }
    let written = match request.extra.is_empty() {
        true => {
            let mut bytes = Vec::with_capacity(estimate(request));
            serde_json::to_writer(&mut bytes, body).map(|()| bytes)
        }
        // A field of the caller's replaces one of ours, and JSON has no place for both.
        false => serde_json::to_value(body).and_then(|mut value| {
            if let Value::Object(fields) = &mut value {
                fields.extend(request.extra.clone());
            }
            serde_json::to_vec(&value)
        }),
    };
    written
        .map_err(|error| Error::invalid(format!("the request cannot be written as JSON: {error}")))
}

/// About how many bytes it will take, so that the buffer seldom grows.
fn estimate(request: &ChatRequest) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let texts = parts.map(|part| match part {
        Part::Text(text) => text.text.len() + text.text.len() / 8 + 48,
        _ => 256,
    });
    texts.sum::<usize>() + 256
}

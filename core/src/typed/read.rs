//! Reads a text into a type.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::mismatch::Mismatch;
use super::partial::PartialJson;
use super::wanted::Wanted;
use crate::chat::{ChatResponse, FinishReason};
use crate::error::{Error, ErrorKind};
use crate::pipeline::SchemaForm;
use crate::schema::{Fault, WRAPPER, check, strip};

/// Reads the value of an answer.
///
/// # Errors
/// [`InvalidOutput`](ErrorKind::InvalidOutput), with the answer in it. If its source is a
/// [`Mismatch`], the model may be able to correct it. `form` is how the schema was sent, which the
/// message tells if it is the reason.
pub(crate) fn answer<T: DeserializeOwned>(
    answer: &ChatResponse,
    wanted: &Wanted,
    form: SchemaForm,
) -> Result<T, Error> {
    let text = answer.text();
    let error = match value(&text, wanted) {
        Ok(value) => return Ok(value),
        Err(mismatch) => mismatch,
    };
    let error = match why_not(answer) {
        Some(why) => Error::new(ErrorKind::InvalidOutput, why),
        None => error.into_answer_error(&format!("the answer's JSON ({})", wanted.name), form),
    };
    let mut error = error
        .with_request_id(answer.request_id.clone())
        .with_partial(answer.clone());
    error.set_attempts(answer.attempts);
    Err(error)
}

/// Why the model cannot correct an answer that does not fit.
pub(super) fn why_not(answer: &ChatResponse) -> Option<&'static str> {
    const DECLINED: &str = "the model declined to answer; its words are in the partial answer";
    match &answer.finish_reason {
        Some(FinishReason::Length) => {
            Some("the answer was cut before its JSON was complete; raise max_tokens")
        }
        Some(FinishReason::ContentFilter) => Some(DECLINED),
        _ if answer.refusal().is_some() => Some(DECLINED),
        _ if answer.text().trim().is_empty() && answer.tool_calls().next().is_some() => {
            Some("the model called a tool instead of answering; send the result back first")
        }
        _ => None,
    }
}

/// Reads JSON from a text, without nulls for missing properties. If the schema was wrapped, it is
/// the wrapper.
///
/// # Errors
/// The text is not JSON.
pub(super) fn stripped(text: &str, wanted: &Wanted) -> Result<Value, Box<Mismatch>> {
    let mut json = json(text)?;
    strip(&mut json, &wanted.prepared.schema);
    Ok(json)
}

/// Why the JSON of a text does not match the schema.
pub(super) fn fault(text: &str, json: &Value, wanted: &Wanted) -> Option<Box<Mismatch>> {
    let prepared = &wanted.prepared;
    let fault = check(json, &prepared.schema).err()?;
    Some(of_fault(fault, text, json, prepared.is_wrapped))
}

/// Reads the value from a text that must match the schema and the type.
fn value<T: DeserializeOwned>(text: &str, wanted: &Wanted) -> Result<T, Box<Mismatch>> {
    let json = stripped(text, wanted)?;
    if wanted.is_checked
        && let Some(fault) = fault(text, &json, wanted)
    {
        return Err(fault);
    }
    let inner = match wanted.prepared.is_wrapped {
        true => json.get(WRAPPER).unwrap_or(&Value::Null),
        false => &json,
    };
    // The fault from the schema is clearer than the error from the type.
    typed(inner, text).map_err(|mismatch| fault(text, &json, wanted).unwrap_or(mismatch))
}

/// Reads JSON into a type.
///
/// # Errors
/// The path at which the type refuses the JSON, and the reason.
pub(super) fn typed<T: DeserializeOwned>(json: &Value, text: &str) -> Result<T, Box<Mismatch>> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        Mismatch::new(path, error.into_inner().to_string(), text, json.clone())
    })
}

fn of_fault(fault: Fault, text: &str, json: &Value, is_wrapped: bool) -> Box<Mismatch> {
    let mut path = fault.path;
    if is_wrapped && let Some(inner) = path.strip_prefix(WRAPPER) {
        path = match inner.strip_prefix('.').unwrap_or(inner) {
            "" => ".".to_owned(),
            inner => inner.to_owned(),
        };
    }
    let json = match is_wrapped {
        true => json.get(WRAPPER).cloned().unwrap_or_default(),
        false => json.clone(),
    };
    Mismatch::new(path, fault.why, text, json)
}

/// Extracts JSON from a text. Models put it into a code fence or into prose, even if asked not to.
///
/// # Errors
/// The syntax error, with the part of the JSON that could be read.
pub(super) fn json(text: &str) -> Result<Value, Box<Mismatch>> {
    let trimmed = text.trim();
    let error = match serde_json::from_str(trimmed) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    for candidate in [fenced(trimmed), braced(trimmed)].into_iter().flatten() {
        if let Ok(value) = serde_json::from_str(candidate) {
            return Ok(value);
        }
    }
    let mut partial = PartialJson::of_object();
    partial.feed(text);
    let reason = match trimmed.is_empty() {
        true => "there is no text".to_owned(),
        false => format!("the text is not JSON: {error}"),
    };
    Err(Mismatch::new(
        ".".to_owned(),
        reason,
        text,
        partial.into_value(),
    ))
}

/// The content of the first code fence.
fn fenced(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("```")?;
    let (_, inside) = after.split_once('\n')?;
    Some(&inside[..inside.rfind("```")?])
}

/// The text from the first `{` to the last `}`.
fn braced(text: &str) -> Option<&str> {
    text.get(text.find('{')?..=text.rfind('}')?)
}

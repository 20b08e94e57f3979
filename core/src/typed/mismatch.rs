//! Why a text does not fit its type.

use std::error::Error as StdError;
use std::fmt;

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::pipeline::SchemaForm;

/// Why an answer, or the arguments of a tool call, do not fit their type: the source of an error of
/// the kind [`InvalidOutput`](ErrorKind::InvalidOutput).
///
/// ```
/// use chatcore::{Mismatch, ToolCall};
///
/// let call = ToolCall::new("1", "convert", r#"{"degrees":["72"]}"#);
/// let error = call.arguments::<std::collections::HashMap<String, Vec<f64>>>().unwrap_err();
/// let mismatch = Mismatch::of(&error).unwrap();
/// assert_eq!(mismatch.path(), "degrees[0]");
/// assert_eq!(mismatch.value()["degrees"][0], "72");
/// ```
#[derive(Clone, PartialEq)]
pub struct Mismatch {
    path: String,
    reason: String,
    text: String,
    value: Value,
}

impl Mismatch {
    pub(super) fn new(path: String, reason: String, text: &str, value: Value) -> Box<Self> {
        Box::new(Self {
            path,
            reason,
            text: text.to_owned(),
            value,
        })
    }

    /// The mismatch that an error reports.
    pub fn of(error: &Error) -> Option<&Self> {
        let mut source = error.source();
        while let Some(error) = source {
            if let Some(mismatch) = error.downcast_ref() {
                return Some(mismatch);
            }
            source = error.source();
        }
        None
    }

    /// The path of the fault, such as `items[2].price`. `.` is the whole value.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there. It may quote the answer.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The text, as the model wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The JSON of the text. If the text is cut off or is not JSON, the part that could be read;
    /// null if there is none.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The error for this mismatch of `what`. The message does not quote the answer, because a
    /// server may echo a key in it.
    pub(super) fn into_error(self, what: &str) -> Error {
        self.into_answer_error(what, SchemaForm::Enforced)
    }

    /// The same for an answer whose schema was sent in this form.
    pub(super) fn into_answer_error(self, what: &str, form: SchemaForm) -> Error {
        let reason = without_quotes(&self.reason);
        let advice = form.advice();
        let message = format!("{what} does not fit: at {}, {reason}{advice}", self.path);
        Error::new(ErrorKind::InvalidOutput, message).with_source(self)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}, {}", self.path, without_quotes(&self.reason))
    }
}

impl fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mismatch")
            .field("path", &self.path)
            .field("reason", &without_quotes(&self.reason))
            .finish_non_exhaustive()
    }
}

impl StdError for Mismatch {}

/// Removes quotations of the answer from the reason: texts in `"…"`, and the name of an unknown
/// field or variant.
fn without_quotes(reason: &str) -> String {
    let mut kept = String::new();
    let mut rest = reason;
    if rest.starts_with("unknown ")
        && let Some((before, after)) = rest.split_once('`')
        && let Some((_, after)) = after.split_once('`')
    {
        kept.push_str(before);
        kept.push('…');
        rest = after;
    }
    match (rest.find('"'), rest.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            kept.push_str(&rest[..first]);
            kept.push('…');
            kept.push_str(&rest[last + 1..]);
        }
        _ => kept.push_str(rest),
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reason_quotes_is_not_in_the_error() {
        for (reason, kept) in [
            (
                "invalid type: string \"sk-\\\"1\\\"\", expected u32",
                "invalid type: string …, expected u32",
            ),
            (
                "unknown variant `sk-1`, expected `a` or `b`",
                "unknown variant …, expected `a` or `b`",
            ),
            ("missing field `age`", "missing field `age`"),
        ] {
            assert_eq!(without_quotes(reason), kept);
            let mismatch = Mismatch::new(".".into(), reason.into(), "sk-1", "sk-1".into());
            let error = mismatch.into_error("the answer");
            assert!(!format!("{error} {error:?} {error:#?}").contains("sk-"));
            assert_eq!(Mismatch::of(&error).unwrap().reason(), reason);
        }
    }
}

//! Reads the body of an error. Providers use many shapes for the same facts.
//!
//! ```text
//!  {"error": {"message", "type", "code", "param"}}     OpenAI, and most
//!  {"error": "…"}  {"message": "…"}  "…"               in a few words
//!  [{"error": …}]  {"errors": […]}                     Gemini, others
//!  {"error": {"code", "status", "message", "details"}} Google
//!  {"detail": [{"loc", "msg"}]}                        FastAPI; Mistral puts it into `message`
//!  {"base_resp": {"status_code", "status_msg"}}        MiniMax
//!  {"code", "msg"}  {"error_code", "error_msg"}        gateways
//! ```

use serde_json::{Map, Value};

use super::google::Details;
use super::plain_text::{cut, short};
use crate::json;

/// The most characters of a message that are kept. The error's body may hold more.
const MAX_MESSAGE: usize = 2000;

/// How many members of an object are searched for a name in another case.
const FEW: usize = 32;

/// The fields that may hold the message. The first one present counts.
const MESSAGES: [&str; 14] = [
    "message",
    "msg",
    "error_msg",
    "errorMessage",
    "error_message",
    "errMsg",
    "errmsg",
    "err_msg",
    "status_msg",
    "detail",
    "reason",
    "error_description",
    "description",
    "title",
];

/// The fields that may hold the code.
const CODES: [&str; 7] = [
    "code",
    "error_code",
    "errorCode",
    "err_code",
    "errcode",
    "status_code",
    "statusCode",
];

/// The fields that may hold the inner error of an envelope.
const INNER: [&str; 5] = ["error", "detail", "details", "errors", "base_resp"];

/// The contents of an error's body.
#[derive(Debug, Default)]
pub(super) struct Said {
    message: Option<String>,
    pub(super) code: Option<String>,
    pub(super) error_type: Option<String>,
    pub(super) param: Option<String>,
    /// A numeric status in the body.
    pub(super) status: Option<String>,
    /// Whether the code comes from MiniMax's `base_resp`.
    pub(super) is_base_resp: bool,
    /// The `details` of Google's errors.
    pub(super) google: Details,
}

impl Said {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => Self {
                message: filled(text).map(str::to_owned),
                ..Self::default()
            },
            Value::Array(list) => Self::of_list(list),
            Value::Object(object) => Self::of_object(object),
            _ => Self::default(),
        }
    }

    /// The message, cut if it is too long to be shown.
    pub(super) fn message(&self) -> Option<String> {
        self.message.as_deref().map(|text| cut(text, MAX_MESSAGE))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.message.is_none() && self.code.is_none() && self.error_type.is_none()
    }

    fn of_object(object: &Map<String, Value>) -> Self {
        let text = |name: &str| get(object, name).and_then(as_text);
        let code = || CODES.iter().find_map(|name| text(name));
        let mut said = Self {
            error_type: text("type").or_else(|| text("error_type")),
            param: text("param").or_else(|| get(object, "loc").and_then(path)),
            code: code(),
            google: Details::of(object),
            ..Self::default()
        };
        match get(object, "status") {
            // Gemini's status is a word, such as `INVALID_ARGUMENT`.
            Some(Value::String(word)) => {
                said.error_type = said.error_type.or_else(|| filled(word).map(short))
            }
            status => said.status = status.and_then(as_text),
        }
        said.message = MESSAGES.iter().find_map(|name| match get(object, name)? {
            Value::String(text) => filled(text).map(str::to_owned),
            // Mistral puts its list of faults into `message`. The fields of `INNER` are read below.
            // If they were read here too, each level would be read twice and the work would grow
            // exponentially.
            inner @ (Value::Object(_) | Value::Array(_)) if !INNER.contains(name) => {
                let inner = Self::of(inner);
                said.param = said.param.take().or(inner.param);
                inner.message
            }
            _ => None,
        });
        said.name_the_provider(object);
        let inner = INNER.iter().find_map(|name| {
            let inner = Self::of(get(object, name)?);
            (!inner.is_empty()).then_some((*name, inner))
        });
        let Some((name, mut inner)) = inner else {
            return said;
        };
        inner.is_base_resp |= name == "base_resp";
        if name == "details" {
            // Anthropic's `details`, beside its message.
            said.code = said.code.or(inner.code);
            said.message = said.message.or(inner.message);
            return said;
        }
        let is_text = get(object, name).is_some_and(Value::is_string);
        if is_text && let (Some(short), Some(long)) = (&inner.message, &said.message) {
            // `{"error": "Bad Request", "message": "…"}`
            inner.message = match short == long {
                true => said.message.take(),
                false => Some(format!("{short}: {long}")),
            };
        }
        // The outer `type` describes the envelope and is not used.
        inner.code = inner.code.or(said.code);
        inner.message = inner.message.or(said.message);
        inner.status = inner.status.or(said.status);
        inner
    }

    /// Gemini wraps its error in an array. FastAPI lists all faults of a request.
    fn of_list(list: &[Value]) -> Self {
        let mut all = list.iter().map(Self::of);
        let mut said = all.next().unwrap_or_default();
        if let Some(message) = &mut said.message {
            for more in all.take(9).filter_map(|more| more.message) {
                message.push_str("; ");
                message.push_str(&more);
            }
        }
        said
    }

    /// OpenRouter puts the upstream provider's error into `metadata.raw`. Its own message only says
    /// that the provider returned an error.
    fn name_the_provider(&mut self, object: &Map<String, Value>) {
        let Some(message) = &mut self.message else {
            return;
        };
        let raw = object.get("metadata").and_then(|data| data.get("raw"));
        if message == "Provider returned error"
            && let Some(raw) = raw.and_then(as_text)
        {
            message.push_str(": ");
            message.push_str(&raw);
        }
    }
}

/// A member of an object. The name's case is ignored, because some servers begin it with a capital.
fn get<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let mut members = object.iter().take(FEW);
        let (_, value) = members.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    })
}

/// Where FastAPI found an error: `["body", "messages", 0]` becomes `body.messages.0`.
fn path(value: &Value) -> Option<String> {
    let steps: Vec<_> = value.as_array()?.iter().filter_map(as_text).collect();
    Some(short(&steps.join(".")))
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => filled(text).map(short),
        Value::Number(_) => Some(json::text_of(value)),
        _ => None,
    }
}

fn filled(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

/// Whether the raw JSON of a field `error` holds an error. Some servers send an empty one beside
/// their content.
pub fn is_error(raw: &str) -> bool {
    let inside = match raw.as_bytes() {
        [b'"', inside @ .., b'"'] | [b'{', inside @ .., b'}'] | [b'[', inside @ .., b']'] => inside,
        word => return !matches!(word, b"null" | b"false" | b"0"),
    };
    !inside.trim_ascii().is_empty()
}

/// Whether a field of this name may mean that its object is an error.
pub(crate) fn may_be_envelope(name: &str) -> bool {
    name == "success" || CODES.contains(&name) || MESSAGES.contains(&name) || INNER.contains(&name)
}

/// Whether an object without content reports an error. If `is_whole`, nothing follows the object,
/// and any message counts as an error.
pub(crate) fn is_envelope(value: &Value, is_whole: bool) -> bool {
    let Value::Object(object) = value else {
        return !Said::of(value).is_empty() && (is_whole || value.is_array());
    };
    let given = |name: &str| object.get(name).filter(|value| !is_blank(value));
    if object.get("base_resp").is_some_and(is_base_resp_error) {
        return true;
    }
    let said = Said::of(value);
    let failed = object.get("success") == Some(&Value::Bool(false));
    let bad_code = CODES
        .iter()
        .any(|name| given(name).is_some_and(|code| !is_good(code)));
    let named = [
        "error",
        "errors",
        "error_msg",
        "errorMessage",
        "error_message",
        "detail",
    ];
    named.iter().any(|name| given(name).is_some())
        || ((failed || bad_code || is_whole) && said.message.is_some())
}

/// Whether MiniMax's `base_resp` reports an error. MiniMax sends this field in every answer.
pub(crate) fn is_base_resp_error(resp: &Value) -> bool {
    let code = resp.get("status_code");
    code.is_some_and(|code| !is_good(code) && !is_blank(code))
}

pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// Whether a code means success.
fn is_good(code: &Value) -> bool {
    let word = as_text(code).unwrap_or_default().to_ascii_lowercase();
    matches!(&*word, "" | "0" | "200" | "ok" | "success" | "succeeded")
}

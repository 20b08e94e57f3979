//! Converts a POST of the Responses dialect to the message `response.create`.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, Uri, header};
use serde_json::Value;
use serde_json::value::RawValue;

use super::context::{Digest, digests};

/// The fields of the POST that the message must not have.
const ONLY_HTTP: [&str; 2] = ["stream", "background"];

/// A request for a response, ready to be written as a message. Its parts are ranges in the body of
/// the POST, so nothing is copied.
#[derive(Debug)]
pub(super) struct Create {
    body: Bytes,
    /// The fields that are passed on unchanged: their names, and the ranges of their values.
    fields: Vec<(String, Range<usize>)>,
    /// `input`, if it is not an array.
    input: Option<Range<usize>>,
    /// The items of `input`.
    items: Vec<Range<usize>>,
    /// The digests of the first item, of the first two items, and so on.
    digests: Vec<Digest>,
    /// The `previous_response_id` that the caller set.
    previous: Option<String>,
}

impl Create {
    /// Reads the POST. `None` if the request must go over HTTP: it does not ask for a response, or
    /// asks for one in the background.
    pub(super) fn of(request: &Request<Bytes>, with_context: bool) -> Option<Self> {
        if request.method() != Method::POST || !request.uri().path().ends_with("/responses") {
            return None;
        }
        let body = request.body();
        let place = |value: &RawValue| {
            let start = value.get().as_ptr() as usize - body.as_ptr() as usize;
            start..start + value.get().len()
        };
        let Fields(members) = serde_json::from_slice(body).ok()?;
        let mut create = Self {
            body: body.clone(),
            fields: Vec::with_capacity(members.len()),
            input: None,
            items: Vec::new(),
            digests: Vec::new(),
            previous: None,
        };
        for (name, value) in members {
            match &*name {
                "background" if value.get() == "true" => return None,
                "input" => match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
                    Ok(items) => create.items = items.into_iter().map(place).collect(),
                    Err(_) => create.input = Some(place(value)),
                },
                "previous_response_id" if value.get() != "null" => {
                    create.previous = serde_json::from_str(value.get()).ok()?;
                }
                "previous_response_id" => {}
                name if ONLY_HTTP.contains(&name) => {}
                _ => create.fields.push((name.into_owned(), place(value))),
            }
        }
        if with_context {
            create.digests = digests(create.items.iter().map(|item| &body[item.clone()]));
        }
        Some(create)
    }

    /// The `previous_response_id` that the caller set.
    pub(super) fn previous(&self) -> Option<&str> {
        self.previous.as_deref()
    }

    /// How many items the input has; 0 if it is a single text.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The item at `at`, as JSON.
    pub(super) fn item(&self, at: usize) -> Option<&[u8]> {
        self.body.get(self.items.get(at)?.clone())
    }

    /// The digest of the first `count` items.
    pub(super) fn digest(&self, count: usize) -> Option<&Digest> {
        self.digests.get(count.checked_sub(1)?)
    }

    /// Writes the message for the lane `stream_id`. `known` is a response's id and how many items
    /// of the input the server knows up to that response; these items are left out.
    pub(super) fn message(&self, stream_id: Option<&str>, known: Option<(&str, usize)>) -> String {
        let (previous, skip) = match known {
            Some((previous, count)) => (Some(previous), count),
            None => (self.previous(), 0),
        };
        let mut text = Vec::with_capacity(1024 + self.body.len());
        text.extend_from_slice(br#"{"type":"response.create""#);
        let mut member = |name: &str, value: &[u8]| {
            text.push(b',');
            text.extend_from_slice(Value::from(name).to_string().as_bytes());
            text.push(b':');
            text.extend_from_slice(value);
        };
        for (name, value) in [("stream_id", stream_id), ("previous_response_id", previous)] {
            if let Some(value) = value {
                member(name, Value::from(value).to_string().as_bytes());
            }
        }
        for (name, value) in &self.fields {
            member(name, &self.body[value.clone()]);
        }
        match &self.input {
            Some(input) => member("input", &self.body[input.clone()]),
            None => {
                member("input", b"[");
                for (at, item) in self.items.iter().skip(skip).enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    text.extend_from_slice(&self.body[item.clone()]);
                }
                text.push(b']');
            }
        }
        text.push(b'}');
        // Every part came from valid UTF-8, so this does not fail.
        String::from_utf8(text).unwrap_or_default()
    }
}

/// Where a socket goes. Requests with an equal target, so the same URL, headers and credentials,
/// share sockets.
#[derive(Clone, PartialEq)]
pub(super) struct Target {
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

impl Target {
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        const OF_THE_BODY: [HeaderName; 4] = [
            header::CONTENT_TYPE,
            header::CONTENT_LENGTH,
            header::ACCEPT,
            header::ACCEPT_ENCODING,
        ];
        let mut headers = request.headers().clone();
        for name in OF_THE_BODY {
            headers.remove(name);
        }
        Self {
            uri: request.uri().clone(),
            headers,
        }
    }
}

/// The members of an object, in order. A repeated name is kept each time.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(member) = map.next_entry()? {
                    fields.push(member);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

//! A POST of the Responses dialect as the message `response.create`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, Uri, header};
use serde_json::Value;
use serde_json::value::RawValue;

use super::context::{Digest, digests};

/// The fields of the POST that the message does not have.
const ONLY_HTTP: [&str; 2] = ["stream", "background"];

/// A request for a response, ready to be written as a message.
#[derive(Debug)]
pub(super) struct Create {
    /// The fields that go as they came, without braces.
    fields: String,
    /// The items of `input`, as JSON; `None` where it is one text.
    items: Option<Vec<Box<RawValue>>>,
    /// `input` where it is no array.
    input: Option<Box<RawValue>>,
    /// The digest of the first item, of the first two, and so on.
    digests: Vec<Digest>,
    /// The response that the caller goes on from.
    previous: Option<String>,
}

impl Create {
    /// Reads the POST; `None` where it must go by HTTP: it is no request for a response, or for
    /// one in the background.
    pub(super) fn of(request: &Request<Bytes>, with_context: bool) -> Option<Self> {
        if request.method() != Method::POST || !request.uri().path().ends_with("/responses") {
            return None;
        }
        let body: Fields<'_> = serde_json::from_slice(request.body()).ok()?;
        let mut create = Self {
            fields: String::with_capacity(request.body().len()),
            items: None,
            input: None,
            digests: Vec::new(),
            previous: None,
        };
        for (name, value) in body.0 {
            match &*name {
                "background" if value.get() == "true" => return None,
                "input" => match serde_json::from_str(value.get()) {
                    Ok(items) => create.items = Some(items),
                    Err(_) => create.input = Some(value.to_owned()),
                },
                "previous_response_id" if value.get() != "null" => {
                    create.previous = serde_json::from_str(value.get()).ok()?;
                }
                "previous_response_id" => {}
                name if ONLY_HTTP.contains(&name) => {}
                name => create.push_field(name, value.get()),
            }
        }
        if with_context && let Some(items) = &create.items {
            create.digests = digests(items);
        }
        Some(create)
    }

    fn push_field(&mut self, name: &str, value: &str) {
        self.fields.push(',');
        self.fields.push_str(&Value::from(name).to_string());
        self.fields.push(':');
        self.fields.push_str(value);
    }

    /// The response that the caller goes on from by itself.
    pub(super) fn previous(&self) -> Option<&str> {
        self.previous.as_deref()
    }

    /// How many items the input has; 0 where it is one text.
    pub(super) fn len(&self) -> usize {
        self.items.as_ref().map_or(0, Vec::len)
    }

    /// The digest of the first `count` items.
    pub(super) fn digest(&self, count: usize) -> Option<&Digest> {
        self.digests.get(count.checked_sub(1)?)
    }

    /// The message, on the lane that is named `stream_id`. With `known`, the first so many items
    /// are left out, because the response of that id and all before it are known there.
    pub(super) fn message(&self, stream_id: Option<&str>, known: Option<(&str, usize)>) -> String {
        let mut text = String::with_capacity(self.fields.len() + 1024);
        text.push_str(r#"{"type":"response.create""#);
        let mut member = |name: &str, value: &str| {
            for piece in [",\"", name, "\":", value] {
                text.push_str(piece);
            }
        };
        if let Some(stream_id) = stream_id {
            member("stream_id", &Value::from(stream_id).to_string());
        }
        let (previous, skip) = match known {
            Some((previous, count)) => (Some(previous), count),
            None => (self.previous(), 0),
        };
        if let Some(previous) = previous {
            member("previous_response_id", &Value::from(previous).to_string());
        }
        if let Some(input) = &self.input {
            member("input", input.get());
        }
        text.push_str(&self.fields);
        if let Some(items) = &self.items {
            text.push_str(r#","input":["#);
            for (at, item) in items.iter().skip(skip).enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(item.get());
            }
            text.push(']');
        }
        text.push('}');
        text
    }
}

/// Where sockets go that may be used for one another's requests: same URL, same headers, and so
/// the same credentials.
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

/// The members of an object, in order. A name that comes twice is kept twice.
struct Fields<'a>(Vec<(std::borrow::Cow<'a, str>, &'a RawValue)>);

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

//! One message of the server: whose it is, and what it means for its lane.

use std::borrow::Cow;

use bytes::Bytes;
use chatcore::ByteStream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::create::Create;

/// A server's message, as far as lanes need it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) stream_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    headers: Option<&'a RawValue>,
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
}

/// What a message means for its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// More will come.
    Event,
    /// The response is complete: its context goes on from here.
    Completed,
    /// The response ended without a context to go on from.
    Ended,
    /// The request failed.
    Error,
}

/// What the error of a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing that a transport could do.
    None,
    /// The whole context, because the server has lost it.
    WholeContext,
    /// Another socket, because this one is too old or has no lane left.
    OtherSocket,
    /// The whole context from here on, because the server ignores what a turn goes on from.
    NoContexts,
    /// A request without a lane's name, because the server knows no lanes.
    NoLanes,
}

impl Remedy {
    /// The remedy for this request: where the caller goes on from a response by itself, only the
    /// caller knows the whole context.
    pub(super) fn for_request(self, create: &Create) -> Self {
        match self {
            Self::WholeContext if create.previous().is_some() => Self::None,
            other => other,
        }
    }
}

/// A response, as far as lanes need it.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    previous_response_id: Option<String>,
}

impl<'a> Message<'a> {
    /// Reads a message; one that is no JSON object says nothing about lanes.
    pub(super) fn of(text: &'a [u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    pub(super) fn meaning(&self) -> Meaning {
        match &*self.kind {
            "response.completed" => Meaning::Completed,
            "response.incomplete" | "response.failed" | "response.cancelled" => Meaning::Ended,
            "error" => Meaning::Error,
            "" if self.error.is_some() => Meaning::Error,
            _ => Meaning::Event,
        }
    }

    /// The id of the response that is complete.
    pub(super) fn response_id(&self) -> Option<String> {
        self.named()?.id
    }

    /// Whether the response that begins goes on from the one of this id. A server may ignore what
    /// it is asked to go on from, without a word.
    pub(super) fn goes_on_from(&self, id: &str) -> bool {
        match self.named() {
            Some(named) if self.meaning() == Meaning::Event => {
                named.previous_response_id.as_deref() == Some(id)
            }
            _ => true,
        }
    }

    fn named(&self) -> Option<Named> {
        serde_json::from_str(self.response?.get()).ok()
    }

    /// The item that is done.
    pub(super) fn done_item(&self) -> Option<Value> {
        match &*self.kind {
            "response.output_item.done" => serde_json::from_str(self.item?.get()).ok(),
            _ => None,
        }
    }

    pub(super) fn remedy(&self) -> Remedy {
        let said: Said = self
            .error
            .and_then(|error| serde_json::from_str(error.get()).ok())
            .unwrap_or_default();
        let own = self
            .code
            .and_then(|code| serde_json::from_str(code.get()).ok());
        let code: Option<String> = said.code.or(own);
        match code.as_deref() {
            Some("previous_response_not_found") => Remedy::WholeContext,
            Some("websocket_connection_limit_reached" | "websocket_stream_limit_reached") => {
                Remedy::OtherSocket
            }
            _ if said.param.as_deref() == Some("stream_id") => Remedy::NoLanes,
            _ => Remedy::None,
        }
    }

    /// The error as the answer that HTTP would have given: the message has its status and headers.
    /// `None` where it has no status: then it is an event like any other.
    pub(super) fn as_response(&self, text: &Bytes) -> Option<Response<ByteStream>> {
        let status: u16 = serde_json::from_str(self.status?.get()).ok()?;
        let status = StatusCode::from_u16(status).ok()?;
        if status.is_success() || status.is_informational() {
            return None;
        }
        let mut response = Response::new(ByteStream::from_bytes(text.clone()));
        *response.status_mut() = status;
        *response.headers_mut() = self.headers();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Some(response)
    }

    /// Headers that belong to the request; those of a connection or a body mean nothing here.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let members: Option<serde_json::Map<String, Value>> = self
            .headers
            .and_then(|headers| serde_json::from_str(headers.get()).ok());
        for (name, value) in members.into_iter().flatten().take(128) {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
                && !name.as_str().starts_with("content-")
            {
                headers.insert(name, value);
            }
        }
        headers
    }
}

/// What an error says, as far as lanes need it.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    param: Option<String>,
}

/// A message as an event of a stream: one `data:` line. A line end within JSON is white space.
pub(super) fn as_event(text: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(text.len() + 8);
    event.extend_from_slice(b"data: ");
    event.extend(text.iter().map(|byte| match byte {
        b'\r' | b'\n' => b' ',
        byte => *byte,
    }));
    event.extend_from_slice(b"\n\n");
    event.into()
}

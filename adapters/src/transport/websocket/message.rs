//! One message of the server: its lane, and what it means for that lane.

use std::borrow::Cow;

use bytes::Bytes;
use chatcore::ByteStream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::create::Create;

/// A server's message, with the fields that lanes need.
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
    /// More messages follow.
    Event,
    /// The response is complete, and the lane's context continues from it.
    Completed,
    /// The response ended without a context to continue from.
    Ended,
    /// The request failed.
    Error,
}

/// What the client can do about an error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing that a transport can do.
    None,
    /// Send the whole input, because the server has lost the context.
    WholeContext,
    /// Use another socket, because this one is too old or has no lane left.
    OtherSocket,
    /// Send the whole input from now on, because the server ignores `previous_response_id`.
    NoContexts,
    /// Send no lane name, because the server does not support lanes.
    NoLanes,
}

impl Remedy {
    /// The remedy for this request. If the caller set `previous_response_id`, only the caller knows
    /// the whole input.
    pub(super) fn for_request(self, create: &Create) -> Self {
        match self {
            Self::WholeContext if create.previous().is_some() => Self::None,
            other => other,
        }
    }
}

/// A response, with the fields that lanes need.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    previous_response_id: Option<String>,
}

impl<'a> Message<'a> {
    /// Reads a message. Text that is not a JSON object gives a message without any fields.
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

    /// The id of the message's response.
    pub(super) fn response_id(&self) -> Option<String> {
        self.named()?.id
    }

    /// Whether the response that begins continues the response `id`. A server may silently ignore
    /// `previous_response_id`.
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

    /// The item that was completed.
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

    /// The error as the HTTP response that it would have been, with the message's status and
    /// headers. `None` if the message has no status; it is then an ordinary event.
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

    /// The message's headers, without those about a body, which do not apply here.
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

/// An error, with the fields that lanes need.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    param: Option<String>,
}

/// The message as an event of a stream: one `data:` line. Line ends are replaced by blanks, because
/// in JSON both are white space.
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

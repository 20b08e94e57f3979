//! The transport: `fetch` of the host, or one that the caller gave.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::dialect::RESPONSE_HEADERS;
use chatcore::{ByteStream, Transport, TransportError, TransportErrorKind as Kind};
use futures_core::Stream;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::bridge::{self, Local};

#[wasm_bindgen]
extern "C" {
    type AbortController;
    #[wasm_bindgen(constructor)]
    fn new() -> AbortController;
    #[wasm_bindgen(method, getter)]
    fn signal(this: &AbortController) -> JsValue;
    #[wasm_bindgen(method)]
    fn abort(this: &AbortController);

    type HostResponse;
    #[wasm_bindgen(method, getter)]
    fn status(this: &HostResponse) -> u16;
    #[wasm_bindgen(method, getter, js_name = type)]
    fn kind(this: &HostResponse) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn headers(this: &HostResponse) -> HostHeaders;
    #[wasm_bindgen(method, getter)]
    fn body(this: &HostResponse) -> Option<HostBody>;
    #[wasm_bindgen(method, js_name = arrayBuffer)]
    fn array_buffer(this: &HostResponse) -> Promise;

    type HostHeaders;
    #[wasm_bindgen(method, js_name = forEach)]
    fn for_each(this: &HostHeaders, each: &mut dyn FnMut(String, String));

    type HostBody;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &HostBody) -> Result<HostReader, JsValue>;

    type HostReader;
    #[wasm_bindgen(method)]
    fn read(this: &HostReader) -> Promise;

    type HostChunk;
    #[wasm_bindgen(method, getter)]
    fn done(this: &HostChunk) -> bool;
    #[wasm_bindgen(method, getter)]
    fn value(this: &HostChunk) -> Option<Uint8Array>;
}

/// What the caller gives with a call: the function like `fetch` gets it as its third argument.
#[derive(Clone)]
pub(crate) struct More(pub(crate) Local<JsValue>);

/// The headers that the dialects set, each with its text: that of a [`HeaderName`] could be any of
/// those of the standard, which would be 1 KB of the npm package.
static REQUEST_HEADERS: [(&str, HeaderName); 5] = [
    ("content-type", CONTENT_TYPE),
    ("authorization", AUTHORIZATION),
    ("x-api-key", HeaderName::from_static("x-api-key")),
    (
        "anthropic-version",
        HeaderName::from_static("anthropic-version"),
    ),
    (BROWSER_ACCESS, HeaderName::from_static(BROWSER_ACCESS)),
];

const BROWSER_ACCESS: &str = "anthropic-dangerous-direct-browser-access";

/// `fetch`. A page may send few headers to another origin without a preflight that the server has
/// to allow: the core sends only what the dialect demands and the caller asked for, and nothing is
/// added here.
#[derive(Debug)]
pub(crate) struct Fetch {
    fetch: Local<Function>,
}

impl Fetch {
    pub(crate) fn new(fetch: Function) -> Self {
        Self {
            fetch: bridge::local(fetch),
        }
    }

    fn start(&self, request: &Request<Bytes>) -> Result<(Promise, Connection), TransportError> {
        let controller = AbortController::new();
        let headers = Object::new();
        for (name, value) in request.headers() {
            let known = REQUEST_HEADERS.iter().find(|(_, known)| known == name);
            let (Some((name, _)), Ok(value)) = (known, value.to_str()) else {
                let message = "a header that the dialect sets cannot be sent by fetch";
                return Err(TransportError::new(Kind::InvalidRequest, message));
            };
            set(&headers, name, &value.into());
        }
        let init = Object::new();
        set(&init, "method", &request.method().as_str().into());
        set(&init, "headers", &headers);
        // A copy, because the memory of the module may move under the host.
        set(&init, "body", &Uint8Array::from(&**request.body()));
        set(&init, "redirect", &"manual".into());
        set(&init, "signal", &controller.signal());
        let connection = Connection {
            controller,
            open: true,
        };
        let more = request.extensions().get::<More>();
        let more = more.map_or(JsValue::UNDEFINED, |more| JsValue::clone(&more.0));
        let promise = self
            .fetch
            .call3(
                &JsValue::UNDEFINED,
                &request.uri().to_string().into(),
                &init,
                &more,
            )
            .map_err(|error| failed(&error, false))?;
        Ok((Promise::resolve(&promise), connection))
    }
}

#[async_trait]
impl Transport for Fetch {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        bridge::future(async move {
            let (promise, connection) = self.start(&request)?;
            drop(request);
            let answer = JsFuture::from(promise).await;
            let answer: HostResponse = answer.map_err(|error| failed(&error, false))?.unchecked_into();
            if answer.kind().as_deref() == Some("opaqueredirect") {
                return Err(TransportError::new(
                    Kind::Protocol,
                    "the server redirects, and redirects are not followed: set baseURL to where it leads",
                ));
            }
            response(answer, connection)
        })
        .await
    }
}

fn response(
    answer: HostResponse,
    mut connection: Connection,
) -> Result<Response<ByteStream>, TransportError> {
    let mut headers = HeaderMap::new();
    let mut is_short = false;
    answer.headers().for_each(&mut |value, name| {
        // Up to 99,999 bytes, which need not be read in pieces.
        is_short |= name == "content-length" && value.len() <= 5;
        let known = RESPONSE_HEADERS.iter().find(|(known, _)| *known == name);
        if let (Some((_, header)), Ok(value)) = (known, HeaderValue::try_from(value)) {
            // The host has joined those of one name.
            headers.insert(header, value);
        }
    });
    let status = http::StatusCode::from_u16(answer.status()).map_err(|error| {
        TransportError::new(Kind::Protocol, "the answer's status is no HTTP status")
            .with_source(error)
    })?;
    let body = match answer.body() {
        None => {
            connection.open = false;
            ByteStream::empty()
        }
        Some(body) => {
            let source = match is_short {
                true => Source::Whole(answer),
                false => Source::Pieces(body.get_reader().map_err(|error| failed(&error, true))?),
            };
            bridge::body(Body {
                source,
                reading: None,
                connection,
            })
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// What is open at the host; aborted when it is dropped before its end.
struct Connection {
    controller: AbortController,
    open: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.open {
            self.controller.abort();
        }
    }
}

struct Body {
    source: Source,
    reading: Option<JsFuture>,
    connection: Connection,
}

/// Where a body comes from.
enum Source {
    Pieces(HostReader),
    /// In one piece, for which hosts have a shorter way.
    Whole(HostResponse),
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if !this.connection.open {
                return Poll::Ready(None);
            }
            let source = &this.source;
            let reading = this.reading.get_or_insert_with(|| {
                JsFuture::from(match source {
                    Source::Pieces(reader) => reader.read(),
                    Source::Whole(answer) => answer.array_buffer(),
                })
            });
            let read = ready!(Pin::new(reading).poll(cx));
            this.reading = None;
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    this.connection.open = false;
                    return Poll::Ready(Some(Err(failed(&error, true))));
                }
            };
            let piece = match source {
                Source::Pieces(_) => {
                    let chunk: HostChunk = read.unchecked_into();
                    this.connection.open = !chunk.done();
                    chunk.value()
                }
                Source::Whole(_) => {
                    this.connection.open = false;
                    Some(Uint8Array::new(&read))
                }
            };
            match piece {
                Some(bytes) if bytes.length() > 0 => {
                    return Poll::Ready(Some(Ok(Bytes::from(bytes.to_vec()))));
                }
                _ => {}
            }
        }
    }
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // A plain object takes any property.
    let _ = Reflect::set(object, &name.into(), value);
}

/// A property, where there are any: asking anything else for one would throw, and each exception
/// that the glue catches costs a place in its table that is never given back.
fn get(value: &JsValue, name: &str) -> Option<JsValue> {
    let found = value.is_object().then(|| Reflect::get(value, &name.into()));
    found?.ok()
}

fn text(value: &JsValue, name: &str) -> Option<String> {
    get(value, name)?.as_string()
}

/// The host's own error, which the caller gets as the cause of ours.
pub(crate) struct HostError(pub(crate) Local<JsValue>);

impl fmt::Debug for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostError")
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error of the host")
    }
}

impl std::error::Error for HostError {}

/// Whether `word`, which is not empty, stands in `text`. The two-way search of `str::contains` would
/// be much more code.
fn holds(text: &str, word: &str) -> bool {
    let mut places = text.as_bytes().windows(word.len().max(1));
    places.any(|place| place == word.as_bytes())
}

/// What the host says when a request fails. Browsers say no more than that it did; Node names
/// the cause.
fn failed(error: &JsValue, in_body: bool) -> TransportError {
    let cause = get(error, "cause").unwrap_or(JsValue::UNDEFINED);
    let code = text(&cause, "code")
        .or_else(|| text(error, "code"))
        .unwrap_or_default();
    let said = text(error, "message").unwrap_or_else(|| "the host gave no reason".to_owned());
    let why = text(&cause, "message").unwrap_or_default();
    let kind = match code.as_str() {
        "CHATCORE_KEY" => Kind::InvalidRequest,
        "ENOTFOUND" | "EAI_AGAIN" => Kind::Dns,
        "ECONNREFUSED" | "EHOSTUNREACH" | "ENETUNREACH" | "EADDRNOTAVAIL" => Kind::Connect,
        "UND_ERR_CONNECT_TIMEOUT" => Kind::ConnectTimeout,
        "UND_ERR_HEADERS_OVERFLOW" => Kind::TooLarge,
        code if code.starts_with("HPE_") => Kind::Protocol,
        code if ["CERT", "TLS", "SSL"].iter().any(|word| holds(code, word)) => Kind::Tls,
        _ if in_body => Kind::Truncated,
        "" => Kind::Connect,
        _ => Kind::Reset,
    };
    let mut message = said;
    for more in [why, code] {
        if !more.is_empty() && !holds(&message, &more) {
            message.push_str(": ");
            message.push_str(&more);
        }
    }
    TransportError::new(kind, message).with_source(HostError(bridge::local(error.clone())))
}

//! Converts between the types of `http` and of `http-types`, which surf uses.

use bytes::Bytes;
use chatcore::{ByteStream, ConnectTimeout, Target, TransportError, TransportErrorKind};
use futures_lite::io::Cursor;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use surf::http as types;

use super::body::Body;

pub(super) fn request(request: Request<Bytes>) -> Result<types::Request, TransportError> {
    let (head, body) = request.into_parts();
    // Refuses URLs that surf's own parser would read differently.
    Target::of(&head.uri)?;
    let url = types::Url::parse(&head.uri.to_string())
        .map_err(|error| invalid("the URL is not valid").with_source(error))?;
    let method: types::Method = head
        .method
        .as_str()
        .parse()
        .map_err(|_| invalid("surf does not support the request's method"))?;
    let mut request = types::Request::new(method, url);
    if !body.is_empty() {
        let length = body.len();
        request.set_body(types::Body::from_reader(Cursor::new(body), Some(length)));
        // surf sets one, which would be sent in addition to the request's own.
        request.remove_header("content-type");
    }
    for (name, value) in &head.headers {
        let value = types::headers::HeaderValue::from_bytes(value.as_bytes().to_vec())
            .map_err(|_| invalid("surf sends only headers in ASCII"))?;
        request.append_header(name.as_str(), value);
    }
    if !head.headers.contains_key(USER_AGENT) {
        let ours = concat!("chatcore/", env!("CARGO_PKG_VERSION"));
        request.insert_header("user-agent", ours);
    }
    if let Some(limit) = head.extensions.get::<ConnectTimeout>() {
        request.ext_mut().insert(*limit);
    }
    Ok(request)
}

pub(super) fn response(
    mut response: types::Response,
    to_head_request: bool,
) -> Result<Response<ByteStream>, TransportError> {
    let status = StatusCode::from_u16(response.status().into())
        .map_err(|error| malformed("the status is not valid").with_source(error))?;
    let mut converted = Response::new(ByteStream::empty());
    *converted.status_mut() = status;
    for (name, values) in response.iter() {
        let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes()) else {
            continue;
        };
        for value in values {
            // async-h1 adds a `date` header if the response has none. Its value contains a line
            // break, so it is dropped here. The core must not get it, because it would take this
            // machine's clock for the server's.
            if let Ok(value) = HeaderValue::from_str(value.as_str()) {
                converted.headers_mut().append(&name, value);
            }
        }
    }
    let no_content = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if to_head_request || no_content {
        return Ok(converted);
    }
    let headers = converted.headers();
    let length = headers
        .get(CONTENT_LENGTH)
        .filter(|_| !headers.contains_key(TRANSFER_ENCODING))
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let framed = length.is_some() || headers.contains_key(TRANSFER_ENCODING);
    let body = response.take_body();
    if !framed && body.len() == Some(0) {
        return Err(malformed("surf cannot read a body that has no length"));
    }
    *converted.body_mut() = ByteStream::new(Body::new(body.into_reader(), length));
    Ok(converted)
}

fn invalid(why: &str) -> TransportError {
    TransportError::new(TransportErrorKind::InvalidInput, why)
}

fn malformed(why: &str) -> TransportError {
    TransportError::new(TransportErrorKind::Protocol, why)
}

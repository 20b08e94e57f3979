//! Sends one HTTP request.

use bytes::{Bytes, BytesMut};
use chatcore::{ByteStream, ConnectTimeout, ErrorKind, TransportError, TransportErrorKind};
use futures_lite::StreamExt;
use http::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::{Inner, PROTOCOL_VERSION, SESSION_ID};
use crate::mcp::error::{McpError, McpErrorKind};

/// The last event that was received.
static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A request before the caller's headers and the credentials are added.
#[derive(Debug)]
pub(super) struct Post {
    method: Method,
    body: Bytes,
    pub(super) headers: HeaderMap,
}

impl Post {
    pub(super) fn new(method: Method, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        let accept = match method {
            Method::POST => "application/json, text/event-stream",
            Method::GET => "text/event-stream",
            _ => "*/*",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if method == Method::POST {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Self {
            method,
            body,
            headers,
        }
    }

    /// Asks for the events after the one with this id.
    pub(super) fn after(last_event: HeaderValue) -> Self {
        let mut post = Self::new(Method::GET, Bytes::new());
        post.headers.insert(&LAST_EVENT_ID, last_event);
        post
    }

    pub(super) fn version(mut self, name: &'static str) -> Self {
        let value = HeaderValue::from_static(name);
        self.headers.insert(&PROTOCOL_VERSION, value);
        self
    }

    pub(super) fn session(mut self, id: Option<&HeaderValue>) -> Self {
        if let Some(id) = id {
            self.headers.insert(&SESSION_ID, id.clone());
        }
        self
    }
}

impl Inner {
    /// Sends a request and waits for the head of its response. After a 401, credentials that can
    /// renew themselves do so, and the request is sent once more.
    pub(super) async fn send(&self, post: Post) -> Result<Response<ByteStream>, McpError> {
        let mut attempt = 1;
        loop {
            let mut request = Request::new(post.body.clone());
            *request.method_mut() = post.method.clone();
            *request.uri_mut() = self.url.clone();
            request
                .extensions_mut()
                .insert(ConnectTimeout(self.limits.connect));
            let headers = request.headers_mut();
            headers.extend(self.headers.clone());
            // The protocol's own win.
            for (name, value) in &post.headers {
                headers.insert(name, value.clone());
            }
            if let Some(credentials) = &self.credentials {
                let authorized = credentials.authorize(&mut request, attempt).await;
                authorized.map_err(|error| {
                    let kind = match error.kind() {
                        ErrorKind::Config => McpErrorKind::Config,
                        _ => McpErrorKind::Auth,
                    };
                    McpError::new(kind, error.message()).with_source(error)
                })?;
            }
            let response = self.transport.send(request).await.map_err(unsent)?;
            let renews = || self.credentials.as_ref().is_some_and(|it| it.renew());
            if response.status() == StatusCode::UNAUTHORIZED && attempt == 1 && renews() {
                attempt += 1;
                continue;
            }
            return Ok(response);
        }
    }

    /// Sends a message to which no answer comes.
    pub(super) async fn tell(&self, post: Post) -> Result<(), McpError> {
        let (head, body) = self.send(post).await?.into_parts();
        match head.status.is_success() {
            true => {
                // Read to its end, so that the connection can be used again.
                collect(body, 64 * 1024).await.ok();
                Ok(())
            }
            false => Err(self.refusal(&head, body, true).await),
        }
    }
}

/// Reads a body to its end.
pub(super) async fn collect(mut body: ByteStream, cap: usize) -> Result<Bytes, McpError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(unsent)?;
        if whole.len() + chunk.len() > cap {
            return Err(too_large(cap));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

pub(super) fn too_large(cap: usize) -> McpError {
    McpError::new(
        McpErrorKind::TooLarge,
        format!("the server's answer has more than {cap} bytes"),
    )
}

/// The error of a transport. A request that may have reached the server is interrupted.
pub(super) fn unsent(error: TransportError) -> McpError {
    let kind = match error.kind() {
        TransportErrorKind::Closed => McpErrorKind::Closed,
        TransportErrorKind::InvalidInput => McpErrorKind::Config,
        TransportErrorKind::Protocol => McpErrorKind::Protocol,
        TransportErrorKind::TooLarge => McpErrorKind::TooLarge,
        kind if kind.is_before_sending() => McpErrorKind::Connection,
        _ => McpErrorKind::Interrupted,
    };
    McpError::new(kind, error.to_string()).with_source(error)
}

/// Whether the response says how to authorize.
pub(super) fn asks_for_oauth(headers: &HeaderMap) -> bool {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
    let mut texts = challenges.filter_map(|value| value.to_str().ok());
    texts.any(|text| text.contains("resource_metadata"))
}

//! Encodes a request's head, and determines its origin.

use bytes::Bytes;
use chatcore::{ConnectTimeout, Target, TransportError, TransportErrorKind};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};

use crate::transport::proxy::{self, Proxy};

/// Where a connection goes. Requests with an equal origin can share connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) tls: bool,
    /// In the form of [`Host::into_bare_string`](chatcore::Host::into_bare_string).
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    pub(super) fn of(uri: &Uri) -> Result<Self, TransportError> {
        let target = Target::of(uri)?;
        Ok(Self {
            tls: target.tls,
            host: target.host.into_bare_string(),
            port: target.port,
        })
    }

    /// Host and port, an IPv6 address in brackets.
    pub(super) fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// A request, ready to be sent.
pub(super) struct Encoded {
    pub(super) method: Method,
    pub(super) head: Vec<u8>,
    pub(super) body: Bytes,
    /// Whether the request allows the connection to be reused.
    pub(super) keep_alive: bool,
    pub(super) connect_timeout: ConnectTimeout,
}

/// Writes the head of `request`. With `forward`, the request goes to that HTTP proxy: its first
/// line has the whole URL, and the proxy's credentials are added.
///
/// `ureq-proto` does not write the head, because it logs every byte of it at the level `trace`,
/// keys included.
pub(super) fn encode(
    request: Request<Bytes>,
    user_agent: &HeaderValue,
    forward: Option<&Proxy>,
) -> Result<Encoded, TransportError> {
    let (parts, body) = request.into_parts();
    if parts.method == Method::CONNECT {
        return Err(invalid("the method CONNECT is not supported"));
    }
    let headers = &parts.headers;
    let mut head = Head(Vec::with_capacity(estimate(&parts.uri, headers)));

    head.text(parts.method.as_str());
    head.text(" ");
    let authority = authority(&parts.uri);
    if forward.is_some() {
        head.text("http://");
        head.text(&authority);
    }
    head.text(parts.uri.path());
    if let Some(query) = parts.uri.query() {
        head.text("?");
        head.text(query);
    }
    head.text(" HTTP/1.1\r\n");

    match headers.get(header::HOST) {
        Some(host) => head.header(&header::HOST, host.as_bytes()),
        None => head.header(&header::HOST, authority.as_bytes()),
    }
    if !headers.contains_key(header::USER_AGENT) {
        head.header(&header::USER_AGENT, user_agent.as_bytes());
    }
    if !headers.contains_key(header::AUTHORIZATION)
        && let Some((user, password)) = parts.uri.authority().and_then(proxy::userinfo)
    {
        let value = proxy::basic(&user, &password);
        head.header(&header::AUTHORIZATION, value.as_bytes());
    }
    if let Some(value) = forward.and_then(Proxy::authorization) {
        head.header(&header::PROXY_AUTHORIZATION, value.as_bytes());
    }
    let has_content = [Method::POST, Method::PUT, Method::PATCH].contains(&parts.method);
    if has_content || !body.is_empty() {
        head.header(&header::CONTENT_LENGTH, body.len().to_string().as_bytes());
    }
    for (name, value) in headers {
        if !is_ours(name) {
            head.header(name, value.as_bytes());
        }
    }
    head.text("\r\n");

    Ok(Encoded {
        method: parts.method,
        head: head.0,
        body,
        keep_alive: !lists(headers, header::CONNECTION, "close"),
        connect_timeout: parts.extensions.get().copied().unwrap_or_default(),
    })
}

/// The head of a CONNECT request, which asks `proxy` for a tunnel.
pub(super) fn encode_connect(origin: &Origin, user_agent: &HeaderValue, proxy: &Proxy) -> Vec<u8> {
    let host = origin.authority();
    let mut head = Head(Vec::with_capacity(256));
    head.text("CONNECT ");
    head.text(&host);
    head.text(" HTTP/1.1\r\n");
    head.header(&header::HOST, host.as_bytes());
    head.header(&header::USER_AGENT, user_agent.as_bytes());
    if let Some(value) = proxy.authorization() {
        head.header(&header::PROXY_AUTHORIZATION, value.as_bytes());
    }
    head.text("\r\n");
    head.0
}

/// Whether a header `name` lists `token`.
fn lists(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|entry| entry.trim().eq_ignore_ascii_case(token))
}

/// Headers that this transport writes itself, or that would promise something it does not do.
fn is_ours(name: &HeaderName) -> bool {
    [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::EXPECT,
        header::PROXY_AUTHORIZATION,
    ]
    .contains(name)
}

/// Host and port as the `Host` header has them, without user and default port.
fn authority(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let default = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    match uri.port_u16() {
        Some(port) if port != default => format!("{host}:{port}"),
        _ => host.to_owned(),
    }
}

/// Roughly the length of the head, so that it is allocated once.
fn estimate(uri: &Uri, headers: &HeaderMap) -> usize {
    let path = uri.path_and_query().map_or(1, |path| path.as_str().len());
    let lines: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    path + lines + 192
}

struct Head(Vec<u8>);

impl Head {
    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn header(&mut self, name: &HeaderName, value: &[u8]) {
        self.text(name.as_str());
        self.text(": ");
        self.0.extend_from_slice(value);
        self.text("\r\n");
    }
}

pub(super) fn invalid(why: &str) -> TransportError {
    TransportError::new(TransportErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(request: http::request::Builder, body: &'static str, proxy: Option<&Proxy>) -> String {
        let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
        let agent = HeaderValue::from_static("chatcore/1");
        String::from_utf8(encode(request, &agent, proxy).unwrap().head).unwrap()
    }

    #[test]
    fn a_head_holds_what_the_request_says_and_what_http_needs() {
        let request = Request::post("https://API.test:8443/v1/chat?a=b#c")
            .version(http::Version::HTTP_2)
            .header("x-one", "1")
            .header("x-one", "2")
            .header("expect", "100-continue")
            .header("content-length", "7")
            .header("transfer-encoding", "chunked");
        assert_eq!(
            head(request, "hello", None),
            "POST /v1/chat?a=b HTTP/1.1\r\nhost: API.test:8443\r\nuser-agent: chatcore/1\r\n\
             content-length: 5\r\nx-one: 1\r\nx-one: 2\r\n\r\n"
        );
    }

    #[test]
    fn the_default_port_is_left_out_and_what_the_caller_says_stays() {
        let request = Request::get("http://[::1]:80?q")
            .header("user-agent", "mine")
            .header("authorization", "Bearer k");
        assert_eq!(
            head(request, "", None),
            "GET /?q HTTP/1.1\r\nhost: [::1]\r\nuser-agent: mine\r\nauthorization: Bearer k\r\n\r\n"
        );
        let request = Request::put("http://u:p@a.test/").header("host", "b.test");
        assert_eq!(
            head(request, "", None),
            "PUT / HTTP/1.1\r\nhost: b.test\r\nuser-agent: chatcore/1\r\n\
             authorization: Basic dTpw\r\ncontent-length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_forwarded_request_names_the_whole_url_and_who_we_are() {
        let proxy = Proxy::parse("http://u:p@proxy.test").unwrap();
        let request = Request::get("http://x:y@a.test:81/b");
        assert_eq!(
            head(request, "", Some(&proxy)),
            "GET http://a.test:81/b HTTP/1.1\r\nhost: a.test:81\r\nuser-agent: chatcore/1\r\n\
             authorization: Basic eDp5\r\nproxy-authorization: Basic dTpw\r\n\r\n"
        );
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin = |uri: &str| Origin::of(&uri.parse().unwrap());
        let one = origin("http://u@A.test:80/x").unwrap();
        assert_eq!(one, origin("http://a.TEST?y").unwrap());
        assert_ne!(one, origin("https://a.test:80").unwrap());
        assert_eq!(origin("https://[::1]").unwrap().host, "::1");
        for bad in ["ftp://a.test/", "/path", "a.test:80"] {
            let kind = origin(bad).unwrap_err().kind();
            assert_eq!(kind, TransportErrorKind::InvalidInput, "{bad}");
        }
    }
}

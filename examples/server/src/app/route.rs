//! Finds the handler for a path.

use trillium::Method;

/// The path of Anthropic's messages.
const MESSAGES: &str = "/v1/messages";

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Page,
    File(String),
    Package(String),
    Health,
    Status,
    Metrics,
    Models,
    Model(String),
    Chat,
    Context,
    Stream,
    Tools,
    Batch,
    Completions,
    Messages,
    Responses,
    Socket,
    /// The path exists, but only for these methods.
    NotAllowed(&'static str),
    Unknown,
}

impl Route {
    pub(super) fn of(method: Method, path: &str) -> Self {
        let (route, allowed) = match path {
            "/" => (Self::Page, "GET"),
            "/healthz" => (Self::Health, "GET"),
            "/status" => (Self::Status, "GET"),
            "/metrics" => (Self::Metrics, "GET"),
            "/v1/models" => (Self::Models, "GET"),
            "/ws/chat" => (Self::Socket, "GET"),
            "/api/chat" => (Self::Chat, "POST"),
            "/api/chat/context" => (Self::Context, "POST"),
            "/api/chat/stream" => (Self::Stream, "POST"),
            "/api/chat/tools" => (Self::Tools, "POST"),
            "/api/batch" => (Self::Batch, "POST"),
            "/v1/chat/completions" => (Self::Completions, "POST"),
            MESSAGES => (Self::Messages, "POST"),
            "/v1/responses" => (Self::Responses, "POST"),
            path => {
                let named = |prefix: &str| path.strip_prefix(prefix).map(str::to_owned);
                let found = named("/web/")
                    .map(Self::File)
                    .or_else(|| named("/chatcore/").map(Self::Package))
                    .or_else(|| named("/v1/models/").map(Self::Model));
                (found.unwrap_or(Self::Unknown), "GET")
            }
        };
        let (fits, allowed) = match (allowed, method) {
            ("POST", _) => (method == Method::Post, "POST"),
            // A WebSocket handshake cannot be a HEAD request.
            _ if route == Self::Socket => (method == Method::Get, "GET"),
            _ => (matches!(method, Method::Get | Method::Head), "GET, HEAD"),
        };
        match fits || route == Self::Unknown {
            true => route,
            false => Self::NotAllowed(allowed),
        }
    }

    /// The route's name in the metrics. The set of names is fixed, whatever paths clients request.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Page | Self::File(_) | Self::Package(_) => "page",
            Self::Health => "healthz",
            Self::Status => "status",
            Self::Metrics => "metrics",
            Self::Models | Self::Model(_) => "models",
            Self::Chat => "chat",
            Self::Context => "chat_context",
            Self::Stream => "chat_stream",
            Self::Tools => "chat_tools",
            Self::Batch => "batch",
            Self::Completions => "chat_completions",
            Self::Messages => "messages",
            Self::Responses => "responses",
            Self::Socket => "ws_chat",
            Self::NotAllowed(_) | Self::Unknown => "other",
        }
    }

    /// Whether clients of this path speak Anthropic's protocol, and so expect its errors.
    pub(super) fn is_anthropic(path: &str) -> bool {
        path == MESSAGES
    }

    /// Whether the route needs the access token. The page does not, because it asks the user for
    /// the token.
    pub(super) fn needs_token(&self) -> bool {
        !matches!(
            self,
            Self::Page | Self::File(_) | Self::Package(_) | Self::Health
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods() {
        let of = Route::of;
        assert_eq!(of(Method::Get, "/"), Route::Page);
        assert_eq!(of(Method::Post, "/api/chat"), Route::Chat);
        assert_eq!(of(Method::Get, "/api/chat"), Route::NotAllowed("POST"));
        assert_eq!(of(Method::Head, "/status"), Route::Status);
        let get = Route::NotAllowed("GET, HEAD");
        assert_eq!(of(Method::Delete, "/status"), get);
        assert_eq!(of(Method::Head, "/ws/chat"), Route::NotAllowed("GET"));
        assert_eq!(
            of(Method::Get, "/web/page.css"),
            Route::File("page.css".into())
        );
        assert_eq!(of(Method::Post, "/api"), Route::Unknown);
        assert_eq!(
            of(Method::Get, "/v1/models/a/b"),
            Route::Model("a/b".into())
        );
    }
}

//! Where a request goes.

use trillium::Method;

/// The path of Anthropic's messages.
const MESSAGES: &str = "/v1/messages";

/// Where a request goes.
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
    Batch,
    Completions,
    Messages,
    Responses,
    Socket,
    /// These methods only.
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
            // A handshake has no head alone.
            _ if route == Self::Socket => (method == Method::Get, "GET"),
            _ => (matches!(method, Method::Get | Method::Head), "GET, HEAD"),
        };
        match fits || route == Self::Unknown {
            true => route,
            false => Self::NotAllowed(allowed),
        }
    }

    /// Its name in the metrics: of a fixed set, whatever clients ask for.
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
            Self::Batch => "batch",
            Self::Completions => "chat_completions",
            Self::Messages => "messages",
            Self::Responses => "responses",
            Self::Socket => "ws_chat",
            Self::NotAllowed(_) | Self::Unknown => "other",
        }
    }

    /// Whether who asks for a path speaks Anthropic's protocol, and so expects its errors.
    pub(super) fn is_anthropic(path: &str) -> bool {
        path == MESSAGES
    }

    /// Whether it is for those with the access token only. The page has to be there to ask for it.
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

//! Tells a server that an answer is not wanted any more.

use std::sync::Arc;

use http::{HeaderValue, Method};

use super::send::Post;
use super::{Http, Inner};
use crate::mcp::channel::Ask;
use crate::mcp::limit::within;
use crate::mcp::message::cancelled;

/// Sends `notifications/cancelled` when it is dropped, unless it was disarmed. Since 2026-07-28 the
/// end of the connection says the same.
pub(super) struct Cancel {
    http: Arc<Inner>,
    request: Option<Request>,
}

struct Request {
    id: u64,
    version: &'static str,
    session: Option<HeaderValue>,
}

impl Cancel {
    pub(super) fn of(http: &Arc<Inner>, ask: &Ask<'_>) -> Self {
        let request = Request {
            id: ask.id,
            version: ask.version.name,
            session: ask.session.cloned(),
        };
        let is_told = ask.is_cancellable && !ask.version.is_stateless;
        Self {
            http: Arc::clone(http),
            request: is_told.then_some(request),
        }
    }

    /// The answer has come.
    pub(super) fn disarm(&mut self) {
        self.request = None;
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        let Some(request) = self.request.take() else {
            return;
        };
        let http = Http(Arc::clone(&self.http));
        self.http.executor.spawn(Box::pin(async move {
            let inner = &http.0;
            let post = Post::new(Method::POST, cancelled(request.id))
                .version(request.version)
                .session(request.session.as_ref());
            within(&*inner.executor, inner.limits.farewell, inner.tell(post)).await;
        }));
    }
}

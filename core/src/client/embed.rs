//! A call for embeddings, before it runs.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Backend;
use crate::admission::queue::WhenFull;
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::Error;
use crate::executor::BoxFuture;
use crate::pipeline::JobCall;
use crate::policy::retry::RetryPolicy;
use crate::policy::timeouts::Timeouts;

/// Builds a call for embeddings: set what differs from the defaults, then `.await` the call.
///
/// More texts than the provider accepts in one request (OpenAI: 2,048 texts or 300,000 tokens) are
/// split over several requests. The client's queue, rate limits, retries,
/// [`status`](super::LlmClient::status) and [`Observer`](crate::Observer) treat each request as a
/// separate call. If one request fails, the whole call fails.
///
/// Cancel-safe: dropping the future frees its permits and closes its connections. The provider may
/// have begun to answer, and may charge for it.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let texts = ["The cat sits outside.", "A man plays guitar."];
/// let answer = client
///     .embed(texts)
///     .model("text-embedding-3-small")
///     .dimensions(256)
///     .await?;
/// assert_eq!(answer.vectors.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct EmbedCall {
    backend: Arc<dyn Backend>,
    call: JobCall<EmbedRequest>,
}

impl EmbedCall {
    pub(super) fn new(backend: Arc<dyn Backend>, call: JobCall<EmbedRequest>) -> Self {
        Self { backend, call }
    }

    /// Sets the model.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.call.request.model = Some(model.into());
        self
    }

    /// Sets the length of each vector, for models that can return shorter vectors.
    pub fn dimensions(mut self, dimensions: u32) -> Self {
        self.call.request.dimensions = Some(dimensions);
        self
    }

    /// Adds a provider-specific field that chatcore has no setter for. It is sent unchanged.
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.call.request.extra.insert(name.into(), value.into());
        self
    }

    /// Sets a header for this call alone; see [`ChatCall::header`](crate::ChatCall::header).
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.call.rules.headers.set(name, value);
        self
    }

    /// Passes a value to the transport; see [`ChatCall::extension`](crate::ChatCall::extension).
    pub fn extension(mut self, value: impl Clone + Send + Sync + 'static) -> Self {
        self.call.rules.extensions.insert(value);
        self
    }

    /// Sets the overall time limit of this call, which covers all its requests. Default: the
    /// client's limit. If the client has none, 30 s for each request plus 0.9 ms for each of its
    /// tokens, up to 10 min.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.call.rules.timeouts).set_overall(Some(timeout));
        self
    }

    /// Sets all time limits of this call.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.call.rules.timeouts = Arc::new(timeouts);
        self
    }

    /// Sets how many attempts each request has in all, the first one included; 1 means no retries.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        let retry = RetryPolicy::clone(&self.call.rules.retry);
        self.call.rules.retry = Arc::new(retry.max_attempts(attempts));
        self
    }

    /// Sets what to do when the queue is full. Default: [`WhenFull::Fail`]. This applies to the
    /// first request only; later requests of the call always wait.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.call.rules.when_full = when_full;
        self
    }

    /// Waits for permits as long as it takes unless a time limit was set; see
    /// [`ChatCall::wait_for_place`](crate::ChatCall::wait_for_place).
    pub fn wait_for_place(mut self) -> Self {
        self.call.rules.waits_freely = true;
        self.call.rules.when_full = WhenFull::Wait;
        self
    }

    /// Waits for permits as long as it takes, even if the queue is full or the rate limits are used
    /// up. The overall time limit then applies to each attempt instead.
    pub fn patient(mut self) -> Self {
        self.call.rules.patient = true;
        self.call.rules.when_full = WhenFull::Wait;
        self
    }
}

impl IntoFuture for EmbedCall {
    type Output = Result<Embeddings, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.backend.embed(self.call)
    }
}

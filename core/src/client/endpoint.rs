//! The backend of a client for one endpoint.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::backend::{Answer, Backend};
#[cfg(feature = "jobs")]
use crate::catalogue::ModelInfo;
use crate::dialect::Mode;
#[cfg(feature = "jobs")]
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::Error;
use crate::executor::BoxFuture;
#[cfg(feature = "jobs")]
use crate::pipeline::JobCall;
use crate::pipeline::{self, Call, Shared};
use crate::status::Status;

/// Sends calls to one endpoint through the pipeline.
#[derive(Debug)]
pub(super) struct EndpointBackend(pub(super) Arc<Shared>);

impl Backend for EndpointBackend {
    fn open(&self, call: Call, mode: Mode) -> BoxFuture<'static, Result<Answer, Error>> {
        let shared = Arc::clone(&self.0);
        // The future is created inside the block, so that it is built in the box instead of being
        // moved there.
        Box::pin(async move {
            let opened = pipeline::chat(shared, call, mode).await?;
            Ok(Answer::of_endpoint(opened))
        })
    }

    #[cfg(feature = "jobs")]
    fn embed(&self, call: JobCall<EmbedRequest>) -> BoxFuture<'static, Result<Embeddings, Error>> {
        Box::pin(pipeline::embed(Arc::clone(&self.0), call))
    }

    #[cfg(feature = "jobs")]
    fn models(&self, call: JobCall<()>) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        Box::pin(pipeline::models(Arc::clone(&self.0), call))
    }

    #[cfg(feature = "provider-batches")]
    fn provider_batches(&self) -> Result<super::ProviderBatches, Error> {
        super::ProviderBatches::new(Arc::clone(&self.0))
    }

    fn status(&self) -> Status {
        let shared = &self.0;
        let now = shared.admission.snapshot();
        let waiting = shared
            .limiter
            .as_ref()
            .map_or(0, |limiter| limiter.waiting());
        Status {
            max_workers: shared.max_workers,
            limit: now.permits,
            active: now.active,
            queued: now.queued + waiting,
            queue_size: shared.queue_size,
            closed: now.closed,
            started: shared.counters.started.load(Relaxed),
            succeeded: shared.counters.succeeded.load(Relaxed),
            failed: shared.counters.failed.load(Relaxed),
            cancelled: shared.counters.cancelled.load(Relaxed),
            retried: shared.counters.retried.load(Relaxed),
        }
    }

    fn set_workers(&self, workers: usize) {
        if self.0.adaptive.is_none() {
            self.0.admission.set_permits(workers);
        }
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.admission.close();
        if let Some(limiter) = &self.0.limiter {
            limiter.close();
        }
        Box::pin(poll_fn(|cx| self.0.admission.poll_drained(cx)))
    }
}

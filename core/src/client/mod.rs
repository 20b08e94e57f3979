//! The client: what is asked.

mod builder;
mod call;
mod stream;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

pub use builder::LlmClientBuilder;
pub use call::ChatCall;
pub use stream::ChatStream;

use crate::chat::{ChatRequest, Message};
use crate::executor::Executor;
use crate::pipeline::Core;
use crate::policy::defaults::Defaults;
use crate::status::Status;
use crate::transport::Transport;

/// A chat client. Cheap to clone; all clones share one queue, one set of permits and one
/// transport.
///
/// It is built from the two seams and a [`Config`](crate::Config). The crate `chatcore-adapters`
/// has ready-made executors and transports for native programs.
///
/// ```
/// # use std::sync::Arc;
/// # use chatcore::{Config, Executor, LlmClient, Transport};
/// # async fn example(executor: Arc<dyn Executor>, transport: Arc<dyn Transport>) -> Result<(), chatcore::Error> {
/// let client = LlmClient::builder(executor, transport)
///     .config(Config::from_env()?)
///     .build()?;
///
/// let answer = client.chat_async("Why is the sky blue?").await?;
/// println!("{answer}");
///
/// let brief = client
///     .chat_async("Why is the sky blue?")
///     .system_prompt("Answer in one sentence.")
///     .temperature(0.2)
///     .max_tokens(60)
///     .await?;
/// println!("{}", brief.text());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LlmClient {
    core: Arc<Core>,
}

impl LlmClient {
    /// Begins a client that runs on `executor` and sends through `transport`.
    pub fn builder(executor: Arc<dyn Executor>, transport: Arc<dyn Transport>) -> LlmClientBuilder {
        LlmClientBuilder::new(executor, transport)
    }

    /// Asks one question. The defaults are the old client's: temperature 0.0, at most 256
    /// tokens, no reasoning, no system prompt. What a model refuses of them, it is not sent; see
    /// [`Defaults`].
    ///
    /// What comes back is a call that can be shaped further, then awaited for the whole answer
    /// or [streamed](ChatCall::stream). Nothing happens until then.
    ///
    /// A call that finds the queue full (`LLM_ASYNC_QUEUE_SIZE`) fails at once with
    /// [`QueueFull`](crate::ErrorKind::QueueFull), because a service under load must hear of it
    /// while it can still turn its own callers away; calls that pile up in silence only run into
    /// their time limits. A script that asks many things at once takes a
    /// [`BatchProcessor`](crate::BatchProcessor), or lets the calls wait:
    /// [`when_full`](ChatCall::when_full), [`patient`](ChatCall::patient).
    pub fn chat_async(&self, prompt: impl Into<String>) -> ChatCall {
        let request = ChatRequest::new([Message::user(prompt)]);
        ChatCall::new(Arc::clone(&self.core), request, Defaults::PROMPT)
    }

    /// Goes on with a conversation. The defaults are the old client's: temperature 0.7, at most
    /// 256 tokens, no reasoning.
    pub fn chat_with_context_async<M: Into<Message>>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> ChatCall {
        let request = ChatRequest::new(messages);
        ChatCall::new(Arc::clone(&self.core), request, Defaults::CONVERSATION)
    }

    /// Sends `request` as it is, with no defaults of chatcore's; a model that reasons by default
    /// does so.
    pub fn request(&self, request: ChatRequest) -> ChatCall {
        ChatCall::new(Arc::clone(&self.core), request, Defaults::NONE)
    }

    /// What the client does at this moment: all its numbers are of one moment, but for the
    /// counters, which only grow.
    pub fn status(&self) -> Status {
        let core = &self.core;
        let now = core.admission.snapshot();
        Status {
            max_workers: core.max_workers,
            limit: now.permits,
            active: now.active,
            queued: now.queued + core.limiter.as_ref().map_or(0, |limiter| limiter.waiting()),
            queue_size: core.queue_size,
            closed: now.closed,
            started: core.counters.started.load(Relaxed),
            succeeded: core.counters.succeeded.load(Relaxed),
            failed: core.counters.failed.load(Relaxed),
            cancelled: core.counters.cancelled.load(Relaxed),
            retried: core.counters.retried.load(Relaxed),
        }
    }

    /// Closes the client, for all its clones: what runs and what waits for its place is finished;
    /// what comes after, and what waits for a rate limit or to try again, gets
    /// [`Closed`](crate::ErrorKind::Closed). Completes when nothing runs any more. A
    /// [`ChatStream`] runs until its end or until it is dropped: awaiting this while holding one
    /// that is not read waits for ever.
    ///
    /// Cancel-safe: the client stays closed when the future is dropped.
    pub async fn close(&self) {
        self.core.admission.close();
        if let Some(limiter) = &self.core.limiter {
            limiter.close();
        }
        poll_fn(|cx| self.core.admission.poll_drained(cx)).await;
    }

    /// The executor that the client runs on.
    pub fn executor(&self) -> &Arc<dyn Executor> {
        &self.core.executor
    }
}

impl fmt::Debug for LlmClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmClient")
            .field("endpoint", &self.core.endpoint)
            .field("executor", &self.core.executor)
            .field("transport", &self.core.transport)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

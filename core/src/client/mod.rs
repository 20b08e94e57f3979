//! The client, and the calls that it builds.

mod backend;
#[cfg(feature = "provider-batches")]
mod batch_answers;
#[cfg(feature = "provider-batches")]
mod batches;
mod builder;
mod call;
#[cfg(feature = "jobs")]
mod embed;
mod endpoint;
#[cfg(feature = "jobs")]
mod jobs;
#[cfg_attr(not(feature = "limits"), path = "limits_off.rs")]
mod limits;
mod stream;

use std::fmt;
use std::sync::Arc;

pub use backend::{Answer, Backend};
#[cfg(feature = "provider-batches")]
pub use batch_answers::{BatchAnswer, BatchAnswers, BatchOutcome};
#[cfg(feature = "provider-batches")]
pub use batches::{BatchBody, BatchItem, ProviderBatches, Uploaded, may_be_created};
pub use builder::LlmClientBuilder;
pub use call::{ChatCall, ChatFuture};
#[cfg(feature = "jobs")]
pub use embed::EmbedCall;
pub use stream::ChatStream;

use crate::chat::{ChatRequest, Message};
#[cfg(feature = "provider-batches")]
use crate::error::Error;
use crate::executor::Executor;
use crate::pipeline::{Call, Rules};
use crate::policy::defaults::Defaults;
use crate::policy::retry::RetryPolicy;
use crate::policy::timeouts::Timeouts;
use crate::status::Status;
use crate::transport::Transport;

/// A chat client. Cheap to clone; all clones share one queue, one set of permits and one
/// transport.
///
/// A client is built from an [`Executor`], a [`Transport`] and a [`Config`](crate::Config). The
/// crate `chatcore-adapters` has ready-made executors and transports for native programs.
///
/// ```
/// # use std::sync::Arc;
/// # use chatcore::{Config, Executor, LlmClient, Transport};
/// # async fn example(executor: Arc<dyn Executor>, transport: Arc<dyn Transport>) -> Result<(), chatcore::Error> {
/// let client = LlmClient::builder(executor, transport)
///     .config(Config::from_env()?)
///     .build()?;
///
/// let answer = client.ask("Why is the sky blue?").await?;
/// println!("{answer}");
///
/// let brief = client
///     .ask("Why is the sky blue?")
///     .system_prompt("Answer in one sentence.")
///     .await?;
/// println!("{}", brief.text());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LlmClient {
    inner: Arc<Inner>,
}

/// What all clones of a client share.
struct Inner {
    backend: Arc<dyn Backend>,
    executor: Arc<dyn Executor>,
    /// The defaults of a call.
    timeouts: Arc<Timeouts>,
    retry: Arc<RetryPolicy>,
}

impl LlmClient {
    /// Starts building a client that runs on `executor` and sends through `transport`.
    pub fn builder(executor: Arc<dyn Executor>, transport: Arc<dyn Transport>) -> LlmClientBuilder {
        LlmClientBuilder::new(executor, transport)
    }

    /// Sends a prompt, a conversation or a whole request, with the provider's own defaults: no
    /// temperature, token limit or reasoning setting is sent unless the caller sets it. (Anthropic
    /// requires a token limit: see [`Anthropic`](crate::dialect::Anthropic).)
    ///
    /// `question` is anything that converts into a [`ChatRequest`]: `&str` and `String`, one
    /// [`Message`], arrays, slices and vectors of messages or of `(role, text)` pairs, a
    /// [`ChatRequest`].
    ///
    /// The returned [`ChatCall`] has setters; await it for the whole answer, or
    /// [stream](ChatCall::stream) it. Nothing is sent until then.
    ///
    /// ```
    /// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// use chatcore::{ChatRequest, Message};
    ///
    /// let answer = client.ask("Why is the sky blue?").await?;
    ///
    /// let mut talk = vec![Message::user("Why is the sky blue?"), answer.message];
    /// talk.push(Message::user("Say it in one sentence."));
    /// println!("{}", client.ask(&talk).await?);
    ///
    /// let request = ChatRequest::from([("system", "Be brief."), ("user", "Hello!")]).seed(7);
    /// println!("{}", client.ask(request).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// If the queue (`LLM_ASYNC_QUEUE_SIZE`) is full, the call fails at once with
    /// [`QueueFull`](crate::ErrorKind::QueueFull), so that a service under load can reject its own
    /// callers early. Calls that queued without bound would only run into their time limits. A
    /// script that makes many calls at once should use a [`BatchProcessor`](crate::BatchProcessor),
    /// or let the calls wait: [`when_full`](ChatCall::when_full), [`patient`](ChatCall::patient).
    pub fn ask(&self, question: impl Into<ChatRequest>) -> ChatCall {
        self.call(question.into(), Defaults::NONE)
    }

    /// Asks one question with the old client's defaults: temperature 0.0, at most 256 tokens, no
    /// reasoning, no system prompt. A default that the model refuses is not sent; see [`Defaults`].
    /// Everything else is as for [`ask`](Self::ask).
    pub fn chat_async(&self, prompt: impl Into<String>) -> ChatCall {
        let request = ChatRequest::new([Message::user(prompt)]);
        self.call(request, Defaults::PROMPT)
    }

    /// Continues a conversation with the old client's defaults: temperature 0.7, at most 256
    /// tokens, no reasoning. Everything else is as for [`ask`](Self::ask).
    pub fn chat_with_context_async<M: Into<Message>>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> ChatCall {
        let request = ChatRequest::new(messages);
        self.call(request, Defaults::CONVERSATION)
    }

    fn call(&self, request: ChatRequest, defaults: Defaults) -> ChatCall {
        let call = Call::new(request, defaults, self.rules());
        ChatCall::new(
            Arc::clone(&self.inner.backend),
            call,
            #[cfg(feature = "typed")]
            Arc::clone(&self.inner.executor),
        )
    }

    /// The provider's Batch API: many requests in one batch, answered within a day at half the
    /// price.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the dialect or the backend has none.
    #[cfg(feature = "provider-batches")]
    pub fn provider_batches(&self) -> Result<ProviderBatches, Error> {
        let batches = self.inner.backend.provider_batches()?;
        Ok(batches.with_rules(self.rules()))
    }

    fn rules(&self) -> Rules {
        let inner = &self.inner;
        Rules::new(Arc::clone(&inner.timeouts), Arc::clone(&inner.retry))
    }

    /// Creates a client whose calls go to `backend`, for example a router over several endpoints, a
    /// cache or a recorder. Time limits and retries have their default values unless a call sets
    /// its own.
    pub fn with_backend(executor: Arc<dyn Executor>, backend: Arc<dyn Backend>) -> Self {
        Self {
            inner: Arc::new(Inner {
                backend,
                executor,
                timeouts: Arc::default(),
                retry: Arc::default(),
            }),
        }
    }

    /// The backend that answers this client's calls, for example to wrap it in another one.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.inner.backend
    }

    /// The client's current status.
    pub fn status(&self) -> Status {
        self.inner.backend.status()
    }

    /// Changes how many requests run at once. With a higher number, the calls that have waited longest
    /// run now. With a lower one, running calls are finished, and the next one starts when fewer run.
    /// With 0, all calls wait. [`Status::limit`] is the number. Does nothing for a client with an
    /// adaptive limit.
    pub fn set_workers(&self, workers: usize) {
        self.inner.backend.set_workers(workers);
    }

    /// Closes the client and all its clones. Calls that run or wait for a permit are finished. New
    /// calls, and calls that wait for a rate limit or before a retry, fail with
    /// [`Closed`](crate::ErrorKind::Closed). Completes when no call runs any more. A [`ChatStream`]
    /// runs until its end or until it is dropped, so awaiting `close` while holding an unread
    /// stream never completes.
    ///
    /// Cancel-safe: the client stays closed when the future is dropped.
    pub async fn close(&self) {
        self.inner.backend.close().await;
    }

    /// The executor that the client runs on.
    pub fn executor(&self) -> &Arc<dyn Executor> {
        &self.inner.executor
    }
}

impl fmt::Debug for LlmClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmClient")
            .field("backend", &self.inner.backend)
            .field("executor", &self.inner.executor)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

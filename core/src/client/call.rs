//! A chat call, before and while it runs.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde_json::Value;

use super::{Answer, Backend, ChatStream};
use crate::admission::queue::WhenFull;
use crate::chat::{
    ChatRequest, ChatResponse, Message, ReasoningEffort, ResponseFormat, Tool, ToolChoice,
};
use crate::dialect::Mode;
use crate::error::Error;
use crate::executor::BoxFuture;
#[cfg(feature = "typed")]
use crate::executor::Executor;
use crate::pipeline::Call;
#[cfg(feature = "typed")]
use crate::pipeline::CallParts;
use crate::policy::defaults::Defaults;
use crate::policy::retry::RetryPolicy;
use crate::policy::timeouts::Timeouts;
use crate::time::Instant;

/// Builds one call: set what differs from the defaults, then `.await` the call for the whole
/// answer, or take its [`stream`](Self::stream).
///
/// Cancel-safe: dropping the future frees its permit and closes its connection. The provider may
/// have begun to answer, and may charge for it.
///
/// The setters of [`ChatRequest`] are available here under the same names.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use std::time::Duration;
/// use chatcore::chat::ReasoningEffort;
///
/// let call = client
///     .ask("Why is the sky blue?")
///     .system_prompt("Answer in one sentence.")
///     .reasoning_effort(ReasoningEffort::Low)
///     .timeout(Duration::from_secs(10));
/// println!("{}", call.await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until it is awaited or streamed"]
pub struct ChatCall {
    backend: Arc<dyn Backend>,
    call: Call,
    /// For typed answers and tool loops, which may take several requests.
    #[cfg(feature = "typed")]
    executor: Arc<dyn Executor>,
}

impl ChatCall {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        call: Call,
        #[cfg(feature = "typed")] executor: Arc<dyn Executor>,
    ) -> Self {
        Self {
            backend,
            call,
            #[cfg(feature = "typed")]
            executor,
        }
    }

    /// The request and the rules of the call.
    #[cfg(feature = "typed")]
    pub(crate) fn parts_mut(&mut self) -> &mut CallParts {
        &mut self.call.0
    }

    /// The executor that the call runs on.
    #[cfg(feature = "typed")]
    pub(crate) fn executor(&self) -> &Arc<dyn Executor> {
        &self.executor
    }

    /// The current time of the call's executor.
    #[cfg(feature = "typed")]
    pub(crate) fn now(&self) -> Instant {
        self.executor.now()
    }

    /// Applies one of the request's by-value setters without cloning the request.
    fn with(mut self, change: impl FnOnce(ChatRequest) -> ChatRequest) -> Self {
        let request = std::mem::take(&mut self.call.0.request);
        self.call.0.request = change(request);
        self
    }

    /// Sets the model.
    pub fn model(self, model: impl Into<String>) -> Self {
        self.with(|request| request.model(model))
    }

    /// Adds a message to the end of the conversation.
    pub fn message(self, message: impl Into<Message>) -> Self {
        self.with(|request| request.message(message))
    }

    /// Puts a system message before the conversation.
    pub fn system_prompt(self, prompt: impl Into<String>) -> Self {
        self.with(|request| request.system_prompt(prompt))
    }

    /// Sets how freely to sample, 0 to 2 (Anthropic: 0 to 1). `None` leaves it to the provider.
    pub fn temperature(mut self, temperature: impl Into<Option<f64>>) -> Self {
        self.call.0.defaults.temperature = None;
        self.with(|request| request.temperature(temperature))
    }

    /// Limits the tokens of the answer, including its reasoning. `None` leaves it to the provider.
    pub fn max_tokens(mut self, max_tokens: impl Into<Option<u32>>) -> Self {
        self.call.0.defaults.max_tokens = None;
        self.with(|request| request.max_tokens(max_tokens))
    }

    /// Samples only from the likeliest tokens that together have this probability, 0 to 1.
    pub fn top_p(self, top_p: impl Into<Option<f64>>) -> Self {
        self.with(|request| request.top_p(top_p))
    }

    /// Sets texts that end the answer.
    pub fn stop<S: Into<String>>(self, stop: impl IntoIterator<Item = S>) -> Self {
        self.with(|request| request.stop(stop))
    }

    /// Sets a seed, for providers that can repeat an answer.
    pub fn seed(self, seed: impl Into<Option<i64>>) -> Self {
        self.with(|request| request.seed(seed))
    }

    /// Adds a tool that the model may call.
    pub fn tool(self, tool: Tool) -> Self {
        self.with(|request| request.tool(tool))
    }

    /// Sets whether the model must call a tool, and which one.
    pub fn tool_choice(self, choice: impl Into<Option<ToolChoice>>) -> Self {
        self.with(|request| request.tool_choice(choice))
    }

    /// Sets how much the model should reason.
    pub fn reasoning_effort(self, effort: impl Into<Option<ReasoningEffort>>) -> Self {
        self.with(|request| request.reasoning_effort(effort))
    }

    /// Sets the form of the answer, for example JSON.
    pub fn response_format(self, format: impl Into<Option<ResponseFormat>>) -> Self {
        self.with(|request| request.response_format(format))
    }

    /// Adds a provider-specific field that chatcore has no setter for. It is sent unchanged.
    pub fn extra(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(|request| request.extra(name, value))
    }

    /// Sets defaults for fields that the request does not set. A default that the model refuses is
    /// left out. [`ask`](super::LlmClient::ask) has none;
    /// [`chat_async`](super::LlmClient::chat_async) has [`Defaults::PROMPT`], and
    /// [`chat_with_context_async`](super::LlmClient::chat_with_context_async) has
    /// [`Defaults::CONVERSATION`].
    pub fn defaults(mut self, defaults: Defaults) -> Self {
        self.call.0.defaults = defaults;
        self
    }

    /// Sets a header for this call alone, for example an idempotency key or a trace's id. The
    /// header is sent with every attempt, and replaces a header of the same name set by
    /// [`Provider::with_header`](crate::Provider::with_header). `Debug` does not show its value.
    ///
    /// The call fails with [`InvalidInput`](crate::ErrorKind::InvalidInput) before anything is sent
    /// if the name or the value is not a valid header, or if the name is reserved. Reserved are
    /// `authorization`, `content-type`, `x-api-key`, the headers of the connection (such as `host`
    /// and `content-length`), and headers that the dialect sets (such as `anthropic-version`).
    ///
    /// ```
    /// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// let answer = client
    ///     .ask("Why is the sky blue?")
    ///     .header("Idempotency-Key", "8e03978e")
    ///     .await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.call.0.rules.headers.set(name, value);
        self
    }

    /// Passes a value to the transport: it is put into the [extensions](http::Request::extensions)
    /// of each of the call's requests, for a transport that looks for this type. It replaces an
    /// earlier value of the same type.
    ///
    /// ```
    /// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// /// For a transport of one's own that has two connection pools.
    /// #[derive(Clone, Debug)]
    /// struct Pool(&'static str);
    ///
    /// let answer = client
    ///     .ask("Why is the sky blue?")
    ///     .extension(Pool("background"))
    ///     .await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn extension(mut self, value: impl Clone + Send + Sync + 'static) -> Self {
        self.call.0.rules.extensions.insert(value);
        self
    }

    /// Sets a fixed overall time limit for this call. Default: the client's limit. If the client
    /// has none, the limit depends on how long the answer may take; see [`Timeouts`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.call.0.rules.timeouts).set_overall(Some(timeout));
        self
    }

    /// Sets all time limits of this call.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.call.0.rules.timeouts = Arc::new(timeouts);
        self
    }

    /// Sets when the whole call began, if this is one of its several requests: its overall and total
    /// limits start then. Default: when the call is awaited.
    pub fn called_at(mut self, began: Instant) -> Self {
        self.call.0.rules.called = Some(began);
        self
    }

    /// Sets how many attempts this call has in all, the first one included; 1 means no retries.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        let retry = RetryPolicy::clone(&self.call.0.rules.retry);
        self.call.0.rules.retry = Arc::new(retry.max_attempts(attempts));
        self
    }

    /// Sets what to do when the queue is full. Default: [`WhenFull::Fail`].
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.call.0.rules.when_full = when_full;
        self
    }

    /// Waits for a permit as long as it takes, even if the queue is full or the rate limits are
    /// used up. The overall time limit then applies to each attempt instead. Batches do this for
    /// each of their calls.
    pub fn patient(mut self) -> Self {
        self.call.0.rules.patient = true;
        self.call.0.rules.when_full = WhenFull::Wait;
        self
    }

    /// Waits for a permit as long as it takes, even if the queue is full or the rate limits are
    /// used up, unless a time limit was set: the default overall limit begins when the call gets
    /// its permit. Use it for many calls that start at once and must all be answered. An overall
    /// limit set by the call, the client or `LLM_ASYNC_TIMEOUT` still covers the wait.
    pub fn wait_for_place(mut self) -> Self {
        self.call.0.rules.waits_freely = true;
        self.call.0.rules.when_full = WhenFull::Wait;
        self
    }

    /// Sets whether a whole answer is fetched as a stream. The result is the same. Default: only if
    /// the answer may take long, because the model reasons or the answer may have more than 2,048
    /// tokens. With a stream, time limits can measure progress, and no proxy closes a silent
    /// connection.
    pub fn fetch_as_stream(mut self, fetch_as_stream: bool) -> Self {
        self.call.0.fetches_as_stream = Some(fetch_as_stream);
        self
    }

    /// Sets whether to keep the [head](crate::ResponseHead) of the response, with its headers and
    /// the provider's rate limits. Default: false. The head is then in the answer
    /// ([`ChatResponse::head`]), in the [partial](ChatStream::partial) answer of a stream from its
    /// first event on, and in the error if the server answered the failed attempt
    /// ([`Error::head`]).
    pub fn keep_head(mut self, keep_head: bool) -> Self {
        self.call.0.keeps_head = keep_head;
        self
    }

    /// Returns the answer as a stream of events. Nothing is sent until the stream is polled. If the
    /// call fails before its first content, the error is the stream's only item.
    pub fn stream(self) -> ChatStream {
        ChatStream::new(self.backend.open(self.call, Mode::Stream))
    }
}

impl IntoFuture for ChatCall {
    type Output = Result<ChatResponse, Error>;
    type IntoFuture = ChatFuture;

    fn into_future(self) -> ChatFuture {
        ChatFuture(State::Opening(self.backend.open(self.call, Mode::Whole)))
    }
}

/// The whole answer to a [`ChatCall`], awaited. Dropping it ends the call.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use std::future::IntoFuture;
///
/// let answer: chatcore::ChatFuture = client.ask("Why is the sky blue?").into_future();
/// println!("{}", answer.await?);
/// # Ok(())
/// # }
/// ```
#[must_use = "a future does nothing until it is polled"]
pub struct ChatFuture(State);

enum State {
    Opening(BoxFuture<'static, Result<Answer, Error>>),
    /// Boxed to keep the future small: only custom backends reach this state, because an endpoint
    /// returns whole answers.
    Reading(Box<Answer>),
    Done,
}

impl Future for ChatFuture {
    type Output = Result<ChatResponse, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.0 {
                State::Opening(opening) => {
                    let opened = ready!(opening.as_mut().poll(cx));
                    self.0 = State::Done;
                    let answer = opened?;
                    if answer.is_whole(Mode::Whole) {
                        return Poll::Ready(answer.finish());
                    }
                    self.0 = State::Reading(Box::new(answer));
                }
                State::Reading(answer) => match ready!(answer.poll_next(cx)) {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        self.0 = State::Done;
                        return Poll::Ready(Err(error));
                    }
                    None => match std::mem::replace(&mut self.0, State::Done) {
                        State::Reading(answer) => return Poll::Ready(answer.finish()),
                        _ => return Poll::Pending,
                    },
                },
                // Polled after completion.
                State::Done => return Poll::Pending,
            }
        }
    }
}

impl fmt::Debug for ChatFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatFuture")
    }
}

//! One call, being shaped.

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
#[cfg(feature = "typed")]
use crate::time::Instant;

/// One call, being shaped: set what differs from the defaults, then `.await` it for the whole
/// answer, or take its [`stream`](Self::stream).
///
/// Cancel-safe: dropping the future frees its place and closes its connection; the provider may
/// have begun to answer, and may charge for it.
/// The setters of the request are those of [`ChatRequest`], by the same names.
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
    /// The clock of a call that consists of several requests.
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

    /// What the call asks for, and how it runs.
    #[cfg(feature = "typed")]
    pub(crate) fn parts_mut(&mut self) -> &mut CallParts {
        &mut self.call.0
    }

    /// The present moment of the call's executor.
    #[cfg(feature = "typed")]
    pub(crate) fn now(&self) -> Instant {
        self.executor.now()
    }

    /// Changes the request, without a copy of it.
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

    /// Sets how many tokens the answer may have at most, its reasoning included. `None` leaves it
    /// to the provider.
    pub fn max_tokens(mut self, max_tokens: impl Into<Option<u32>>) -> Self {
        self.call.0.defaults.max_tokens = None;
        self.with(|request| request.max_tokens(max_tokens))
    }

    /// Samples only from the likeliest tokens that together have this probability, 0 to 1.
    pub fn top_p(self, top_p: impl Into<Option<f64>>) -> Self {
        self.with(|request| request.top_p(top_p))
    }

    /// Sets the texts that end the answer.
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

    /// Sets whether and which tool the model must call.
    pub fn tool_choice(self, choice: impl Into<Option<ToolChoice>>) -> Self {
        self.with(|request| request.tool_choice(choice))
    }

    /// Sets how much the model should reason.
    pub fn reasoning_effort(self, effort: impl Into<Option<ReasoningEffort>>) -> Self {
        self.with(|request| request.reasoning_effort(effort))
    }

    /// Sets what form the answer must have.
    pub fn response_format(self, format: impl Into<Option<ResponseFormat>>) -> Self {
        self.with(|request| request.response_format(format))
    }

    /// Adds a field for the provider that chatcore has no name for, sent as it is.
    pub fn extra(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(|request| request.extra(name, value))
    }

    /// Sets what to ask for where the request says nothing. These are wishes: what the model
    /// refuses is left out. [`ask`](super::LlmClient::ask) has none;
    /// [`chat_async`](super::LlmClient::chat_async) has [`Defaults::PROMPT`], and
    /// [`chat_with_context_async`](super::LlmClient::chat_with_context_async) has
    /// [`Defaults::CONVERSATION`].
    pub fn defaults(mut self, defaults: Defaults) -> Self {
        self.call.0.defaults = defaults;
        self
    }

    /// Sets a header for this call alone, for example an idempotency key or a trace's id. It goes
    /// with every attempt, and replaces one of the same name that
    /// [`Provider::with_header`](crate::Provider::with_header) set. `Debug` does not show its
    /// value.
    ///
    /// What is wrong with it is told by the call, as
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), before anything is sent: a name or a
    /// value that cannot be a header; `authorization`, `content-type`, `x-api-key` and what
    /// belongs to the connection (such as `host` and `content-length`); and what the dialect sets
    /// itself (such as `anthropic-version`).
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

    /// Tells the transport something about this call: a value among the
    /// [extensions](http::Request::extensions) of each of its requests, for a transport that
    /// looks for one of this type. It replaces an earlier one of the type.
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

    /// The overall time limit of this call, whatever it asks for. Default: the client's, and where
    /// that has none, as long as the answer may take; see [`Timeouts`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.call.0.rules.timeouts).set_overall(Some(timeout));
        self
    }

    /// All time limits of this call.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.call.0.rules.timeouts = Arc::new(timeouts);
        self
    }

    /// How many attempts this call has in all, the first one included; 1 means no retries.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        let retry = RetryPolicy::clone(&self.call.0.rules.retry);
        self.call.0.rules.retry = Arc::new(retry.max_attempts(attempts));
        self
    }

    /// What to do when the queue is full. Default [`WhenFull::Fail`].
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.call.0.rules.when_full = when_full;
        self
    }

    /// Waits for its place as long as it takes, in a full queue and for the rate limits too: the
    /// overall limit then holds for each attempt instead. For one call of many; a batch does so.
    pub fn patient(mut self) -> Self {
        self.call.0.rules.patient = true;
        self.call.0.rules.when_full = WhenFull::Wait;
        self
    }

    /// Waits for its place as long as it takes, in a full queue and for the rate limits too, unless
    /// a time limit was set: the default overall limit begins when the call has its place. For
    /// calls that are made all at once and are all to be answered. An overall limit that the call,
    /// the client or `LLM_ASYNC_TIMEOUT` sets covers the wait as ever.
    pub fn wait_for_place(mut self) -> Self {
        self.call.0.rules.waits_freely = true;
        self.call.0.rules.when_full = WhenFull::Wait;
        self
    }

    /// Whether a whole answer is fetched as a stream underneath, with the same result. Default: if
    /// it may take long, because the model reasons or the answer may have more than 2,048 tokens;
    /// then time limits measure its progress, and no proxy cuts a silent connection.
    pub fn fetch_as_stream(mut self, fetch_as_stream: bool) -> Self {
        self.call.0.fetches_as_stream = Some(fetch_as_stream);
        self
    }

    /// Sets whether the [head](crate::ResponseHead) of the response is kept, with its headers and the
    /// provider's rate limits. It is in the answer ([`ChatResponse::head`]), in the
    /// [partial](ChatStream::partial) answer of a stream from its first event on, and in the error of
    /// an attempt that the server answered ([`Error::head`]). Default: false.
    pub fn keep_head(mut self, keep_head: bool) -> Self {
        self.call.0.keeps_head = keep_head;
        self
    }

    /// The answer as a stream of events, from the first content on. Nothing is sent until the
    /// stream is polled; an error before the first content is its first and last item.
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
    /// Boxed, because only the answers of other backends than an endpoint come here.
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
                // As every future that was polled after its end.
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

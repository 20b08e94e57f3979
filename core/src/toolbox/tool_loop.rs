//! A loop over the tools, before it runs.

use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;

use super::answer::ToolLoopAnswer;
use super::approval::Approval;
use super::event::Events;
use super::registry::Toolbox;
use super::run::{Run, Spent};
use super::runnable::ToolContext;
use super::settings::Settings;
use super::stream::ToolLoopStream;
use crate::chat::ChatResponse;
use crate::client::ChatCall;
use crate::error::Error;
use crate::executor::BoxFuture;

impl ChatCall {
    /// Lets the model call the tools of `toolbox`: runs the calls that it asks for, sends their
    /// results back, and asks again, until it answers or a limit is reached. See [`ToolLoop`].
    ///
    /// Set everything about the requests before this: the model, the time limits and the retries
    /// apply to each turn.
    pub fn toolbox(self, toolbox: &Toolbox) -> ToolLoop {
        ToolLoop {
            call: self,
            toolbox: toolbox.clone(),
            settings: Settings::default(),
        }
    }
}

/// A conversation in which the model calls tools: await it for the answer, or take its
/// [`stream`](Self::stream) of all steps. Created by [`ChatCall::toolbox`].
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::schemars::{self, JsonSchema};
/// use chatcore::{FunctionTool, Toolbox};
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct City {
///     name: String,
/// }
///
/// let mut tools = Toolbox::new();
/// tools.add(FunctionTool::of("weather", "The weather in a city, now.", |city: City| async move {
///     format!("18 degrees and dry in {}", city.name)
/// }))?;
///
/// let answer = client
///     .ask("Do I need an umbrella in Lyon or in Rome?")
///     .toolbox(&tools)
///     .max_turns(5)
///     .await?;
/// println!("{answer}");
/// println!("{} turns, {:?}", answer.turns, answer.usage);
/// # Ok(())
/// # }
/// ```
///
/// # Turns
/// A turn is one answer of the model, and the calls that it asks for. The calls of a turn run at
/// the same time, at most [`concurrency`](Self::concurrency) of them, each under a
/// [time limit](Self::tool_timeout). The results are sent back in the order of the calls. The
/// answer goes back as it came, with its reasoning and signatures.
///
/// A call gets an error as its result, which the model reads, if there is no such tool, if its
/// arguments do not parse or fit, if two calls have the same id, if it is
/// [refused](Self::approval), if it fails or panics, and if its time is up. The loop goes on.
///
/// If the conversation ends with calls that have no result, the loop begins with them. A call of a
/// tool that [`ChatCall::tool`] added, and that is not in the toolbox, ends the loop before any
/// call of that turn runs: the answer has the calls.
///
/// A [`tool_choice`](ChatCall::tool_choice) that requires a call applies until the first call was
/// run.
///
/// # Where tools run
/// Tools run on the task that polls the loop, not on the [`Executor`](crate::Executor), so that a
/// dropped loop leaves nothing behind: a spawned task would run on. While a tool is polled, nothing
/// else of the loop is. A tool that blocks or computes for long must move its work to a thread and
/// await it, for example with `smol::unblock(|| …)`; that work is not stopped when the loop is
/// dropped, because no thread can be.
///
/// # Limits
/// A loop ends after [10 turns](super::DEFAULT_MAX_TURNS) unless [`max_turns`](Self::max_turns)
/// says otherwise. Limits for [tokens](Self::max_total_tokens), [cost](Self::max_cost) and
/// [time](Self::timeout) are off by default. They are checked before each turn, and the time at any
/// moment. The error is [`LimitReached`](crate::ErrorKind::LimitReached), and
/// [`UnfinishedLoop`](super::UnfinishedLoop) has the conversation so far.
///
/// # Errors
/// The errors of a chat, with an [`UnfinishedLoop`](super::UnfinishedLoop) as their source, and
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) before anything is sent if a limit makes no
/// sense or if the request has a tool whose name is also in the toolbox.
///
/// Cancel-safe: dropping the future or the stream drops the futures of all running calls, and ends
/// the request. No call begins after that.
#[derive(Clone, Debug)]
#[must_use = "a loop does nothing until it is awaited or streamed"]
pub struct ToolLoop {
    pub(super) call: ChatCall,
    toolbox: Toolbox,
    settings: Settings,
}

impl ToolLoop {
    /// Sets how many times the model is asked. Default: [10](super::DEFAULT_MAX_TURNS).
    ///
    /// If the limit is reached, the calls of the last turn have run, and their results are in the
    /// conversation.
    pub fn max_turns(mut self, turns: u32) -> Self {
        self.settings.max_turns = turns;
        self
    }

    /// Sets after how many tokens, input and output of all turns together, the model is not asked
    /// again. Default: no limit. A turn may exceed it. The tokens are those that the provider
    /// reports; an answer without a report, or with one of zeros, counts with an estimate of its
    /// request and its text, as [`estimate_tokens`](crate::estimate_tokens) makes it.
    pub fn max_total_tokens(mut self, tokens: impl Into<Option<u64>>) -> Self {
        self.settings.max_tokens = tokens.into();
        self
    }

    /// Sets what an answer costs, in a currency of your choice: a function of the answer, with its
    /// model and usage. The sum is in the answer and in the events.
    ///
    /// ```
    /// # async fn example(client: chatcore::LlmClient, tools: chatcore::Toolbox) -> Result<(), chatcore::Error> {
    /// use chatcore::ChatResponse;
    ///
    /// /// US dollars, at 0.15 and 0.60 for a million tokens.
    /// fn price(answer: &ChatResponse) -> f64 {
    ///     let usage = answer.usage.clone().unwrap_or_default();
    ///     (usage.input_tokens as f64 * 0.15 + usage.output_tokens as f64 * 0.60) / 1e6
    /// }
    ///
    /// let answer = client
    ///     .ask("Plan my week.")
    ///     .toolbox(&tools)
    ///     .price(price)
    ///     .max_cost(0.05)
    ///     .await?;
    /// println!("{answer}, for {:?} dollars", answer.cost);
    /// # Ok(())
    /// # }
    /// ```
    pub fn price(mut self, price: impl Fn(&ChatResponse) -> f64 + Send + Sync + 'static) -> Self {
        self.settings.price = Some(Arc::new(price));
        self
    }

    /// Sets at which cost of all turns together the model is not asked again. Default: no limit. A
    /// turn may exceed it. It needs a [`price`](Self::price).
    pub fn max_cost(mut self, cost: impl Into<Option<f64>>) -> Self {
        self.settings.max_cost = cost.into();
        self
    }

    /// Sets the time limit for the whole loop, with all its turns and calls. Default: none; each
    /// request and each call has its own limit. When it is reached, running calls are dropped.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.settings.timeout = timeout.into();
        self
    }

    /// Sets the time limit for one call of a tool that has none of its own. Default:
    /// [60 s](super::DEFAULT_TOOL_TIMEOUT). `None` is no limit. The time that a call waits for its
    /// approval or for other calls does not count.
    pub fn tool_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.settings.tool_timeout = timeout.into();
        self
    }

    /// Sets how many calls of a turn run at once; 1 runs them one after the other, in their order.
    /// 0 counts as 1. Default: [8](super::DEFAULT_TOOL_CONCURRENCY).
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.settings.concurrency = concurrency;
        self
    }

    /// Sets the most text of one result that is sent to the model, in bytes. Default:
    /// [256 KiB](super::DEFAULT_MAX_RESULT). `None` is no limit. More is cut, and a note tells the
    /// model so, because a conversation that is too large cannot be sent again. Images and files do
    /// not count.
    ///
    /// ```
    /// # async fn example(client: chatcore::LlmClient, tools: chatcore::Toolbox) -> Result<(), chatcore::Error> {
    /// // For a model with a small context.
    /// let answer = client.ask("What is in my notes?").toolbox(&tools).max_result(16 * 1024).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_result(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.settings.max_result = bytes.into();
        self
    }

    /// Sets a hook that decides about each call before it runs: it approves or refuses the call, or
    /// changes its arguments. Default: every call runs.
    ///
    /// The hook is asked about one call at a time, in their order, so that it can talk to a person.
    /// Calls that are approved run meanwhile. Its time counts towards the loop's
    /// [`timeout`](Self::timeout) only. A hook that panics refuses the call.
    ///
    /// ```
    /// # async fn example(client: chatcore::LlmClient, tools: chatcore::Toolbox) -> Result<(), chatcore::Error> {
    /// use chatcore::Approval;
    ///
    /// let answer = client
    ///     .ask("Tidy up my files.")
    ///     .toolbox(&tools)
    ///     .approval(|call| async move {
    ///         match call.name.as_str() {
    ///             "delete_file" => Approval::refuse("files are never deleted here; move them"),
    ///             _ => Approval::Approve,
    ///         }
    ///     })
    ///     .await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn approval<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(ToolContext) -> R + Send + Sync + 'static,
        R: Future<Output = Approval> + Send + 'static,
    {
        self.settings.approve = Some(Arc::new(move |context| Box::pin(hook(context))));
        self
    }

    /// Returns the loop as a stream of its steps: the pieces of each answer, the calls, their
    /// results and the usage. Nothing is sent until the stream is polled.
    pub fn stream(self) -> ToolLoopStream {
        ToolLoopStream::new(self.into_run())
    }

    /// The loop, ready to run.
    pub(super) fn into_run(self) -> Run {
        let mut call = self.call;
        let tools = &mut call.parts_mut().request.tools;
        tools.extend(self.toolbox.definitions().cloned());
        Run {
            call,
            toolbox: self.toolbox,
            settings: self.settings,
            events: Events::default(),
            check: None,
            repairs: 0,
            spent: Spent::default(),
        }
    }
}

impl IntoFuture for ToolLoop {
    type Output = Result<ToolLoopAnswer, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.into_run().run())
    }
}

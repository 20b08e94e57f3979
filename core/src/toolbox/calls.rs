//! Runs the calls of one turn.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::approval::Approval;
use super::cap::cap;
use super::deadline::{Deadline, TimeUp};
use super::event::{Events, ToolLoopEvent};
use super::output::{ToolError, ToolOutput};
use super::prepare::{Ready, prepare};
use super::registry::Toolbox;
use super::settings::Settings;
use crate::chat::{ToolCall, ToolResult};
use crate::executor::{BoxFuture, Executor};
use crate::quote::Span;

type Outcome = Result<ToolOutput, ToolError>;

/// The calls of one turn: those that wait for the approval hook, those that wait to run, and those
/// that run.
///
/// ```text
///  waiting ─► asking (one at a time, in order) ─► approved ─► running (a limited number) ─► results
/// ```
pub(super) struct Calls<'a> {
    executor: &'a Arc<dyn Executor>,
    settings: &'a Settings,
    events: &'a Events,
    calls: &'a [ToolCall],
    waiting: VecDeque<(usize, Result<Ready, ToolError>)>,
    asking: Option<Asking>,
    approved: VecDeque<(usize, Ready)>,
    running: FuturesUnordered<BoxFuture<'static, (usize, Outcome)>>,
    results: Vec<Option<ToolResult>>,
}

/// A call about which the approval hook is asked.
struct Asking {
    index: usize,
    ready: Ready,
    /// `None` if the hook panics.
    decision: BoxFuture<'static, Option<Approval>>,
}

/// What happened next.
enum Next {
    Decided(Option<Approval>),
    Ended(usize, Outcome),
}

impl<'a> Calls<'a> {
    pub(super) fn new(
        executor: &'a Arc<dyn Executor>,
        settings: &'a Settings,
        events: &'a Events,
        toolbox: &Toolbox,
        calls: &'a [ToolCall],
        (turn, is_cut): (u32, bool),
    ) -> Self {
        let prepared = prepare(toolbox, calls, turn, is_cut);
        Self {
            executor,
            settings,
            events,
            calls,
            waiting: prepared.into_iter().enumerate().collect(),
            asking: None,
            approved: VecDeque::new(),
            running: FuturesUnordered::new(),
            results: vec![None; calls.len()],
        }
    }

    /// Runs the calls, and returns a result for each of them, in their order. If the time is up,
    /// the calls that still run are dropped, and their results say so.
    pub(super) async fn run(mut self, deadline: &mut Deadline) -> (Vec<ToolResult>, bool) {
        for (index, call) in self.calls.iter().enumerate() {
            let asked = || ToolLoopEvent::CallAsked {
                index,
                call: call.clone(),
            };
            self.events.send(asked).await;
        }
        let mut is_time_up = false;
        loop {
            self.advance().await;
            if self.asking.is_none() && self.running.is_empty() {
                break;
            }
            match deadline.limit(self.next()).await {
                Ok(Next::Decided(decision)) => self.decide(decision).await,
                Ok(Next::Ended(index, outcome)) => self.end(index, outcome).await,
                Err(TimeUp) => {
                    is_time_up = true;
                    self.stop().await;
                    break;
                }
            }
        }
        // Each call has a result now.
        (self.results.into_iter().flatten().collect(), is_time_up)
    }

    /// Asks about the next call, and begins calls that are approved, as far as the limits allow.
    async fn advance(&mut self) {
        while self.asking.is_none()
            && let Some((index, ready)) = self.waiting.pop_front()
        {
            match (ready, &self.settings.approve) {
                (Err(error), _) => self.end(index, Err(error)).await,
                (Ok(ready), None) => self.approve(index, ready).await,
                (Ok(ready), Some(approve)) => {
                    let (approve, context) = (Arc::clone(approve), ready.context.clone());
                    let decision = async move { approve(context).await };
                    let decision = AssertUnwindSafe(decision).catch_unwind();
                    self.asking = Some(Asking {
                        index,
                        ready,
                        decision: Box::pin(decision.map(Result::ok)),
                    });
                }
            }
        }
        while self.running.len() < self.settings.concurrency.max(1)
            && let Some((index, ready)) = self.approved.pop_front()
        {
            let limit = ready.tool.timeout().or(self.settings.tool_timeout);
            let deadline = Deadline::after(self.executor, limit);
            self.running
                .push(Box::pin(call(index, ready, deadline, limit)));
        }
    }

    /// Waits for the hook and for the running calls, whichever comes first.
    async fn next(&mut self) -> Next {
        let (asking, running) = (&mut self.asking, &mut self.running);
        poll_fn(|cx| {
            if let Some(asking) = asking
                && let Poll::Ready(decision) = asking.decision.as_mut().poll(cx)
            {
                return Poll::Ready(Next::Decided(decision));
            }
            match running.poll_next_unpin(cx) {
                Poll::Ready(Some((index, outcome))) => Poll::Ready(Next::Ended(index, outcome)),
                // Nothing runs while the hook is asked.
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn decide(&mut self, decision: Option<Approval>) {
        let Some(Asking {
            index, mut ready, ..
        }) = self.asking.take()
        else {
            return;
        };
        let reason = match decision {
            Some(Approval::Approve) => return self.approve(index, ready).await,
            Some(Approval::Change(arguments)) => {
                ready.context.arguments = arguments;
                return self.approve(index, ready).await;
            }
            Some(Approval::Refuse(reason)) => reason,
            None => "the approval of the call failed".to_owned(),
        };
        let refused = || ToolLoopEvent::CallRefused {
            index,
            reason: reason.clone(),
        };
        self.events.send(refused).await;
        self.end(index, Err(ToolError::new(reason))).await;
    }

    async fn approve(&mut self, index: usize, ready: Ready) {
        let approved = || ToolLoopEvent::CallApproved {
            index,
            arguments: ready.context.arguments.clone(),
        };
        self.events.send(approved).await;
        self.approved.push_back((index, ready));
    }

    /// Keeps the result of a call.
    async fn end(&mut self, index: usize, outcome: Outcome) {
        let (mut content, is_error) = match outcome {
            Ok(output) => (output.content, false),
            Err(error) => (error.content, true),
        };
        if let Some(limit) = self.settings.max_result {
            cap(&mut content, limit);
        }
        let mut result = ToolResult::new(&self.calls[index].id, "");
        // A result without any part is no valid message for some providers.
        if !content.is_empty() {
            result.content = content;
        }
        result.is_error = is_error;
        let ended = || ToolLoopEvent::CallResult {
            index,
            result: result.clone(),
        };
        self.events.send(ended).await;
        self.results[index] = Some(result);
    }

    /// Drops the calls that run, and gives every call without a result an error.
    async fn stop(&mut self) {
        self.running.clear();
        self.asking = None;
        let not_begun: Vec<usize> = (self.waiting.drain(..).map(|(index, _)| index))
            .chain(self.approved.drain(..).map(|(index, _)| index))
            .collect();
        for index in 0..self.calls.len() {
            if self.results[index].is_some() {
                continue;
            }
            let why = match not_begun.contains(&index) {
                true => "not run, because the time for this conversation was up",
                false => {
                    "stopped before it had ended, because the time for this conversation was up; \
                     it may have had effects"
                }
            };
            self.end(index, Err(ToolError::new(why))).await;
        }
    }
}

/// Runs one call under its time limit. A panic is an error.
async fn call(
    index: usize,
    Ready { tool, context }: Ready,
    mut deadline: Deadline,
    limit: Option<Duration>,
) -> (usize, Outcome) {
    let running = async move { tool.run(context).await };
    let running: Pin<Box<_>> = Box::pin(AssertUnwindSafe(running).catch_unwind());
    let outcome = match deadline.limit(running).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(ToolError::new(
            "the tool failed because of a bug in it (it panicked); it may have had effects",
        )),
        Err(TimeUp) => Err(ToolError::new(format!(
            "the tool did not end within {}; it was stopped, and may have had effects",
            Span(limit.unwrap_or_default())
        ))),
    };
    (index, outcome)
}

//! The loop: asks the model, runs its calls, sends the results back, and begins again.

use super::answer::ToolLoopAnswer;
use super::calls::Calls;
use super::deadline::{Deadline, TimeUp};
use super::event::{Events, ToolLoopEvent};
use super::limits::ToolLoopLimit;
use super::open::open_calls;
use super::registry::Toolbox;
use super::settings::Settings;
use super::turn;
use super::unfinished::UnfinishedLoop;
use crate::chat::{ChatResponse, FinishReason, Message, Part, Role, ToolCall, ToolChoice, Usage};
use crate::client::ChatCall;
use crate::error::{Error, ErrorKind};
use crate::policy::estimate::used;
use crate::quote::Span;
use crate::typed::{Mismatch, correction};

/// Checks a final answer. An error with a [`Mismatch`] can be corrected by the model.
pub(super) type Check = Box<dyn Fn(&ChatResponse) -> Result<(), Error> + Send + Sync>;

/// A loop that runs.
pub(super) struct Run {
    /// The request grows with the conversation.
    pub(super) call: ChatCall,
    pub(super) toolbox: Toolbox,
    pub(super) settings: Settings,
    pub(super) events: Events,
    pub(super) check: Option<Check>,
    /// How often the model may correct a final answer.
    pub(super) repairs: u32,
    pub(super) spent: Spent,
}

/// What all turns together took.
#[derive(Debug, Default)]
pub(super) struct Spent {
    turns: u32,
    attempts: u32,
    usage: Option<Usage>,
    /// The tokens of the answers whose usage the provider did not report.
    estimated: u64,
    cost: Option<f64>,
}

/// What follows an answer.
enum Then {
    /// The calls run, and the model is asked again.
    Calls(Vec<ToolCall>),
    /// The model goes on with its own answer.
    GoOn,
    /// The answer is final.
    Finish,
}

impl Run {
    /// Runs the loop to its end. Every error has the state of the loop as its source.
    pub(super) async fn run(mut self) -> Result<ToolLoopAnswer, Error> {
        match self.steps().await {
            Ok(response) => Ok(ToolLoopAnswer {
                response,
                messages: std::mem::take(self.messages()),
                usage: self.spent.usage,
                cost: self.spent.cost,
                turns: self.spent.turns,
                attempts: self.spent.attempts,
            }),
            Err((limit, mut error)) => {
                error.set_attempts(error.attempts().saturating_add(self.spent.attempts));
                Err(error.with_outer_source(|source| UnfinishedLoop {
                    messages: std::mem::take(self.messages()),
                    limit,
                    usage: self.spent.usage.take(),
                    cost: self.spent.cost,
                    turns: self.spent.turns,
                    source,
                }))
            }
        }
    }

    async fn steps(&mut self) -> Result<ChatResponse, (Option<ToolLoopLimit>, Error)> {
        let failed = |error| (None, error);
        self.settings.validate().map_err(failed)?;
        let executor = self.call.executor();
        let mut deadline = Deadline::after(executor, self.settings.timeout);
        let open = open_calls(self.messages());
        if !open.is_empty() {
            self.run_calls(&open, false, &mut deadline).await?;
        }
        loop {
            self.check_limits(&deadline)?;
            let turn = self.spent.turns + 1;
            let start = || ToolLoopEvent::TurnStart { turn };
            self.events.send(start).await;
            let asked = turn::ask(self.call.clone(), &self.events, &mut deadline).await;
            let response = match asked {
                Ok(answered) => answered.map_err(failed)?,
                Err(TimeUp) => return Err(self.time_up()),
            };
            self.spend(&response).map_err(failed)?;
            match self.follow(&response) {
                Then::Calls(calls) => {
                    let is_cut = response.finish_reason == Some(FinishReason::Length);
                    let usage = response.usage.clone();
                    self.push(response.message);
                    self.run_calls(&calls, is_cut, &mut deadline).await?;
                    self.let_the_model_choose();
                    self.end_turn(usage).await;
                }
                Then::GoOn => {
                    let usage = response.usage.clone();
                    self.push(response.message);
                    self.end_turn(usage).await;
                }
                Then::Finish => {
                    self.push(response.message.clone());
                    self.end_turn(response.usage.clone()).await;
                    if !self.correct(&response).map_err(failed)? {
                        let turns = self.spent.turns;
                        self.events.send(|| ToolLoopEvent::Finish { turns }).await;
                        return Ok(response);
                    }
                }
            }
        }
    }

    fn messages(&mut self) -> &mut Vec<Message> {
        &mut self.call.parts_mut().request.messages
    }

    /// Adds a message. An empty answer is left out, because no provider accepts it.
    fn push(&mut self, message: Message) {
        if !message.parts.is_empty() || !message.extra.is_empty() {
            self.messages().push(message);
        }
    }

    fn spend(&mut self, response: &ChatResponse) -> Result<(), Error> {
        // Some servers report zeros.
        let is_reported = (response.usage.as_ref()).is_some_and(|usage| usage.total_tokens() > 0);
        let estimated = match self.settings.max_tokens {
            Some(_) if !is_reported => used(&self.call.parts_mut().request, &response.message),
            _ => 0,
        };
        let spent = &mut self.spent;
        spent.turns += 1;
        spent.attempts = spent.attempts.saturating_add(response.attempts);
        spent.estimated = spent.estimated.saturating_add(estimated);
        if let Some(usage) = &response.usage {
            let mut total = usage.clone();
            if let Some(before) = &spent.usage {
                total.add(before);
            }
            spent.usage = Some(total);
        }
        if let Some(cost) = self.settings.cost_of(response)? {
            *spent.cost.get_or_insert_default() += cost;
        }
        Ok(())
    }

    async fn end_turn(&self, usage: Option<Usage>) {
        let spent = &self.spent;
        let end = || ToolLoopEvent::TurnEnd {
            turn: spent.turns,
            usage,
            total_usage: spent.usage.clone(),
            cost: spent.cost,
        };
        self.events.send(end).await;
    }

    /// What follows an answer. A tool of the request that is not in the toolbox is the caller's to
    /// run, so that its call ends the loop. So does an answer that the provider or the model broke
    /// off for what it says.
    fn follow(&mut self, response: &ChatResponse) -> Then {
        match response.finish_reason {
            Some(FinishReason::Pause) => return Then::GoOn,
            Some(FinishReason::ContentFilter | FinishReason::Refusal) => return Then::Finish,
            _ => {}
        }
        let calls: Vec<ToolCall> = response.tool_calls().cloned().collect();
        let toolbox = &self.toolbox;
        let tools = &self.call.parts_mut().request.tools;
        let is_callers = |call: &ToolCall| {
            toolbox.get(&call.name).is_none() && tools.iter().any(|tool| tool.name == call.name)
        };
        match calls.is_empty() || calls.iter().any(is_callers) {
            true => Then::Finish,
            false => Then::Calls(calls),
        }
    }

    /// Runs calls and adds their results to the conversation.
    async fn run_calls(
        &mut self,
        calls: &[ToolCall],
        is_cut: bool,
        deadline: &mut Deadline,
    ) -> Result<(), (Option<ToolLoopLimit>, Error)> {
        let running = Calls::new(
            self.call.executor(),
            &self.settings,
            &self.events,
            &self.toolbox,
            calls,
            (self.spent.turns, is_cut),
        );
        let (results, is_time_up) = running.run(deadline).await;
        let results: Vec<Part> = results.into_iter().map(Part::from).collect();
        self.messages().push(Message::new(Role::Tool, results));
        match is_time_up {
            true => Err(self.time_up()),
            false => Ok(()),
        }
    }

    /// Leaves it to the model whether to call a tool. A model that had to call one would call it
    /// again in every turn.
    fn let_the_model_choose(&mut self) {
        let choice = &mut self.call.parts_mut().request.tool_choice;
        if matches!(choice, Some(ToolChoice::Required | ToolChoice::Tool(_))) {
            *choice = None;
        }
    }

    /// Checks the final answer. Returns whether the model is asked to correct it.
    fn correct(&mut self, response: &ChatResponse) -> Result<bool, Error> {
        let Some(error) = (self.check.as_ref()).and_then(|check| check(response).err()) else {
            return Ok(false);
        };
        match Mismatch::of(&error) {
            Some(mismatch) if self.repairs > 0 => {
                self.repairs -= 1;
                let message = correction(mismatch);
                self.messages().push(message);
                Ok(true)
            }
            _ => {
                // Its attempts are counted already.
                let mut error = error;
                error.set_attempts(0);
                Err(error)
            }
        }
    }

    fn check_limits(&self, deadline: &Deadline) -> Result<(), (Option<ToolLoopLimit>, Error)> {
        let (settings, spent) = (&self.settings, &self.spent);
        if deadline.is_reached() {
            return Err(self.time_up());
        }
        let reported = spent.usage.as_ref().map_or(0, Usage::total_tokens);
        let tokens = reported.saturating_add(spent.estimated);
        let cost = spent.cost.unwrap_or_default();
        if spent.turns >= settings.max_turns {
            let limit = match settings.max_turns {
                1 => "1 turn".to_owned(),
                most => format!("{most} turns"),
            };
            return Err(reached(ToolLoopLimit::Turns, &limit, "max_turns"));
        }
        if let Some(most) = settings.max_tokens.filter(|most| tokens >= *most) {
            let estimated = match spent.estimated {
                0 => String::new(),
                count => format!(", of which {count} are an estimate"),
            };
            let limit = format!("{most} tokens, with {tokens}{estimated}");
            return Err(reached(ToolLoopLimit::Tokens, &limit, "max_total_tokens"));
        }
        if let Some(most) = settings.max_cost.filter(|most| cost >= *most)
            && spent.turns > 0
        {
            let limit = format!("a cost of {most}, with {cost}");
            return Err(reached(ToolLoopLimit::Cost, &limit, "max_cost"));
        }
        Ok(())
    }

    fn time_up(&self) -> (Option<ToolLoopLimit>, Error) {
        let limit = Span(self.settings.timeout.unwrap_or_default());
        reached(ToolLoopLimit::Time, &limit.to_string(), "timeout")
    }
}

/// The error for a limit that was reached.
fn reached(limit: ToolLoopLimit, amount: &str, setter: &str) -> (Option<ToolLoopLimit>, Error) {
    let message = format!(
        "the tool loop reached its limit of {amount}, before the model answered; raise it with \
         .{setter}(), or go on with the messages in UnfinishedLoop::of(&error)"
    );
    (Some(limit), Error::new(ErrorKind::LimitReached, message))
}

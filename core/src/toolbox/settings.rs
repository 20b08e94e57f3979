//! The settings of a loop, and their defaults.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::approval::Approve;
use crate::chat::ChatResponse;
use crate::error::{Error, ErrorKind};

/// How many times a loop asks the model, unless [`ToolLoop::max_turns`](super::ToolLoop::max_turns)
/// says otherwise: as the OpenAI Agents SDK does (`DEFAULT_MAX_TURNS`, read 2026-11-29).
///
/// No example here: the setter has one.
pub const DEFAULT_MAX_TURNS: u32 = 10;

/// The time limit for one call of a tool, unless
/// [`ToolLoop::tool_timeout`](super::ToolLoop::tool_timeout) or the tool says otherwise: as for the
/// requests of the MCP SDK (`DEFAULT_REQUEST_TIMEOUT_MSEC`, read 2026-11-29).
///
/// No example here: the setter has one.
pub const DEFAULT_TOOL_TIMEOUT: Duration = Duration::from_secs(60);

/// How many calls of a turn run at once, unless
/// [`ToolLoop::concurrency`](super::ToolLoop::concurrency) says otherwise.
///
/// No example here: the setter has one.
pub const DEFAULT_TOOL_CONCURRENCY: usize = 8;

/// The most text of one result that is sent to the model, in bytes, unless
/// [`ToolLoop::max_result`](super::ToolLoop::max_result) says otherwise: 256 KiB, about 65,000
/// tokens of English.
///
/// No example here: the setter has one.
pub const DEFAULT_MAX_RESULT: usize = 256 * 1024;

/// What an answer costs, in the caller's currency.
pub(super) type Price = Arc<dyn Fn(&ChatResponse) -> f64 + Send + Sync>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) max_turns: u32,
    pub(super) max_tokens: Option<u64>,
    pub(super) max_cost: Option<f64>,
    pub(super) price: Option<Price>,
    /// The limit of the whole loop.
    pub(super) timeout: Option<Duration>,
    /// The limit of one call.
    pub(super) tool_timeout: Option<Duration>,
    pub(super) concurrency: usize,
    /// The most bytes of text in one result.
    pub(super) max_result: Option<usize>,
    pub(super) approve: Option<Approve>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_turns: DEFAULT_MAX_TURNS,
            max_tokens: None,
            max_cost: None,
            price: None,
            timeout: None,
            tool_timeout: Some(DEFAULT_TOOL_TIMEOUT),
            concurrency: DEFAULT_TOOL_CONCURRENCY,
            max_result: Some(DEFAULT_MAX_RESULT),
            approve: None,
        }
    }
}

impl Settings {
    /// Refuses settings with which no loop can run.
    pub(super) fn validate(&self) -> Result<(), Error> {
        if self.max_turns == 0 {
            return Err(Error::invalid(
                "max_turns is 0, so the model would never be asked",
            ));
        }
        match self.max_cost {
            Some(most) if most.is_nan() || most < 0.0 => Err(Error::invalid(
                "max_cost must be a number of at least 0, in the currency of the price",
            )),
            Some(_) if self.price.is_none() => Err(Error::invalid(
                "max_cost needs a price: set it with .price(|answer| …)",
            )),
            _ => Ok(()),
        }
    }

    /// What an answer costs. `None` without a price.
    pub(super) fn cost_of(&self, answer: &ChatResponse) -> Result<Option<f64>, Error> {
        let Some(price) = &self.price else {
            return Ok(None);
        };
        let cost = price(answer);
        match cost.is_finite() {
            true => Ok(Some(cost)),
            false => {
                let why = "the price function of the tool loop returned no finite number";
                Err(Error::new(ErrorKind::Internal, why))
            }
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("max_turns", &self.max_turns)
            .field("max_tokens", &self.max_tokens)
            .field("max_cost", &self.max_cost)
            .field("price", &self.price.is_some())
            .field("timeout", &self.timeout)
            .field("tool_timeout", &self.tool_timeout)
            .field("concurrency", &self.concurrency)
            .field("max_result", &self.max_result)
            .field("approve", &self.approve.is_some())
            .finish()
    }
}

//! The main loop: handles results, signals and ticks.

use std::pin::pin;
use std::time::{Duration, Instant};

use async_signal::{Signal, Signals};
use chatcore::{Error, Finished, JournalRun};
use futures_lite::{FutureExt, StreamExt};
use smol::Timer;

use super::show::Show;
use super::stats::Stats;
use crate::failure::Failure;
use crate::say;

/// How often the display is updated.
const TICK: Duration = Duration::from_millis(200);

/// When to stop sending requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max_cost: Option<f64>,
    pub(super) deadline: Option<Duration>,
}

impl Limits {
    /// Whether the run has cost as much as it may.
    pub(super) fn is_over_cost(&self, stats: &Stats) -> bool {
        self.max_cost
            .is_some_and(|most| stats.cost().is_some_and(|cost| cost >= most))
    }
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Every item has a result.
    All,
    /// Stopped early, for this reason. The run can be resumed.
    Stopped(&'static str),
    /// The batches at the provider were cancelled. The run can be resumed.
    Cancelled,
    Failed(Error),
}

enum Event {
    Finished(Box<Option<Result<Finished, Error>>>),
    Signal,
    Tick,
}

/// Runs until every item has a result, or until a signal, a limit or an error stops the run.
pub(super) async fn to_the_end(
    mut run: JournalRun,
    mut stats: Stats,
    show: &mut Show,
    limits: Limits,
) -> Result<(Ended, Stats), Failure> {
    let mut signals = Signals::new([Signal::Int, Signal::Term])?;
    let mut ticks = pin!(Timer::interval(TICK));
    let began = Instant::now();
    let mut stopped = None;
    loop {
        let event = async { Event::Finished(Box::new(run.next().await)) }
            .or(async {
                signals.next().await;
                Event::Signal
            })
            .or(async {
                ticks.next().await;
                Event::Tick
            })
            .await;
        match event {
            Event::Finished(finished) => match *finished {
                Some(Ok(finished)) => {
                    stats.add(&finished.outcome, finished.recorded);
                    show.finished(&finished);
                }
                Some(Err(error)) => return Ok((Ended::Failed(error), stats)),
                None => {
                    let ended = match stopped {
                        // If all items have a result, the stop made no difference.
                        Some(why) if !stats.is_complete() => Ended::Stopped(why),
                        _ => Ended::All,
                    };
                    return Ok((ended, stats));
                }
            },
            Event::Signal if stopped == Some(BY_SIGNAL) => {
                // Requests in flight are cancelled; recorded results stay.
                return Ok((Ended::Stopped("stopped at once"), stats));
            }
            Event::Signal => {
                stopped = Some(BY_SIGNAL);
                run.stop();
                show.pause(|| {
                    say::note(&format!(
                        "finishing {} in flight; Ctrl-C again stops at once",
                        say::count(run.in_flight() as u64, "request")
                    ));
                });
            }
            Event::Tick => show.tick(&mut stats, run.in_flight()),
        }
        if stopped.is_none()
            && let Some(why) = over(&stats, limits, began)
        {
            stopped = Some(why);
            run.stop();
        }
    }
}

const BY_SIGNAL: &str = "stopped by a signal";

/// The reason to stop, if a limit is reached.
fn over(stats: &Stats, limits: Limits, began: Instant) -> Option<&'static str> {
    if limits.is_over_cost(stats) {
        return Some("stopped at --max-cost");
    }
    let is_late = limits
        .deadline
        .is_some_and(|deadline| began.elapsed() >= deadline);
    is_late.then_some("stopped at --deadline")
}

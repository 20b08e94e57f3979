//! `chatcore batch run --via provider`: runs a batch through the provider's Batch API.

mod args;
mod cancel;
mod show;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_signal::{Signal, Signals};
use chatcore::provider_batch::{BatchEvent, ProviderRun, RunEnd};
use chatcore::{Config, Error, LlmClient};
use chatcore_adapters::journal::files::{BatchFile, FilesJournal, Identity};
use futures_lite::{FutureExt, StreamExt};
use smol::Timer;

pub(crate) use args::{Via, ViaArgs};
pub(crate) use cancel::{cancel, is_of_files};

use super::Defaults;
use super::run::Ended;
use super::show::Show;
use super::stats::Stats;
use crate::args::RunArgs;
use crate::failure::{Failure, WRONG};
use crate::say;

/// How often the display is updated.
const TICK: Duration = Duration::from_millis(200);

/// The shortest wait between two polls.
const FIRST_POLL: Duration = Duration::from_secs(5);

/// The providers whose Batch API the program can use.
const PROVIDERS: [&str; 3] = ["openai", "anthropic", "gemini"];

/// Refuses a provider without a Batch API. Refuses to send items again that are in batches at the provider, as chats or with another
/// account, because they would be paid twice; and `--cancel` where there is nothing to cancel.
pub(super) fn check(args: &RunArgs, config: &Config, identity: &Identity) -> Result<(), Failure> {
    let wrong = |message: String| Failure {
        status: WRONG,
        message,
    };
    let store = BatchFile::beside(&args.output, identity.clone());
    if args.via.via == Via::Provider {
        let name = match config.mock {
            true => "the demo model",
            false => config.provider.name(),
        };
        if !PROVIDERS.contains(&name) {
            return Err(wrong(format!(
                "{name} has no Batch API; openai, anthropic and gemini have one: leave out --via \
                 provider, or choose one of them with --provider"
            )));
        }
        // Before the journal is opened, because a forced run forgets its old settings.
        return Ok(store.check()?);
    }
    if args.via.cancel {
        let why = "--cancel cancels the batches of a run with --via provider: add that option";
        return Err(wrong(why.to_owned()));
    }
    match store.batches().map_err(Failure::of_beginning)? {
        0 => Ok(()),
        batches => Err(wrong(format!(
            "batches of this run may be at the provider ({batches}): go on with --via provider, or \
             cancel them with --via provider --cancel"
        ))),
    }
}

/// What a run works with.
pub(super) struct Parts {
    pub(super) client: LlmClient,
    pub(super) journal: Arc<FilesJournal>,
    pub(super) identity: Identity,
    pub(super) defaults: Defaults,
}

enum Event {
    Of(Box<Option<Result<BatchEvent, Error>>>),
    Signal,
    Tick,
}

/// Runs until every item has a result, or until a signal, a limit or an error stops the run.
pub(super) async fn run(
    parts: Parts,
    args: &RunArgs,
    mut stats: Stats,
    show: &mut Show,
) -> Result<(Ended, Stats), Failure> {
    let mut run = begin(parts, args)?;
    if args.via.cancel {
        run.cancel();
    }
    let mut shown = show::Shown::default();
    let mut signals = Signals::new([Signal::Int, Signal::Term])?;
    let mut ticks = pin!(Timer::interval(TICK));
    let began = Instant::now();
    let mut stopped = None;
    loop {
        let event = async { Event::Of(Box::new(run.next().await)) }
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
            Event::Of(event) => match *event {
                Some(Ok(BatchEvent::Finished(finished))) => {
                    stats.add(&finished.outcome, finished.recorded);
                    show.finished(&finished);
                }
                Some(Ok(event)) => shown.tell(&event, show),
                Some(Err(error)) => {
                    show::left(run.waiting(), show);
                    return Ok((Ended::Failed(error), stats));
                }
                None => {
                    show::left(run.waiting(), show);
                    let ended = match run.end() {
                        RunEnd::Cancelled => Ended::Cancelled,
                        RunEnd::Capped => Ended::Stopped("stopped at --max-cost"),
                        RunEnd::Stopped => Ended::Stopped(stopped.unwrap_or(BY_SIGNAL)),
                        _ => Ended::All,
                    };
                    return Ok((ended, stats));
                }
            },
            Event::Signal if stopped == Some(BY_SIGNAL) => {
                show::left(run.waiting(), show);
                return Ok((Ended::Stopped("stopped at once"), stats));
            }
            Event::Signal => {
                stopped = Some(BY_SIGNAL);
                run.stop();
                show.pause(|| say::note("stopping; Ctrl-C again stops at once"));
            }
            Event::Tick => {
                let running = shown.running();
                if shown.is_terminal() {
                    show.tick(&mut stats, running);
                } else {
                    stats.tick();
                }
            }
        }
        let is_late = args
            .deadline
            .is_some_and(|deadline| began.elapsed() >= deadline);
        if stopped.is_none() && is_late {
            stopped = Some("stopped at --deadline");
            run.stop();
        }
    }
}

const BY_SIGNAL: &str = "stopped by a signal";

fn begin(parts: Parts, args: &RunArgs) -> Result<ProviderRun, Error> {
    let batches = parts.client.provider_batches()?;
    let mut store = BatchFile::beside(parts.journal.output_path(), parts.identity);
    if let Some(note) = cancel::note(args) {
        store = store.with_note(note);
    }
    let defaults = parts.defaults;
    let via = &args.via;
    let mut run = ProviderRun::new(batches, parts.journal, Arc::new(store))
        .prepare(move |request| defaults.apply(request))
        .poll_every(FIRST_POLL.min(via.poll), via.poll)
        .settle(via.settle);
    if let Some(batches) = via.max_batches {
        run = run.max_batches(batches as usize);
    }
    if let Some(requests) = via.batch_size {
        run = run.max_requests(requests as usize);
    }
    if let Some(attempts) = args.attempts {
        run = run.attempts(attempts);
    }
    if let (Some(most), Some(price)) = (args.max_cost, args.price) {
        run = run.cap(move |input, output| price.of(input, output) > most);
    }
    Ok(run)
}

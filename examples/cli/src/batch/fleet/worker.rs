//! `chatcore batch worker`: works on a run until it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_signal::{Signal, Signals};
use chatcore::journal::Recorded;
use chatcore::{Adaptive, BoxFuture, Finished, JournalRun, LlmClient};
use chatcore_adapters::journal::postgres::{
    Database, Identity, PostgresJournal, RunState, RunStatus,
};
use futures_lite::{FutureExt, StreamExt};
use smol::Timer;

use super::args::WorkerArgs;
use super::database;
use super::tell::{self, Draws, Errors};
use crate::args::Who;
use crate::batch::{Defaults, processor};
use crate::failure::{Failure, SOME_ERRORS, STOPPED};
use crate::{say, setup};

/// How often the worker looks at the run: whether it was paused or cancelled, and what it costs.
const LOOK: Duration = Duration::from_secs(1);

/// How long a worker that ends at once waits until its leases are given back.
const GIVING_BACK: Duration = Duration::from_millis(500);

/// How often a line about the progress is written.
const LINES: Duration = Duration::from_secs(10);

pub(crate) async fn worker(who: &Who, args: WorkerArgs) -> Result<u8, Failure> {
    let config = setup::config(who)?;
    let defaults = Defaults {
        system_prompt: args.system_prompt.clone(),
        max_tokens: args.max_tokens,
        temperature: args.temperature,
    };
    let identity = defaults.identify(Identity::of(&config.provider));
    let (tell, draws) = smol::channel::unbounded();
    let database = database(&args.of.postgres)?
        .patience(Database::DEFAULT_PATIENCE)
        .watch(move |event| tell::database(event, &tell));
    let run = args.of.run.clone();
    let status = database.status(&run).await?;
    let key_var = setup::key_var(&config);
    let mut builder = chatcore_adapters::smol_builder(config)?;
    if let Some(workers) = args.concurrency {
        builder = builder.workers(workers as usize);
    }
    if let Some(attempts) = args.attempts {
        builder = builder.max_attempts(attempts);
    }
    if args.adaptive {
        let most = args.concurrency.map_or(1_000, |most| most as usize);
        let start = Adaptive::default().start.min(most);
        builder = builder.adaptive(Adaptive::default().start(start).max(most));
    }
    if let Some(limits) = database.shared_limits(&run).await? {
        builder = builder.shared_limits(Arc::new(limits));
    }
    let client = builder
        .build()
        .map_err(|error| setup::on_the_command_line(error, key_var.as_deref()))?;
    let name = args.name.clone().unwrap_or_else(own_name);
    let journal = PostgresJournal::builder(database.clone(), &run, identity)
        .force(args.force)
        .worker(&name)
        .lease(args.lease)
        .open()
        .await?;
    say::note(&format!("{name} works on {run}"));
    let mut worker = Worker {
        database,
        run,
        journal: Arc::new(journal),
        client,
        defaults,
        signals: Signals::new([Signal::Int, Signal::Term])?,
        finished: 0,
        errors: Errors::default(),
        last_line: Instant::now(),
        status,
        draws: Draws(draws),
        since: 0.0,
    };
    let ended = worker.work().await;
    if let Some(counts) = worker.errors.counts() {
        say::note(&format!("errors by this worker: {counts}"));
    }
    ended
}

/// The machine's name and the number of this process.
fn own_name() -> String {
    let of_file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = of_file.or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.map_or("worker".to_owned(), |host| host.trim().to_owned());
    format!("{host}:{}", std::process::id())
}

struct Worker {
    database: Database,
    run: String,
    journal: Arc<PostgresJournal>,
    client: LlmClient,
    defaults: Defaults,
    signals: Signals,
    /// How many items this worker has recorded.
    finished: u64,
    /// Which of them are errors.
    errors: Errors,
    last_line: Instant,
    /// The run, when the worker last looked.
    status: RunStatus,
    draws: Draws,
    /// The dollars that this worker's results have cost that `status` may not contain.
    since: f64,
}

enum Event {
    Finished(Box<Option<Result<Finished, chatcore::Error>>>),
    Signal,
    /// `None`: it is time to look.
    Looked(Box<Option<Result<RunStatus, chatcore::Error>>>),
    LimitsFailed(chatcore::Error),
}

/// Why the worker sends nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Signal,
    SecondSignal,
    Paused,
    Cancelled,
    Cost,
}

impl Worker {
    /// Works until the run ends, over any number of pauses.
    async fn work(&mut self) -> Result<u8, Failure> {
        loop {
            let stopped = self.until_stopped().await?;
            if stopped == Some(Stop::SecondSignal) {
                self.gives_back().await;
                return Ok(STOPPED);
            }
            // Nothing is in flight any more, so the next signal ends the worker at once.
            let Some(status) = self.status_or_signal().await? else {
                return Ok(STOPPED);
            };
            if status.is_complete() {
                return Ok(self.ends(&status));
            }
            match (stopped, stop(&status)) {
                (Some(Stop::Signal), _) => {
                    say::note(Stop::Signal.tells());
                    return Ok(STOPPED);
                }
                (_, Some(Stop::Paused)) => {
                    say::note("paused");
                    if self.waits_for_a_signal().await? {
                        return Ok(STOPPED);
                    }
                    say::note("running");
                }
                (_, Some(stop)) => {
                    say::note(stop.tells());
                    return Ok(STOPPED);
                }
                // The cost was overestimated, or the run was resumed or its cap raised meanwhile.
                (_, None) => {
                    self.status = status;
                    if self.waits_for_a_signal().await? {
                        return Ok(STOPPED);
                    }
                }
            }
        }
    }

    /// Waits a moment for the leases that are given back in the background: they use the connection
    /// that this statement waits for.
    async fn gives_back(&self) {
        let given_back = async {
            let _ = self.database.status(&self.run).await;
        };
        let late = async {
            Timer::after(GIVING_BACK).await;
        };
        given_back.or(late).await;
    }

    /// The run as it is now; `None` if a signal came first.
    async fn status_or_signal(&mut self) -> Result<Option<RunStatus>, Failure> {
        let looking = self.database.status(&self.run);
        let status = async { Some(looking.await) }.or(async {
            self.signals.next().await;
            None
        });
        self.since = 0.0;
        Ok(status.await.transpose()?)
    }

    fn ends(&self, status: &RunStatus) -> u8 {
        say::note(&format!(
            "{} is complete: {}, {}; {} by this worker",
            self.run,
            say::count(status.counts.done, "answer"),
            say::count(status.counts.failed, "error"),
            self.finished
        ));
        match status.counts.failed {
            0 => 0,
            _ => SOME_ERRORS,
        }
    }

    /// Works until no items are left, or until something stops the worker.
    async fn until_stopped(&mut self) -> Result<Option<Stop>, Failure> {
        // An answer waits some milliseconds to be recorded with others, while its permit already
        // serves the next item.
        let in_flight = self.client.status().max_workers;
        let slack = in_flight / 4 + 4;
        let mut run = processor(&self.client, self.defaults.clone())
            .max_workers(in_flight + slack)
            .process_journal(Arc::clone(&self.journal) as Arc<dyn chatcore::Journal>);
        self.draws.forget();
        let mut stopped = None;
        // What this worker's results have cost since the last look began.
        let mut during = 0.0;
        let mut looking = pause();
        loop {
            let event = async { Event::Finished(Box::new(run.next().await)) }
                .or(async {
                    self.signals.next().await;
                    Event::Signal
                })
                .or(async { Event::Looked(Box::new((&mut looking).await)) })
                .or(async { Event::LimitsFailed(self.draws.failed().await) })
                .await;
            match event {
                Event::Finished(finished) => match *finished {
                    Some(Ok(finished)) => {
                        // If the lease ended meanwhile, the item may have another result already.
                        if finished.recorded == Recorded::First {
                            self.finished += 1;
                            self.errors.add(&finished);
                        }
                        let cost = self.cost_of(&finished);
                        self.since += cost;
                        during += cost;
                        if stopped.is_none() && self.is_over_its_cost() {
                            stopped = Some(Stop::Cost);
                            run.stop();
                        }
                    }
                    Some(Err(error)) => return Err(error.into()),
                    None => return Ok(stopped),
                },
                Event::Signal if stopped == Some(Stop::Signal) => {
                    // Requests in flight are cancelled. The lease is given back when the run is
                    // dropped, or expires.
                    return Ok(Some(Stop::SecondSignal));
                }
                Event::Signal => {
                    stopped = Some(Stop::Signal);
                    run.stop();
                    say::note(&format!(
                        "finishing {} in flight; another signal stops at once",
                        say::count(run.in_flight() as u64, "request")
                    ));
                }
                Event::LimitsFailed(failure) => return Err(failure.into()),
                Event::Looked(looked) => {
                    let Some(looked) = *looked else {
                        during = 0.0;
                        looking = self.look();
                        continue;
                    };
                    // The journal itself ends the run if the database stays away.
                    if let Ok(status) = looked {
                        self.status = status;
                        self.since = during;
                        if stopped.is_none()
                            && let Some(why) = stop(&self.status)
                        {
                            stopped = Some(why);
                            run.stop();
                        }
                    }
                    self.tell(&run);
                    looking = pause();
                }
            }
        }
    }

    fn look(&self) -> Looking {
        let (database, run) = (self.database.clone(), self.run.clone());
        Box::pin(async move { Some(database.status(&run).await) })
    }

    /// What a result adds to the run's cost, in dollars.
    fn cost_of(&self, finished: &Finished) -> f64 {
        let usage = match &finished.outcome.result {
            Ok(answer) if finished.recorded == Recorded::First => answer.usage.as_ref(),
            _ => None,
        };
        let limits = &self.status.limits;
        usage.map_or(0.0, |usage| {
            let input = limits.input_price * usage.input_tokens as f64;
            (input + limits.output_price * usage.output_tokens as f64) / 1e6
        })
    }

    /// Whether the run had reached its cap when the worker last looked, or has by its own results.
    fn is_over_its_cost(&self) -> bool {
        let most = self.status.limits.max_cost;
        most.is_some_and(|most| self.status.cost().unwrap_or(0.0) + self.since >= most)
    }

    fn tell(&mut self, run: &JournalRun) {
        if self.last_line.elapsed() < LINES {
            return;
        }
        self.last_line = Instant::now();
        let counts = &self.status.counts;
        say::note(&format!(
            "{}/{} items, {} failed; {} by this worker, {} in flight",
            counts.finished(),
            counts.total.unwrap_or(0),
            counts.failed,
            self.finished,
            run.in_flight()
        ));
    }

    /// Waits until the run is no longer paused. Returns whether a signal came before.
    async fn waits_for_a_signal(&mut self) -> Result<bool, Failure> {
        loop {
            let next_look = async {
                Timer::after(LOOK).await;
                false
            };
            let signal = async {
                self.signals.next().await;
                true
            };
            if next_look.or(signal).await {
                return Ok(true);
            }
            match self.status_or_signal().await? {
                None => return Ok(true),
                Some(status) if status.state == RunState::Paused => {}
                Some(status) => {
                    self.status = status;
                    return Ok(false);
                }
            }
        }
    }
}

type Looking = BoxFuture<'static, Option<Result<RunStatus, chatcore::Error>>>;

/// The time until the next look.
fn pause() -> Looking {
    Box::pin(async {
        Timer::after(LOOK).await;
        None
    })
}

/// Whether the run stops its workers.
fn stop(status: &RunStatus) -> Option<Stop> {
    match status.state {
        RunState::Paused => Some(Stop::Paused),
        RunState::Cancelled | RunState::Removing => Some(Stop::Cancelled),
        _ if status.is_over_its_cost() => Some(Stop::Cost),
        _ => None,
    }
}

impl Stop {
    fn tells(self) -> &'static str {
        match self {
            Self::Signal | Self::SecondSignal => "stopped by a signal; other workers go on",
            Self::Paused => "paused",
            Self::Cancelled => "the run was cancelled",
            Self::Cost => "the run has reached its --max-cost",
        }
    }
}

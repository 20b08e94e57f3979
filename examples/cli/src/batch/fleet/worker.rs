//! `chatcore batch worker`: works on a run until it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_signal::{Signal, Signals};
use chatcore::{Adaptive, Finished, JournalRun, LlmClient};
use chatcore_adapters::journal::postgres::{
    Database, Identity, PostgresJournal, RunState, RunStatus,
};
use futures_lite::{FutureExt, StreamExt};
use smol::Timer;

use super::args::WorkerArgs;
use super::database;
use crate::args::Who;
use crate::batch::{Defaults, processor};
use crate::failure::{Failure, SOME_ERRORS, STOPPED};
use crate::{say, setup};

/// How often the worker looks at the run: whether it was paused or cancelled, and what it costs.
const LOOK: Duration = Duration::from_secs(1);

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
    let database = database(&args.of.postgres)?.patience(Database::DEFAULT_PATIENCE);
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
    let worker = Worker {
        database,
        run,
        journal: Arc::new(journal),
        client,
        defaults,
        signals: Signals::new([Signal::Int, Signal::Term])?,
        finished: 0,
        last_line: Instant::now(),
        status,
    };
    worker.work().await
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
    last_line: Instant,
    /// The run, when the worker last looked.
    status: RunStatus,
}

enum Event {
    Finished(Box<Option<Result<Finished, chatcore::Error>>>),
    Signal,
    Looked(Box<Result<RunStatus, chatcore::Error>>),
}

/// Why the worker sends nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Signal,
    Paused,
    Cancelled,
    Cost,
}

impl Worker {
    /// Works until the run ends, over any number of pauses.
    async fn work(mut self) -> Result<u8, Failure> {
        loop {
            let stopped = self.until_stopped().await?;
            match stopped {
                Some(Stop::Paused) => {
                    say::note("paused");
                    if self.waits_for_a_signal().await? {
                        return Ok(STOPPED);
                    }
                    say::note("running");
                }
                Some(stop) => {
                    let status = self.database.status(&self.run).await?;
                    if !status.is_complete() {
                        say::note(stop.tells());
                        return Ok(STOPPED);
                    }
                    return Ok(self.ends(&status));
                }
                None => {
                    let status = self.database.status(&self.run).await?;
                    match stop(&status) {
                        Some(stop) if !status.is_complete() => {
                            say::note(stop.tells());
                            return Ok(STOPPED);
                        }
                        _ => return Ok(self.ends(&status)),
                    }
                }
            }
        }
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
        let mut stopped = None;
        let mut looking = self.look();
        loop {
            let event = async { Event::Finished(Box::new(run.next().await)) }
                .or(async {
                    self.signals.next().await;
                    Event::Signal
                })
                .or(async { Event::Looked(Box::new((&mut looking).await)) })
                .await;
            match event {
                Event::Finished(finished) => match *finished {
                    Some(Ok(_)) => self.finished += 1,
                    Some(Err(error)) => return Err(error.into()),
                    None => return Ok(stopped),
                },
                Event::Signal if stopped == Some(Stop::Signal) => {
                    // Requests in flight are cancelled. The lease is given back when the run is
                    // dropped, or expires.
                    return Ok(stopped);
                }
                Event::Signal => {
                    stopped = Some(Stop::Signal);
                    run.stop();
                    say::note(&format!(
                        "finishing {} in flight; another signal stops at once",
                        say::count(run.in_flight() as u64, "request")
                    ));
                }
                Event::Looked(looked) => {
                    // The journal itself ends the run if the database stays away.
                    if let Ok(status) = *looked {
                        if stopped.is_none()
                            && let Some(why) = stop(&status)
                        {
                            stopped = Some(why);
                            run.stop();
                        }
                        self.status = status;
                    }
                    self.tell(&run);
                    looking = self.look();
                }
            }
        }
    }

    fn look(&self) -> chatcore::BoxFuture<'static, Result<RunStatus, chatcore::Error>> {
        let (database, run) = (self.database.clone(), self.run.clone());
        Box::pin(async move {
            Timer::after(LOOK).await;
            database.status(&run).await
        })
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
            let looking = self.look();
            let looked = async { Some(looking.await) }.or(async {
                self.signals.next().await;
                None
            });
            match looked.await {
                None => return Ok(true),
                Some(status) if status.as_ref().is_ok_and(|s| s.state == RunState::Paused) => {}
                Some(status) => {
                    self.status = status?;
                    return Ok(false);
                }
            }
        }
    }
}

/// Whether the run stops its workers.
fn stop(status: &RunStatus) -> Option<Stop> {
    match status.state {
        RunState::Paused => Some(Stop::Paused),
        RunState::Cancelled => Some(Stop::Cancelled),
        _ if status.is_over_its_cost() => Some(Stop::Cost),
        _ => None,
    }
}

impl Stop {
    fn tells(self) -> &'static str {
        match self {
            Self::Signal => "stopped by a signal; other workers go on",
            Self::Paused => "paused",
            Self::Cancelled => "the run was cancelled",
            Self::Cost => "the run has reached its --max-cost",
        }
    }
}

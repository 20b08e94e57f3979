//! A journal in PostgreSQL, for many workers on many machines.
//!
//! ```text
//!  submit ──► block   the lines of the input
//!             chunk   up to 1,000 items each, smaller towards the end of the input; leased
//!  worker ◄── claim   one chunk for each lease, by `FOR UPDATE SKIP LOCKED`
//!         ──► result  one row for each item, inserted once, in groups
//!  status ◄── run     the counts of finished chunks, and of those that are leased
//! ```
//!
//! A [`Database`] holds any number of runs, each with its own name. [`Database::submit`] loads an
//! input, [`PostgresJournal`] works on it, [`Database::results`] reads the results in the format of
//! [`files`](super::files), and [`pause`](Database::pause), [`resume`](Database::resume) and
//! [`cancel`](Database::cancel) control the run from anywhere.
//!
//! # Leases
//!
//! A lease lasts 60 s by the server's clock and is renewed after each third of that. A worker that
//! cannot renew stops sending, and another worker takes over the chunk when the lease has run out.
//! If two workers believe that they hold a chunk, the first result of each item stays.
//!
//! Towards the end of the input the chunks become smaller, so that the workers end together.
//!
//! # Failures
//!
//! Every statement has a time limit on the server and another one on the client, by the executor's
//! clock. Lost connections, restarts, conflicts and a lack of resources are retried, for 5 minutes
//! by default; [`Database::watch`] tells when the server is away. The journal needs PostgreSQL 14 or newer.

mod builder;
mod claim;
mod control;
mod database;
mod failure;
mod follow;
mod goes_on;
mod identity;
mod limits;
mod load;
mod reader;
mod record;
mod results;
mod rows;
mod runs;
mod schema;
mod statement;
mod submission;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chatcore::journal::{Claim, Counts, Journal, Lease, Outcome, Recorded, Renewal};
use chatcore::{BoxFuture, Error, ErrorKind};

pub use super::jsonl::{BadLines, Format, Identity, Input, Items};
pub use builder::PostgresBuilder;
pub use database::Database;
pub use follow::Follow;
pub use limits::{PostgresLimits, RunLimits};
pub use results::{ResultLine, Results};
pub use runs::{RunState, RunStatus, WorkerStatus};
pub use submission::Submission;
pub use watch::DatabaseEvent;

use goes_on::GoesOn;
use record::Writer;
use statement::Lane;

/// A journal in PostgreSQL. Any number of workers, each with a journal of its own, share a run. See
/// the [module](self).
///
/// ```no_run
/// # use std::sync::Arc;
/// use chatcore::BatchProcessor;
/// use chatcore_adapters::journal::postgres::{Database, Identity, PostgresJournal};
///
/// # async fn example(config: chatcore::Config, client: chatcore::LlmClient, url: &str)
/// #     -> Result<(), chatcore::Error> {
/// let database = Database::new(Arc::clone(client.executor()), url)?;
/// let identity = Identity::of(&config.provider);
/// let journal = PostgresJournal::builder(database, "night", identity).open().await?;
/// let mut run = BatchProcessor::requests(&client).process_journal(Arc::new(journal));
/// while let Some(finished) = run.next().await {
///     finished?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct PostgresJournal {
    inner: Arc<Inner>,
    writer: Arc<Writer>,
}

struct Inner {
    database: Database,
    run: i64,
    name: String,
    worker: Arc<str>,
    lasts: Duration,
    /// For claims and counts. Results have a lane of their own.
    lane: Arc<Lane>,
    /// A lease must not run out because another statement waits.
    renewals: Lane,
    /// `None` if the worker is forced.
    identity: Option<Identity>,
    /// Whether the run's identity was compared, and can change no more.
    is_bound: AtomicBool,
}

impl PostgresJournal {
    /// Starts building a journal that works on the run with this name. The first worker's
    /// `identity` is stored; a worker with another one, such as that of another model, is refused
    /// once there is a result, or while a worker holds a lease.
    pub fn builder(
        database: Database,
        run: impl Into<String>,
        identity: Identity,
    ) -> PostgresBuilder {
        PostgresBuilder::new(database, run.into(), identity)
    }

    /// The database that keeps the run.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }
}

impl Journal for PostgresJournal {
    /// A claim that is dropped gives its lease back in the background.
    fn claim(&self, _want: usize) -> BoxFuture<'_, Result<Claim, Error>> {
        Box::pin(async {
            let (inner, left) = (Arc::clone(&self.inner), Arc::clone(&self.inner));
            let claim = Box::pin(async move { inner.claim_as_agreed().await });
            let executor = self.inner.database.executor();
            GoesOn::new(executor, claim, |claimed| {
                Box::pin(give_back(left, claimed))
            })
            .await
        })
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<Recorded, Error>> {
        Box::pin(async { self.writer.record(lease, outcome).await })
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewal, Error>> {
        Box::pin(self.inner.renew(lease))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.inner.release(lease))
    }

    fn progress(&self) -> BoxFuture<'_, Result<Counts, Error>> {
        Box::pin(self.inner.counts())
    }
}

/// Releases the lease of a claim that nobody waits for.
async fn give_back(inner: Arc<Inner>, claimed: Result<Claim, Error>) {
    if let Ok(Claim::Items(lease, _)) = claimed {
        // The lease expires by itself if it cannot be released.
        let _ = inner.release(&lease).await;
    }
}

/// The error of an operation whose background task was dropped.
fn shut_down() -> Error {
    let why = "the executor was shut down while the journal worked; resume the batch";
    Error::new(ErrorKind::Journal, why)
}

impl fmt::Debug for PostgresJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresJournal")
            .field("database", &self.inner.database)
            .field("run", &self.inner.name)
            .field("worker", &self.inner.worker)
            .finish_non_exhaustive()
    }
}

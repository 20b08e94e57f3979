//! The settings of a journal in PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chatcore::Error;

use super::database::Database;
use super::identity;
use super::record::Writer;
use super::statement::Lane;
use super::{Inner, PostgresJournal};
use crate::journal::jsonl::Identity;

/// A shorter lease could not be renewed in time.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);

/// Builds a [`PostgresJournal`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresBuilder {
    database: Database,
    run: String,
    identity: Identity,
    is_forced: bool,
    worker: String,
    lease: Duration,
    gathering: Duration,
}

impl PostgresBuilder {
    /// The default of [`lease`](Self::lease).
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(60);
    /// The default of [`gathering`](Self::gathering).
    pub const DEFAULT_GATHERING: Duration = Duration::from_millis(5);

    pub(super) fn new(database: Database, run: String, identity: Identity) -> Self {
        Self {
            database,
            run,
            identity,
            is_forced: false,
            worker: format!("process {}", std::process::id()),
            lease: Self::DEFAULT_LEASE,
            gathering: Self::DEFAULT_GATHERING,
        }
    }

    /// Works on the run even if its other workers have another identity. Theirs stays the run's.
    /// Default: false.
    pub fn force(mut self, is_forced: bool) -> Self {
        self.is_forced = is_forced;
        self
    }

    /// Sets the worker's name in [`Database::status`]. Default: `process` and its number.
    pub fn worker(mut self, name: impl Into<String>) -> Self {
        self.worker = name.into();
        self
    }

    /// Sets how long a lease lasts without a renewal. A chunk of a worker that disappeared is taken
    /// over after this time. Default: 60 s; less than 100 ms counts as 100 ms.
    pub fn lease(mut self, lasts: Duration) -> Self {
        self.lease = lasts.max(SHORTEST_LEASE);
        self
    }

    /// Sets how long a group of results gathers. The first result that comes after that time ends
    /// it, or twice that time; the group is written in one round trip. Default: 5 ms. The next
    /// group begins when it is written. Meanwhile an item takes a place of
    /// [`max_workers`](chatcore::BatchProcessor::max_workers), so set more of these than the client
    /// has workers.
    pub fn gathering(mut self, time: Duration) -> Self {
        self.gathering = time;
        self
    }

    /// Connects, creates the tables if they are missing, and compares the identity with that of the
    /// run's other workers.
    ///
    /// # Errors
    /// [`Config`](chatcore::ErrorKind::Config) with the reason as its code: `postgres` if the database cannot
    /// be used, `newer_schema` if a newer chatcore made its tables, `unknown_run` if nothing was
    /// submitted under this name, `another_run` if the identity differs.
    pub async fn open(self) -> Result<PostgresJournal, Error> {
        let lane = self.database.lane().await?;
        let identity = (!self.is_forced).then_some(self.identity);
        let run = identity::adopt(&self.database, &lane, &self.run, identity.as_ref()).await?;
        let database = self.database;
        let writer = Writer::new(database.clone(), run, self.gathering);
        let inner = Inner {
            database,
            run,
            name: self.run,
            worker: self.worker.into(),
            lasts: self.lease,
            lane,
            renewals: Lane::default(),
            identity,
            is_bound: AtomicBool::new(false),
        };
        Ok(PostgresJournal {
            inner: Arc::new(inner),
            writer,
        })
    }
}

//! Runs: their states and their counts.

use std::sync::Arc;
use std::time::Duration;

use chatcore::journal::Counts;
use chatcore::{Error, ErrorKind};
use sqlx::{PgConnection, Row};

use super::database::Database;
use super::failure::Failed;
use super::limits::RunLimits;
use super::statement::Lane;

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// Its input is being submitted. Workers wait.
    Loading,
    /// Items are handed out until every item has a result.
    Running,
    /// No items are handed out.
    Paused,
    /// The run has ended early.
    Cancelled,
    /// Its rows are being deleted, or the removal was interrupted.
    Removing,
}

impl RunState {
    pub(super) fn from_number(number: i16) -> Self {
        match number {
            0 => Self::Loading,
            1 => Self::Running,
            2 => Self::Paused,
            4 => Self::Removing,
            _ => Self::Cancelled,
        }
    }

    pub(super) fn number(self) -> i16 {
        match self {
            Self::Loading => 0,
            Self::Running => 1,
            Self::Paused => 2,
            Self::Cancelled => 3,
            Self::Removing => 4,
        }
    }
}

/// A run and its progress.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunStatus {
    /// The run's name.
    pub name: String,
    /// Its state.
    pub state: RunState,
    /// Its items and results.
    pub counts: Counts,
    /// The limits of the whole run.
    pub limits: RunLimits,
    /// The workers that hold leases.
    pub workers: Vec<WorkerStatus>,
}

impl RunStatus {
    /// Whether every item has a result.
    pub fn is_complete(&self) -> bool {
        self.state != RunState::Loading && self.counts.total == Some(self.counts.finished())
    }

    /// What the results have cost, in dollars; `None` if the run has no prices.
    pub fn cost(&self) -> Option<f64> {
        let RunLimits {
            input_price,
            output_price,
            ..
        } = self.limits;
        let cost = input_price * self.counts.input_tokens as f64
            + output_price * self.counts.output_tokens as f64;
        (input_price > 0.0 || output_price > 0.0).then_some(cost / 1e6)
    }

    /// Whether the results have cost as much as the run may.
    pub fn is_over_its_cost(&self) -> bool {
        let most = self.limits.max_cost;
        most.is_some_and(|most| self.cost().unwrap_or(0.0) >= most)
    }
}

/// A worker that holds leases.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerStatus {
    /// The worker's [name](super::PostgresBuilder::worker).
    pub name: String,
    /// How many chunks it holds.
    pub chunks: u64,
    /// How many items of these chunks have no result yet.
    pub items: u64,
    /// How long its oldest lease still lasts.
    pub lasts: Duration,
}

/// The counts of finished chunks stand in the run's row; those of leased chunks, of which there are
/// few, are added.
const COUNTS: &str = "
SELECT r.items, r.done + COALESCE(sum(c.done), 0)::bigint,
    r.failed + COALESCE(sum(c.failed), 0)::bigint,
    r.input_tokens + COALESCE(sum(c.input_tokens), 0)::bigint,
    r.output_tokens + COALESCE(sum(c.output_tokens), 0)::bigint,
    r.state, r.name, r.requests_per_minute, r.tokens_per_minute, r.max_cost, r.input_price,
    r.output_price
FROM run r LEFT JOIN chunk c ON c.run = r.id AND c.state = 1
WHERE r.id = $1 GROUP BY r.id";

const WORKERS: &str = "
SELECT worker, count(*), sum(items - done - failed)::bigint,
    extract(epoch FROM min(leased_until) - clock_timestamp())::float8
FROM chunk WHERE run = $1 AND state = 1 AND leased_until > clock_timestamp()
GROUP BY worker ORDER BY worker";

impl Database {
    /// The progress of a run, and who works on it. The cost does not grow with the run.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) with the code `unknown_run` if there is no such run, or as for
    /// [`PostgresBuilder::open`](super::PostgresBuilder::open).
    pub async fn status(&self, run: &str) -> Result<RunStatus, Error> {
        let lane = self.lane().await?;
        let name: Arc<str> = Arc::from(run);
        let found = self.statement(&lane, "read the run", move |connection| {
            let name = Arc::clone(&name);
            Box::pin(async move {
                match id(connection, &name).await? {
                    Some(id) => status(connection, id).await,
                    None => Ok(None),
                }
            })
        });
        found.await?.ok_or_else(|| unknown_run(run))
    }

    /// The runs in this schema, the oldest first.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn runs(&self) -> Result<Vec<RunStatus>, Error> {
        let lane = self.lane().await?;
        self.statement(&lane, "list the runs", |connection| {
            Box::pin(async move {
                let ids = sqlx::query("SELECT id FROM run ORDER BY id")
                    .fetch_all(&mut *connection)
                    .await?;
                let mut runs = Vec::new();
                for row in ids {
                    runs.extend(status(connection, row.try_get(0)?).await?);
                }
                Ok(runs)
            })
        })
        .await
    }
}

impl Database {
    /// The id of a run that must exist.
    pub(super) async fn run_id(&self, lane: &Lane, run: &str) -> Result<i64, Error> {
        let name: Arc<str> = Arc::from(run);
        let found = self.statement(lane, "find the run", move |connection| {
            let name = Arc::clone(&name);
            Box::pin(async move { Ok(id(connection, &name).await?) })
        });
        found.await?.ok_or_else(|| unknown_run(run))
    }
}

pub(super) async fn id(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<i64>, sqlx::Error> {
    let row = sqlx::query("SELECT id FROM run WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

async fn status(connection: &mut PgConnection, id: i64) -> Result<Option<RunStatus>, Failed> {
    let row = sqlx::query(COUNTS)
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let mut workers = Vec::new();
    for row in sqlx::query(WORKERS).bind(id).fetch_all(connection).await? {
        let lasts: f64 = row.try_get(3)?;
        workers.push(WorkerStatus {
            name: row.try_get(0)?,
            chunks: unsigned(row.try_get(1)?),
            items: unsigned(row.try_get(2)?),
            lasts: Duration::try_from_secs_f64(lasts).unwrap_or_default(),
        });
    }
    Ok(Some(RunStatus {
        name: row.try_get(6)?,
        state: RunState::from_number(row.try_get(5)?),
        counts: read_counts(&row)?,
        limits: RunLimits {
            requests_per_minute: row.try_get::<Option<i64>, _>(7)?.map(unsigned),
            tokens_per_minute: row.try_get::<Option<i64>, _>(8)?.map(unsigned),
            max_cost: row.try_get(9)?,
            input_price: row.try_get(10)?,
            output_price: row.try_get(11)?,
        },
        workers,
    }))
}

pub(super) async fn counts(connection: &mut PgConnection, id: i64) -> Result<Counts, Failed> {
    let row = sqlx::query(COUNTS)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(row
        .as_ref()
        .map(read_counts)
        .transpose()?
        .unwrap_or_default())
}

fn read_counts(row: &sqlx::postgres::PgRow) -> Result<Counts, sqlx::Error> {
    let number = |column: usize| row.try_get(column).map(unsigned);
    let mut counts = Counts::default();
    let is_loading = row.try_get::<i16, _>(5)? == RunState::Loading.number();
    counts.total = (!is_loading).then_some(number(0)?);
    counts.done = number(1)?;
    counts.failed = number(2)?;
    counts.input_tokens = number(3)?;
    counts.output_tokens = number(4)?;
    Ok(counts)
}

/// A number that is never negative, unless somebody else wrote it.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn unknown_run(run: &str) -> Error {
    let why = format!("there is no run {run:?} in this schema: submit it, or check its name");
    Error::new(ErrorKind::Config, why).with_code(Some("unknown_run".to_owned()))
}

/// The error for a row that this program did not write.
pub(super) fn damaged(what: &str) -> Error {
    let why = format!(
        "the {what} of the run is not as chatcore writes it: another program has changed the \
         tables; remove the run, and submit it again"
    );
    Error::new(ErrorKind::Journal, why)
}

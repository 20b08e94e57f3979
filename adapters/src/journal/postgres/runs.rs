//! Runs: their states, their counts, and control from outside.

use std::sync::Arc;
use std::time::Duration;

use chatcore::journal::Counts;
use chatcore::{Error, ErrorKind};
use sqlx::{PgConnection, Row};

use super::database::{Database, Lane};
use super::failure::Failed;
use super::limits::RunLimits;

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
}

impl RunState {
    pub(super) fn from_number(number: i16) -> Self {
        match number {
            0 => Self::Loading,
            1 => Self::Running,
            2 => Self::Paused,
            _ => Self::Cancelled,
        }
    }

    fn number(self) -> i16 {
        match self {
            Self::Loading => 0,
            Self::Running => 1,
            Self::Paused => 2,
            Self::Cancelled => 3,
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

    /// Hands out no more items of a run until [`resume`](Self::resume). A worker learns this when
    /// it next claims or renews. Its items in flight finish.
    ///
    /// # Errors
    /// As for [`status`](Self::status), and [`Config`](ErrorKind::Config) with the code `run_state`
    /// if the run is loading or cancelled.
    pub async fn pause(&self, run: &str) -> Result<(), Error> {
        self.change(run, RunState::Paused, &[RunState::Running])
            .await
    }

    /// Hands out the items of a paused or cancelled run again.
    ///
    /// # Errors
    /// As for [`pause`](Self::pause).
    pub async fn resume(&self, run: &str) -> Result<(), Error> {
        let from = [RunState::Paused, RunState::Cancelled];
        self.change(run, RunState::Running, &from).await
    }

    /// Ends a run early: workers finish their items in flight and end. Results stay, and
    /// [`resume`](Self::resume) continues the run.
    ///
    /// # Errors
    /// As for [`pause`](Self::pause).
    pub async fn cancel(&self, run: &str) -> Result<(), Error> {
        let from = [RunState::Running, RunState::Paused];
        self.change(run, RunState::Cancelled, &from).await
    }

    /// A run that already is in the state `to` is left alone.
    async fn change(&self, run: &str, to: RunState, from: &[RunState]) -> Result<(), Error> {
        let lane = self.lane().await?;
        let name: Arc<str> = Arc::from(run);
        let from: Arc<[i16]> = from.iter().map(|state| state.number()).collect();
        let changed = self.statement(&lane, "change the run", move |connection| {
            let (name, from) = (Arc::clone(&name), Arc::clone(&from));
            Box::pin(async move {
                let changed =
                    sqlx::query("UPDATE run SET state = $2 WHERE name = $1 AND state = ANY($3)")
                        .bind(&*name)
                        .bind(to.number())
                        .bind(&*from)
                        .execute(&mut *connection)
                        .await?;
                if changed.rows_affected() > 0 {
                    return Ok(Some(to));
                }
                let row = sqlx::query("SELECT state FROM run WHERE name = $1")
                    .bind(&*name)
                    .fetch_optional(connection)
                    .await?;
                let state = row.map(|row| row.try_get(0)).transpose()?;
                Ok(state.map(RunState::from_number))
            })
        });
        match changed.await? {
            Some(state) if state == to => Ok(()),
            Some(state) => {
                let how = match state {
                    RunState::Loading => "its input is still loading",
                    RunState::Running => "it is running",
                    RunState::Paused => "it is paused",
                    RunState::Cancelled => "it is cancelled; resume it first",
                };
                let why = format!("the run {run:?} cannot be changed: {how}");
                Err(Error::new(ErrorKind::Config, why).with_code(Some("run_state".to_owned())))
            }
            None => Err(unknown_run(run)),
        }
    }

    /// Runs the items again that have an error: their errors are deleted.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn retry_errors(&self, run: &str) -> Result<u64, Error> {
        let lane = self.lane().await?;
        let name: Arc<str> = Arc::from(run);
        let deleted = self.statement(&lane, "delete the errors", move |connection| {
            let name = Arc::clone(&name);
            Box::pin(async move {
                let Some(id) = id(connection, &name).await? else {
                    return Ok(None);
                };
                let row = sqlx::query(RETRY_ERRORS)
                    .bind(id)
                    .fetch_one(connection)
                    .await?;
                Ok(Some(row.try_get::<i64, _>(0)?))
            })
        });
        let deleted = deleted.await?.ok_or_else(|| unknown_run(run))?;
        Ok(unsigned(deleted))
    }

    /// Deletes a run with its input and its results.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn remove(&self, run: &str) -> Result<(), Error> {
        let lane = self.lane().await?;
        let name: Arc<str> = Arc::from(run);
        let found = self.statement(&lane, "find the run", move |connection| {
            let name = Arc::clone(&name);
            Box::pin(async move { Ok(id(connection, &name).await?) })
        });
        let id = found.await?.ok_or_else(|| unknown_run(run))?;
        // Workers see at once that the run has ended.
        self.delete(&lane, "DELETE FROM run WHERE id = $1 AND $2 > 0", id)
            .await?;
        self.clear(&lane, id).await
    }

    /// Deletes everything of a run but its own row, in several statements, each of which takes
    /// little time.
    pub(super) async fn clear(&self, lane: &Lane, run: i64) -> Result<(), Error> {
        for table in [
            "DELETE FROM result WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM result WHERE run = $1 LIMIT $2))",
            "DELETE FROM chunk WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM chunk WHERE run = $1 LIMIT $2))",
            "DELETE FROM bucket WHERE run = $1 AND $2 > 0",
            "DELETE FROM block WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM block WHERE run = $1 LIMIT $2))",
        ] {
            while self.delete(lane, table, run).await? > 0 {}
        }
        Ok(())
    }

    async fn delete(&self, lane: &Lane, delete: &'static str, run: i64) -> Result<u64, Error> {
        self.statement(lane, "delete a run", move |connection| {
            Box::pin(async move {
                let deleted = sqlx::query(delete)
                    .bind(run)
                    .bind(DELETED_AT_ONCE)
                    .execute(connection)
                    .await?;
                Ok(deleted.rows_affected())
            })
        })
        .await
    }
}

/// Deletes the errors of a run, and takes them out of the counts. Chunks that had any are handed
/// out again.
const RETRY_ERRORS: &str = "
WITH gone AS (
    DELETE FROM result WHERE run = $1 AND NOT is_answer
    RETURNING chunk, input_tokens, output_tokens
), sums AS (
    SELECT chunk, count(*) AS failed FROM gone GROUP BY chunk
), before AS (
    SELECT c.number, c.state, c.done, c.failed, c.input_tokens, c.output_tokens
    FROM chunk c JOIN sums s ON s.chunk = c.number WHERE c.run = $1 FOR UPDATE OF c
), changed AS (
    UPDATE chunk c SET failed = c.failed - s.failed, state = 1,
        leased_until = CASE WHEN c.state = 2 THEN '-infinity' ELSE c.leased_until END
    FROM sums s WHERE c.run = $1 AND c.number = s.chunk
), total AS (
    UPDATE run r SET done = r.done - e.done, failed = r.failed - e.failed,
        input_tokens = r.input_tokens - e.input_tokens,
        output_tokens = r.output_tokens - e.output_tokens
    FROM (SELECT COALESCE(sum(done), 0)::bigint AS done, COALESCE(sum(failed), 0)::bigint AS failed,
            COALESCE(sum(input_tokens), 0)::bigint AS input_tokens,
            COALESCE(sum(output_tokens), 0)::bigint AS output_tokens
        FROM before WHERE state = 2) e
    WHERE r.id = $1
)
SELECT count(*) FROM gone";

/// How many rows are deleted in one statement.
const DELETED_AT_ONCE: i64 = 20_000;

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

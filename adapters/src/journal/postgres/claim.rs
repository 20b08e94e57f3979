//! Leases of chunks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chatcore::Error;
use chatcore::journal::{Claim, Counts, Item, Lease, Renewal};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::Inner;
use super::failure::Failed;
use super::runs::{self, RunState, damaged, unsigned};
use crate::journal::jsonl::items::item;
use crate::journal::jsonl::line::Format;

/// How soon a worker claims again if the run is paused or its input is still loading.
const PAUSED: Duration = Duration::from_secs(1);

/// How soon a worker claims again if others hold the remaining items. They may end or give up their
/// leases at any moment.
const HELD: Duration = Duration::from_millis(200);

/// Leases a chunk: one whose lease has run out, or else one that nobody had.
const CLAIM: &str = "
WITH expired AS (
    SELECT c.number FROM chunk c
    WHERE c.run = $1 AND c.state = 1 AND (SELECT may_send($1))
        AND c.leased_until < clock_timestamp()
    ORDER BY c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
), waiting AS (
    SELECT c.number FROM chunk c
    WHERE c.run = $1 AND c.state = 0 AND (SELECT may_send($1))
        AND NOT EXISTS (SELECT FROM expired)
    ORDER BY c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
), leased AS (
    UPDATE chunk SET state = 1, fence = fence + 1, worker = $3,
        leased_until = clock_timestamp() + $2 * interval '1 microsecond'
    WHERE run = $1
        AND number = COALESCE((SELECT number FROM expired), (SELECT number FROM waiting))
    RETURNING number, fence, block, first, items, done + failed AS finished
)
SELECT l.number, l.fence, r.is_json,
    b.places[l.first + 1 : l.first + l.items], b.lines[l.first + 1 : l.first + l.items],
    CASE WHEN l.finished = 0 THEN '{}'
        ELSE ARRAY(SELECT place FROM result WHERE run = $1 AND chunk = l.number) END
FROM leased l JOIN block b ON b.run = $1 AND b.number = l.block JOIN run r ON r.id = $1";

/// Why there is no chunk: the run's state, and whether any chunk may still be handed out.
const LEFT: &str = "
SELECT r.state, (r.state <> 1 OR may_send($1)) AND (EXISTS (SELECT FROM chunk WHERE run = $1 AND state = 0)
    OR EXISTS (SELECT FROM chunk WHERE run = $1 AND state = 1))
FROM run r WHERE r.id = $1";

/// Only a lease that has not run out is extended, and only while items of the run may be sent.
const RENEW: &str = "
UPDATE chunk SET leased_until = clock_timestamp() + $4 * interval '1 microsecond'
WHERE run = $1 AND number = $2 AND fence = $3 AND state = 1
    AND leased_until >= clock_timestamp() AND (SELECT may_send($1))";

/// The lease of a finished chunk is extended without a change.
const FINISHED: &str = "
SELECT EXISTS (SELECT FROM chunk WHERE run = $1 AND number = $2 AND fence = $3 AND state = 2)";

/// The chunk stays one that was leased, because its counts may have begun.
const RELEASE: &str = "
UPDATE chunk SET leased_until = '-infinity'
WHERE run = $1 AND number = $2 AND fence = $3 AND state = 1
    AND leased_until >= clock_timestamp()";

impl Inner {
    pub(super) async fn claim(&self) -> Result<Claim, Error> {
        let (run, micros, worker) = (self.run, micros(self.lasts), Arc::clone(&self.worker));
        let claimed = self
            .database
            .statement(&self.lane, "lease items", move |connection| {
                let worker = Arc::clone(&worker);
                Box::pin(async move { claim(connection, run, micros, &worker).await })
            })
            .await?;
        let leased = match claimed {
            Claimed::Leased(leased) => leased,
            Claimed::Nothing(RunState::Loading | RunState::Paused, _) => {
                return Ok(Claim::Later(PAUSED));
            }
            Claimed::Nothing(RunState::Running, true) => return Ok(Claim::Later(HELD)),
            Claimed::Nothing(_, _) => return Ok(Claim::End),
        };
        let lease = Lease {
            chunk: unsigned(leased.chunk),
            fence: unsigned(leased.fence),
            lasts: Some(self.lasts),
        };
        let items = leased.items();
        if items.is_empty() {
            // Every chunk without an item left is marked in the statement that records the last.
            return Err(damaged("chunk"));
        }
        Ok(Claim::Items(lease, items))
    }

    pub(super) async fn renew(&self, lease: &Lease) -> Result<Renewal, Error> {
        let (run, micros) = (self.run, micros(self.lasts));
        let (chunk, fence) = keys(lease);
        self.database
            .statement(&self.renewals, "renew a lease", move |connection| {
                Box::pin(async move {
                    let renewed = sqlx::query(RENEW)
                        .bind(run)
                        .bind(chunk)
                        .bind(fence)
                        .bind(micros)
                        .execute(&mut *connection)
                        .await?;
                    if renewed.rows_affected() > 0 {
                        return Ok(Renewal::Held);
                    }
                    let finished = sqlx::query(FINISHED)
                        .bind(run)
                        .bind(chunk)
                        .bind(fence)
                        .fetch_one(connection)
                        .await?;
                    Ok(match finished.try_get(0)? {
                        true => Renewal::Held,
                        false => Renewal::Lost,
                    })
                })
            })
            .await
    }

    pub(super) async fn release(&self, lease: &Lease) -> Result<(), Error> {
        let run = self.run;
        let (chunk, fence) = keys(lease);
        self.database
            .statement(&self.lane, "release a lease", move |connection| {
                Box::pin(async move {
                    sqlx::query(RELEASE)
                        .bind(run)
                        .bind(chunk)
                        .bind(fence)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    pub(super) async fn counts(&self) -> Result<Counts, Error> {
        let run = self.run;
        self.database
            .statement(&self.lane, "count the results", move |connection| {
                Box::pin(async move { runs::counts(connection, run).await })
            })
            .await
    }
}

enum Claimed {
    Leased(Leased),
    /// The run's state, and whether any chunk is not finished.
    Nothing(RunState, bool),
}

struct Leased {
    chunk: i64,
    fence: i64,
    is_json: bool,
    places: Vec<i64>,
    lines: Vec<Vec<u8>>,
    finished: Vec<i64>,
}

impl Leased {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            chunk: row.try_get(0)?,
            fence: row.try_get(1)?,
            is_json: row.try_get(2)?,
            places: row.try_get(3)?,
            lines: row.try_get(4)?,
            finished: row.try_get(5)?,
        })
    }

    /// The items that have no result.
    fn items(self) -> Vec<Item> {
        let finished: HashSet<i64> = self.finished.into_iter().collect();
        let format = match self.is_json {
            true => Format::Json,
            false => Format::Text,
        };
        let lines = self.places.into_iter().zip(self.lines);
        let left = lines.filter(|(place, _)| !finished.contains(place));
        left.map(|(place, line)| item(unsigned(place), &line, format))
            .collect()
    }
}

async fn claim(
    connection: &mut PgConnection,
    run: i64,
    micros: i64,
    worker: &str,
) -> Result<Claimed, Failed> {
    let leased = sqlx::query(CLAIM)
        .bind(run)
        .bind(micros)
        .bind(worker)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = leased {
        return Ok(Claimed::Leased(Leased::read(&row)?));
    }
    let row = sqlx::query(LEFT)
        .bind(run)
        .fetch_optional(connection)
        .await?;
    match row {
        Some(row) => {
            let state = RunState::from_number(row.try_get(0)?);
            Ok(Claimed::Nothing(state, row.try_get(1)?))
        }
        // The run was removed.
        None => Ok(Claimed::Nothing(RunState::Cancelled, false)),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A lease's numbers, as the database keeps them.
fn keys(lease: &Lease) -> (i64, i64) {
    (lease.chunk.cast_signed(), lease.fence.cast_signed())
}

//! Control of runs from outside.

use std::sync::Arc;

use chatcore::{Error, ErrorKind};
use sqlx::Row;

use super::database::Database;
use super::runs::{RunState, unknown_run, unsigned};
use super::statement::Lane;

impl Database {
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
                    RunState::Removing => "it is being removed; to end that, remove it again",
                };
                let why = format!("the run {run:?} cannot be changed: {how}");
                Err(Error::new(ErrorKind::Config, why).with_code(Some("run_state".to_owned())))
            }
            None => Err(unknown_run(run)),
        }
    }

    /// Runs the items again that have an error: their errors are deleted, some chunks at a time.
    /// Returns how many were deleted. Errors that are recorded meanwhile may stay.
    ///
    /// # Errors
    /// As for [`status`](Self::status). Some errors may have been deleted.
    pub async fn retry_errors(&self, run: &str) -> Result<u64, Error> {
        let lane = self.lane().await?;
        let id = self.run_id(&lane, run).await?;
        let mut deleted = 0;
        let mut after = Some(i64::MIN);
        // Each chunk is visited once, because a worker may record more errors meanwhile.
        while let Some(last) = after {
            let piece = self.statement(&lane, "delete the errors", move |connection| {
                Box::pin(async move {
                    let row = sqlx::query(RETRY_ERRORS)
                        .bind(id)
                        .bind(last)
                        .bind(RETRIED_AT_ONCE)
                        .fetch_one(connection)
                        .await?;
                    Ok((row.try_get::<i64, _>(0)?, row.try_get(1)?))
                })
            });
            let (gone, next) = piece.await?;
            deleted += unsigned(gone);
            after = next;
        }
        Ok(deleted)
    }

    /// Deletes a run with its input and its results.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn remove(&self, run: &str) -> Result<(), Error> {
        let lane = self.lane().await?;
        let name: Arc<str> = Arc::from(run);
        let found = self.statement(&lane, "delete a run", move |connection| {
            let name = Arc::clone(&name);
            Box::pin(async move {
                // Workers see at once that the run has ended.
                let row =
                    sqlx::query("UPDATE run SET state = $2 WHERE name = $1 RETURNING id, loader")
                        .bind(&*name)
                        .bind(RunState::Removing.number())
                        .fetch_optional(connection)
                        .await?;
                let read = |row: sqlx::postgres::PgRow| {
                    Ok::<_, sqlx::Error>(Owned {
                        run: row.try_get(0)?,
                        loader: row.try_get(1)?,
                        state: RunState::Removing,
                    })
                };
                Ok(row.map(read).transpose()?)
            })
        });
        let owned = found.await?.ok_or_else(|| unknown_run(run))?;
        self.clear(&lane, owned).await?;
        // The run's row is the last, so that a removal that was interrupted can be repeated.
        self.forget(&lane, owned).await
    }

    /// Deletes everything of a run but its own row, in several statements, each of which takes
    /// little time. Each deletes nothing if the run is not owned any more.
    pub(super) async fn clear(&self, lane: &Lane, owned: Owned) -> Result<(), Error> {
        for table in [
            "DELETE FROM result WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM result WHERE run = $1 AND EXISTS (SELECT FROM run
                    WHERE id = $1 AND loader = $2 AND state = $3) LIMIT $4))",
            "DELETE FROM chunk WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM chunk WHERE run = $1 AND EXISTS (SELECT FROM run
                    WHERE id = $1 AND loader = $2 AND state = $3) LIMIT $4))",
            "DELETE FROM bucket WHERE run = $1 AND $4 > 0 AND EXISTS (SELECT FROM run
                WHERE id = $1 AND loader = $2 AND state = $3)",
            "DELETE FROM block WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM block WHERE run = $1 AND EXISTS (SELECT FROM run
                    WHERE id = $1 AND loader = $2 AND state = $3) LIMIT $4))",
        ] {
            while self.delete(lane, table, owned).await? > 0 {}
        }
        Ok(())
    }

    /// Deletes the row of a run.
    pub(super) async fn forget(&self, lane: &Lane, owned: Owned) -> Result<(), Error> {
        let delete = "DELETE FROM run WHERE id = $1 AND loader = $2 AND state = $3 AND $4 > 0";
        self.delete(lane, delete, owned).await?;
        // A statement that began before the removal may have recorded results after they were
        // cleared.
        let late = "DELETE FROM result WHERE run = $1 AND $2 <> $3 AND $4 > 0
            AND NOT EXISTS (SELECT FROM run WHERE id = $1)";
        self.delete(lane, late, owned).await?;
        Ok(())
    }

    async fn delete(&self, lane: &Lane, delete: &'static str, owned: Owned) -> Result<u64, Error> {
        self.statement(lane, "delete a run", move |connection| {
            Box::pin(async move {
                let deleted = sqlx::query(delete)
                    .bind(owned.run)
                    .bind(owned.loader)
                    .bind(owned.state.number())
                    .bind(DELETED_AT_ONCE)
                    .execute(connection)
                    .await?;
                Ok(deleted.rows_affected())
            })
        })
        .await
    }
}

/// A run that may be deleted as long as its row has this loader and this state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned {
    pub(super) run: i64,
    pub(super) loader: i64,
    pub(super) state: RunState,
}

/// Deletes the errors in the next chunks of a run, and takes them out of the counts. Chunks that had any are handed
/// out again.
const RETRY_ERRORS: &str = "
WITH picked AS (
    SELECT number FROM chunk WHERE run = $1 AND number > $2 AND failed > 0
    ORDER BY number LIMIT $3
), gone AS (
    DELETE FROM result WHERE run = $1 AND NOT is_answer AND chunk IN (SELECT number FROM picked)
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
SELECT (SELECT count(*) FROM gone), (SELECT max(number) FROM picked)";

/// In how many chunks errors are deleted in one statement: at most 20,000 results.
const RETRIED_AT_ONCE: i64 = 20;

/// How many rows are deleted in one statement.
const DELETED_AT_ONCE: i64 = 20_000;

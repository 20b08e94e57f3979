//! The identity that all workers of a run have in common.
//!
//! It is stored when a worker opens the run, and bound by the first result. Until then another
//! worker may replace it while nobody holds a lease, because the first worker may have had a wrong
//! key. So a worker that leases items compares the identity again until it is bound.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chatcore::journal::Claim;
use chatcore::{Error, ErrorKind};
use sqlx::Row;

use super::Inner;
use super::database::Database;
use super::runs::{damaged, unknown_run};
use super::statement::Lane;
use crate::journal::jsonl::Identity;

/// Only a change is written, because a row's old version stays as a dead row.
const STORE: &str = "
UPDATE run SET identity = $2
WHERE name = $1 AND identity IS DISTINCT FROM $2 AND (identity IS NULL
    OR NOT EXISTS (SELECT FROM result WHERE result.run = run.id)
        AND NOT EXISTS (SELECT FROM chunk WHERE chunk.run = run.id AND chunk.state = 1
            AND chunk.leased_until >= clock_timestamp()))";

/// The lock waits for a worker that replaces the identity.
const STORED: &str = "SELECT identity FROM run WHERE id = $1 FOR SHARE";

/// Finds a run, and stores or compares the identity. `None` is not stored and equals any other.
pub(super) async fn adopt(
    database: &Database,
    lane: &Lane,
    run: &str,
    identity: Option<&Identity>,
) -> Result<i64, Error> {
    let text = identity.map(serde_json::to_string).transpose();
    let text = text.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
    let asked: Arc<(String, Option<String>)> = Arc::new((run.to_owned(), text));
    let found = database.statement(lane, "find the run", move |connection| {
        let asked = Arc::clone(&asked);
        Box::pin(async move {
            if let Some(identity) = &asked.1 {
                sqlx::query(STORE)
                    .bind(&asked.0)
                    .bind(identity)
                    .execute(&mut *connection)
                    .await?;
            }
            let found = sqlx::query("SELECT id, identity FROM run WHERE name = $1")
                .bind(&asked.0)
                .fetch_optional(connection)
                .await?;
            let read = |row: sqlx::postgres::PgRow| {
                Ok::<(i64, Option<String>), sqlx::Error>((row.try_get(0)?, row.try_get(1)?))
            };
            Ok(found.map(read).transpose()?)
        })
    });
    let (id, stored) = found.await?.ok_or_else(|| unknown_run(run))?;
    compare(identity, stored)?;
    Ok(id)
}

fn compare(identity: Option<&Identity>, stored: Option<String>) -> Result<(), Error> {
    let (Some(identity), Some(stored)) = (identity, stored) else {
        return Ok(());
    };
    let stored: Identity = serde_json::from_str(&stored).map_err(|_| damaged("identity"))?;
    identity.check(&stored, "submit another run")
}

impl Inner {
    /// Leases items, and gives them back if the run has another identity by now.
    pub(super) async fn claim_as_agreed(&self) -> Result<Claim, Error> {
        let claimed = self.claim().await?;
        if let Claim::Items(lease, _) = &claimed
            && let Err(error) = self.agree().await
        {
            // The lease expires by itself if it cannot be released.
            let _ = self.release(lease).await;
            return Err(error);
        }
        Ok(claimed)
    }

    /// Compares the identity with the run's until that is bound. The caller holds a lease, so that
    /// nobody replaces it afterwards.
    async fn agree(&self) -> Result<(), Error> {
        if self.identity.is_none() || self.is_bound.load(Ordering::Relaxed) {
            return Ok(());
        }
        let run = self.run;
        let found = self
            .database
            .statement(&self.lane, "read the run", move |connection| {
                Box::pin(async move {
                    let row = sqlx::query(STORED)
                        .bind(run)
                        .fetch_optional(&mut *connection)
                        .await?;
                    let stored = row.map(|row| row.try_get(0)).transpose()?;
                    let row = sqlx::query("SELECT EXISTS (SELECT FROM result WHERE run = $1)")
                        .bind(run)
                        .fetch_one(connection)
                        .await?;
                    Ok((stored.flatten(), row.try_get(0)?))
                })
            });
        let (stored, is_bound) = found.await?;
        compare(self.identity.as_ref(), stored)?;
        self.is_bound.store(is_bound, Ordering::Relaxed);
        Ok(())
    }
}

//! Reads the results of a run as they come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chatcore::Error;
use sqlx::{PgConnection, Row};

use super::database::{Database, Lane};
use super::failure::Failed;
use super::results::ResultLine;
use super::runs::unsigned;

/// How many chunks are read at once.
const CHUNKS: usize = 4;

/// The results of a run as they come. See [`Database::follow`].
#[derive(Debug)]
pub struct Follow {
    database: Database,
    lane: Arc<Lane>,
    run: i64,
    /// All chunks with a lower number were read to their end.
    floor: i64,
    /// Chunks above it that were read to their end.
    ended: BTreeSet<i64>,
    /// What was read of other chunks.
    begun: BTreeMap<i64, BTreeSet<u64>>,
}

impl Database {
    /// The results of a run as they come, each once. The new result of an item that runs again by
    /// [`retry_errors`](Self::retry_errors) is not reported if its error was; follow anew, or read
    /// [`results`](Self::results).
    ///
    /// A chunk with news is read as a whole, so following a run reads each result several times.
    /// Smaller [`chunk`](super::Submission::chunk)s make that cheaper.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn follow(&self, run: &str) -> Result<Follow, Error> {
        let lane = self.lane().await?;
        let run = self.run_id(&lane, run).await?;
        Ok(Follow {
            database: self.clone(),
            lane,
            run,
            floor: 1,
            ended: BTreeSet::new(),
            begun: BTreeMap::new(),
        })
    }
}

/// A chunk that has more results than were read.
#[derive(Clone, Copy, Debug)]
struct Change {
    chunk: i64,
    is_finished: bool,
}

impl Follow {
    /// Some results that came since the last call; empty if there are none now, or if the run has
    /// ended. Call it again until it is empty.
    ///
    /// # Errors
    /// [`Journal`](chatcore::ErrorKind::Journal) if the database cannot be read.
    ///
    /// Cancel-safe: dropping the future loses no result.
    pub async fn next(&mut self) -> Result<Vec<ResultLine>, Error> {
        let (run, floor) = (self.run, self.floor);
        let found = self
            .database
            .statement(&self.lane, "read results", move |connection| {
                Box::pin(changes(connection, run, floor))
            });
        let known = |chunk: i64, finished: i64| {
            let read = self.begun.get(&chunk).map_or(0, BTreeSet::len);
            self.ended.contains(&chunk) || read as u64 == unsigned(finished)
        };
        let changed = found.await?.into_iter();
        let changed = changed.filter(|(change, finished)| !known(change.chunk, *finished));
        let changed: Vec<_> = changed.map(|(change, _)| change).take(CHUNKS).collect();
        let chunks: Arc<[i64]> = changed.iter().map(|change| change.chunk).collect();
        if chunks.is_empty() {
            return Ok(Vec::new());
        }
        let read = self
            .database
            .statement(&self.lane, "read results", move |connection| {
                let chunks = Arc::clone(&chunks);
                Box::pin(async move { lines(connection, run, &chunks).await })
            });
        let mut new = Vec::new();
        for (chunk, line) in read.await? {
            if self.begun.entry(chunk).or_default().insert(line.place) {
                new.push(line);
            }
        }
        // A finished chunk gets no more results.
        for change in changed.iter().filter(|change| change.is_finished) {
            self.begun.remove(&change.chunk);
            self.ended.insert(change.chunk);
        }
        while self.ended.remove(&self.floor) {
            self.floor += 1;
        }
        Ok(new)
    }
}

async fn changes(
    connection: &mut PgConnection,
    run: i64,
    floor: i64,
) -> Result<Vec<(Change, i64)>, Failed> {
    let rows = sqlx::query(
        "SELECT number, state = 2, (done + failed)::bigint FROM chunk \
         WHERE run = $1 AND number >= $2 AND state > 0 AND done + failed > 0 ORDER BY number",
    )
    .bind(run)
    .bind(floor)
    .fetch_all(connection)
    .await?;
    let mut changes = Vec::with_capacity(rows.len());
    for row in rows {
        let change = Change {
            chunk: row.try_get(0)?,
            is_finished: row.try_get(1)?,
        };
        changes.push((change, row.try_get(2)?));
    }
    Ok(changes)
}

async fn lines(
    connection: &mut PgConnection,
    run: i64,
    chunks: &[i64],
) -> Result<Vec<(i64, ResultLine)>, Failed> {
    let rows = sqlx::query(
        "SELECT chunk, place, is_answer, line FROM result \
         WHERE run = $1 AND chunk = ANY($2) ORDER BY chunk, place",
    )
    .bind(run)
    .bind(chunks)
    .fetch_all(connection)
    .await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let line = ResultLine {
            place: unsigned(row.try_get(1)?),
            is_answer: row.try_get(2)?,
            line: row.try_get(3)?,
        };
        lines.push((row.try_get(0)?, line));
    }
    Ok(lines)
}

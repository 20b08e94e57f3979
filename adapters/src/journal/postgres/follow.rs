//! Reads the results of a run as they come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chatcore::Error;
use sqlx::{PgConnection, Row};

use super::database::Database;
use super::failure::Failed;
use super::results::ResultLine;
use super::runs::unsigned;
use super::statement::Lane;

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
    /// Each result is read once, however often this is asked.
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
        let changed: Vec<_> = changed.map(|(change, _)| change).collect();
        // A chunk whose errors run again seems to have news and may have none, so others are read, too.
        for changed in changed.chunks(CHUNKS) {
            let new = self.read(changed).await?;
            if !new.is_empty() {
                return Ok(new);
            }
        }
        Ok(Vec::new())
    }

    /// The results of these chunks that were not read yet.
    async fn read(&mut self, changed: &[Change]) -> Result<Vec<ResultLine>, Error> {
        let run = self.run;
        let chunks: Arc<[i64]> = changed.iter().map(|change| change.chunk).collect();
        let of_chunk = |chunk: &i64| {
            let places = self.begun.get(chunk).into_iter().flatten();
            let chunk = *chunk;
            places.map(move |place| (chunk, place.cast_signed()))
        };
        let (of, places): (Vec<_>, Vec<_>) = chunks.iter().flat_map(of_chunk).unzip();
        let known: Arc<(Vec<i64>, Vec<i64>)> = Arc::new((of, places));
        let read = self
            .database
            .statement(&self.lane, "read results", move |connection| {
                let (chunks, known) = (Arc::clone(&chunks), Arc::clone(&known));
                Box::pin(async move { lines(connection, run, &chunks, &known).await })
            });
        let mut new = Vec::new();
        for (chunk, line) in read.await? {
            self.begun.entry(chunk).or_default().insert(line.place);
            new.push(line);
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

/// The results of some chunks, without those that are known by their chunk and place.
const LINES: &str = "
SELECT chunk, place, is_answer, line FROM result r
WHERE run = $1 AND chunk = ANY($2) AND NOT EXISTS (
    SELECT FROM unnest($3::bigint[], $4::bigint[]) AS known (chunk, place)
    WHERE known.chunk = r.chunk AND known.place = r.place)
ORDER BY chunk, place";

async fn lines(
    connection: &mut PgConnection,
    run: i64,
    chunks: &[i64],
    (of, places): &(Vec<i64>, Vec<i64>),
) -> Result<Vec<(i64, ResultLine)>, Failed> {
    let rows = sqlx::query(LINES)
        .bind(run)
        .bind(chunks)
        .bind(&of[..])
        .bind(&places[..])
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

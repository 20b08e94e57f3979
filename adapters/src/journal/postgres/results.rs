//! Reads the results of a run.

use std::sync::Arc;
use std::vec;

use chatcore::Error;
use sqlx::Row;

use super::database::Database;
use super::runs::unsigned;
use super::statement::Lane;

/// How many results are read at once.
const PAGE: i64 = 500;

/// A result, as a line of a file in OpenAI's Batch format.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResultLine {
    /// The number of the item's line in the input.
    pub place: u64,
    /// Whether it is an answer; otherwise an error.
    pub is_answer: bool,
    /// The line, without a line end.
    pub line: Vec<u8>,
}

/// The results of a run in the order of the input. See [`Database::results`].
#[derive(Debug)]
pub struct Results {
    database: Database,
    lane: Arc<Lane>,
    run: i64,
    /// The last result that was read, by chunk and place.
    after: (i64, i64),
    page: vec::IntoIter<ResultLine>,
    is_at_end: bool,
}

impl Database {
    /// The results that a run has now, in the order of the input. They are read in pages, so memory
    /// use does not grow with the run. A result that is recorded meanwhile may be missing.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn results(&self, run: &str) -> Result<Results, Error> {
        let lane = self.lane().await?;
        let run = self.run_id(&lane, run).await?;
        Ok(Results {
            database: self.clone(),
            lane,
            run,
            after: (i64::MIN, i64::MIN),
            page: Vec::new().into_iter(),
            is_at_end: false,
        })
    }
}

impl Results {
    /// The next result; `None` at the end.
    ///
    /// # Errors
    /// [`Journal`](chatcore::ErrorKind::Journal) if the database cannot be read.
    ///
    /// Cancel-safe: dropping the future loses no result.
    pub async fn next(&mut self) -> Result<Option<ResultLine>, Error> {
        loop {
            if let Some(line) = self.page.next() {
                return Ok(Some(line));
            }
            if self.is_at_end {
                return Ok(None);
            }
            let (run, after) = (self.run, self.after);
            let read = self
                .database
                .statement(&self.lane, "read results", move |connection| {
                    Box::pin(async move {
                        let rows = sqlx::query(
                            "SELECT chunk, place, is_answer, line FROM result \
                         WHERE run = $1 AND (chunk, place) > ($2, $3) \
                         ORDER BY chunk, place LIMIT $4",
                        )
                        .bind(run)
                        .bind(after.0)
                        .bind(after.1)
                        .bind(PAGE)
                        .fetch_all(connection)
                        .await?;
                        let mut after = after;
                        let mut page = Vec::with_capacity(rows.len());
                        for row in rows {
                            after = (row.try_get(0)?, row.try_get(1)?);
                            page.push(ResultLine {
                                place: unsigned(after.1),
                                is_answer: row.try_get(2)?,
                                line: row.try_get(3)?,
                            });
                        }
                        Ok((after, page))
                    })
                });
            let (after, page) = read.await?;
            self.is_at_end = page.is_empty();
            self.after = after;
            self.page = page.into_iter();
        }
    }
}

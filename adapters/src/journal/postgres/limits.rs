//! Limits per minute that all workers of a run share.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{BoxFuture, Error, LimitAmount, LimitBlock, SharedLimits};
use sqlx::{PgConnection, Row};

use super::database::{Database, Lane};
use super::failure::Failed;
use super::runs::{id, unknown_run, unsigned};
use crate::journal::limits::Pace;

/// How long a block may be used.
const LASTS: Duration = Duration::from_secs(2);

/// How soon a draw is repeated if the database does not answer. The journal ends the run if it
/// stays away.
const AWAY: Duration = Duration::from_secs(1);

/// The limits of a whole run, over all its workers. The default is no limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RunLimits {
    /// Requests per minute; 0 counts as 1.
    pub requests_per_minute: Option<u64>,
    /// Tokens per minute, input and output together; 0 counts as 1.
    pub tokens_per_minute: Option<u64>,
    /// No more items are handed out once the results have cost this much, in dollars.
    pub max_cost: Option<f64>,
    /// The price of a million prompt tokens, in dollars.
    pub input_price: f64,
    /// The price of a million output tokens, in dollars.
    pub output_price: f64,
}

impl RunLimits {
    /// The limits with their numbers in the table of buckets.
    pub(super) fn paces(&self) -> impl Iterator<Item = (i16, Pace)> {
        let limits = [self.requests_per_minute, self.tokens_per_minute];
        let numbered = (0..).zip(limits);
        numbered.filter_map(|(kind, limit)| Some((kind, Pace::per_minute(limit?))))
    }
}

/// A run's limits per minute, for [`LlmClientBuilder::shared_limits`]. See
/// [`Database::shared_limits`].
///
/// [`LlmClientBuilder::shared_limits`]: chatcore::LlmClientBuilder::shared_limits
#[derive(Debug)]
pub struct PostgresLimits {
    database: Database,
    lane: Arc<Lane>,
    run: i64,
}

/// Draws a block if every bucket holds one: half of the most that it holds, but no more than is
/// wanted and no less than is needed. Nothing is written otherwise. The clock never goes back,
/// because the statement may have waited for the row.
const DRAW: &str = "
WITH asked (kind, need, want) AS (
    VALUES (0::smallint, $2::float8, $3::float8), (1::smallint, $4::float8, $5::float8)
), held AS (
    SELECT b.kind, b.rate, b.most, a.need, a.want,
        greatest(b.at, clock_timestamp()) AS now,
        least(b.most, b.level + b.rate
            * greatest(0, extract(epoch FROM clock_timestamp() - b.at)::float8)) AS level
    FROM bucket b JOIN asked a ON a.kind = b.kind
    WHERE b.run = $1 ORDER BY b.kind FOR UPDATE OF b
), missing AS (
    SELECT COALESCE(max((least(most, want, greatest(need, most / 2)) - level) / rate), 0) AS wait
    FROM held
), drawn AS (
    UPDATE bucket b SET at = h.now,
        level = h.level - greatest(h.need, least(h.want, floor(h.level + 1e-9)))
    FROM held h, missing m
    WHERE b.run = $1 AND b.kind = h.kind AND m.wait <= 1e-9
    RETURNING b.kind, greatest(h.need, least(h.want, floor(h.level + 1e-9))) AS granted
)
SELECT m.wait,
    (SELECT granted FROM drawn WHERE kind = 0), (SELECT granted FROM drawn WHERE kind = 1)
FROM missing m";

impl Database {
    /// The limits per minute of a run; `None` if it has none.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn shared_limits(&self, run: &str) -> Result<Option<PostgresLimits>, Error> {
        let lane = self.lane().await?;
        let name: Arc<str> = Arc::from(run);
        let found = self.statement(&lane, "read the run", move |connection| {
            let name = Arc::clone(&name);
            Box::pin(async move {
                let Some(id) = id(connection, &name).await? else {
                    return Ok(None);
                };
                let row = sqlx::query("SELECT count(*) > 0 FROM bucket WHERE run = $1")
                    .bind(id)
                    .fetch_one(connection)
                    .await?;
                Ok(Some((id, row.try_get::<bool, _>(0)?)))
            })
        });
        let (run, has_limits) = found.await?.ok_or_else(|| unknown_run(run))?;
        Ok(has_limits.then(|| PostgresLimits {
            database: self.clone(),
            // A draw must not wait for a claim.
            lane: Arc::new(Lane::default()),
            run,
        }))
    }
}

impl SharedLimits for PostgresLimits {
    fn draw(&self, need: LimitAmount, want: LimitAmount) -> BoxFuture<'_, LimitBlock> {
        let run = self.run;
        Box::pin(async move {
            let drawn = self
                .database
                .statement(&self.lane, "draw limits", move |connection| {
                    Box::pin(draw(connection, run, need, want))
                });
            drawn.await.unwrap_or(LimitBlock::Later(AWAY))
        })
    }
}

async fn draw(
    connection: &mut PgConnection,
    run: i64,
    need: LimitAmount,
    want: LimitAmount,
) -> Result<LimitBlock, Failed> {
    let row = sqlx::query(DRAW)
        .bind(run)
        .bind(need.requests as f64)
        .bind(want.requests as f64)
        .bind(need.tokens as f64)
        .bind(want.tokens as f64)
        .fetch_one(connection)
        .await?;
    let wait: f64 = row.try_get(0)?;
    if wait > 1e-9 {
        return Ok(LimitBlock::Later(
            Duration::try_from_secs_f64(wait).unwrap_or(AWAY),
        ));
    }
    let granted = |column: usize, wanted: u64| -> Result<u64, sqlx::Error> {
        let granted: Option<f64> = row.try_get(column)?;
        Ok(granted.map_or(wanted, |granted| unsigned(granted as i64)))
    };
    let amount = LimitAmount {
        requests: granted(1, want.requests)?,
        tokens: granted(2, want.tokens)?,
    };
    Ok(LimitBlock::Granted(amount, LASTS))
}

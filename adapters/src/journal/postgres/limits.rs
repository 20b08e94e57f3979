//! Limits per minute that all workers of a run share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatcore::{BoxFuture, Error, ErrorKind, Instant, LimitAmount, LimitBlock, SharedLimits};
use sqlx::{PgConnection, Row};

use super::database::Database;
use super::failure::Failed;
use super::runs::{id, unknown_run, unsigned};
use super::statement::Lane;
use crate::journal::limits::Pace;

/// How long a block may be used.
const LASTS: Duration = Duration::from_secs(2);

/// How soon a draw is repeated if it failed.
const AWAY: Duration = Duration::from_secs(1);

/// How long after a [`LimitsFailed`](super::DatabaseEvent::LimitsFailed) the next one is sent, if
/// draws still fail.
const TOLD_AGAIN: Duration = Duration::from_secs(60);

/// The limits of a whole run, over all its workers. The default is no limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RunLimits {
    /// Requests per minute; 0 counts as 1.
    pub requests_per_minute: Option<u64>,
    /// Tokens per minute, input and output together; 0 counts as 1.
    pub tokens_per_minute: Option<u64>,
    /// No more items are handed out once the results have cost this much, in dollars. Needs a
    /// price.
    pub max_cost: Option<f64>,
    /// The price of a million prompt tokens, in dollars.
    pub input_price: f64,
    /// The price of a million output tokens, in dollars.
    pub output_price: f64,
}

impl RunLimits {
    /// Refuses limits that cannot be kept.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |why: &str| {
            let code = Some("run_limits".to_owned());
            Err(Error::new(ErrorKind::Config, why).with_code(code))
        };
        let is_amount = |dollars: f64| dollars.is_finite() && dollars >= 0.0;
        if !is_amount(self.input_price) || !is_amount(self.output_price) {
            return refuse("the prices must be 0 or more dollars for a million tokens");
        }
        match self.max_cost {
            Some(most) if !is_amount(most) => refuse("max_cost must be 0 or more dollars"),
            Some(_) if self.input_price == 0.0 && self.output_price == 0.0 => refuse(
                "max_cost needs prices, because without them the run costs nothing and never \
                 reaches its cap: set input_price and output_price",
            ),
            _ => Ok(()),
        }
    }

    /// The limits with their numbers in the table of buckets.
    fn paces(&self) -> [(i16, Option<Pace>); 2] {
        [
            (0, self.requests_per_minute.map(Pace::per_minute)),
            (1, self.tokens_per_minute.map(Pace::per_minute)),
        ]
    }
}

/// A run's limits per minute, for [`LlmClientBuilder::shared_limits`]. See
/// [`Database::shared_limits`]. While draws fail, requests wait; [`Database::watch`] tells why.
///
/// [`LlmClientBuilder::shared_limits`]: chatcore::LlmClientBuilder::shared_limits
#[derive(Debug)]
pub struct PostgresLimits {
    database: Database,
    lane: Arc<Lane>,
    run: i64,
    name: String,
    /// When the last `LimitsFailed` was sent; `None` while draws succeed.
    told: Mutex<Option<Instant>>,
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
    (SELECT granted FROM drawn WHERE kind = 0), (SELECT granted FROM drawn WHERE kind = 1),
    EXISTS (SELECT FROM run WHERE id = $1 AND state <> 4)
FROM missing m";

impl Database {
    /// Replaces the limits of a run; change those of its [`status`](Self::status) to keep the
    /// others. A run at its cap goes on when its cap is raised and a worker works on it. Limits per
    /// minute of a run that had none are kept by the clients that ask for
    /// [`shared_limits`](Self::shared_limits) afterwards.
    ///
    /// # Errors
    /// As for [`status`](Self::status), and [`Config`](ErrorKind::Config) with the code `run_limits`
    /// if the limits cannot be kept, such as a cap without prices.
    pub async fn set_limits(&self, run: &str, limits: RunLimits) -> Result<(), Error> {
        limits.check()?;
        let lane = self.lane().await?;
        let name: Arc<str> = Arc::from(run);
        let is_set = self.statement(&lane, "set the limits", move |connection| {
            let name = Arc::clone(&name);
            Box::pin(async move {
                match id(connection, &name).await? {
                    Some(id) => Ok(set(connection, id, None, limits).await?),
                    None => Ok(false),
                }
            })
        });
        match is_set.await? {
            true => Ok(()),
            false => Err(unknown_run(run)),
        }
    }

    /// Sets the limits of a run that this loader submits. Returns whether it still does.
    pub(super) async fn first_limits(
        &self,
        lane: &Lane,
        (id, loader): (i64, i64),
        limits: RunLimits,
    ) -> Result<bool, Error> {
        self.statement(lane, "set the limits", move |connection| {
            Box::pin(async move { Ok(set(connection, id, Some(loader), limits).await?) })
        })
        .await
    }

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
        let run_name = run.to_owned();
        let (run, has_limits) = found.await?.ok_or_else(|| unknown_run(run))?;
        Ok(has_limits.then(|| PostgresLimits {
            database: self.clone(),
            // A draw must not wait for a claim.
            lane: Arc::new(Lane::default()),
            run,
            name: run_name,
            told: Mutex::default(),
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
            let drawn = match drawn.await {
                Ok(Some(block)) => Ok(block),
                Ok(None) => Err(unknown_run(&self.name)),
                Err(error) => Err(error),
            };
            if self.is_news(drawn.is_ok()) {
                self.database
                    .limits(drawn.as_ref().map(drop).map_err(Error::clone));
            }
            drawn.unwrap_or(LimitBlock::Later(AWAY))
        })
    }
}

impl PostgresLimits {
    /// Whether the result of a draw is sent as an event.
    fn is_news(&self, is_drawn: bool) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if is_drawn {
            return told.take().is_some();
        }
        let now = self.database.executor().now();
        let is_news = told.is_none_or(|told| now >= told + TOLD_AGAIN);
        if is_news {
            *told = Some(now);
        }
        is_news
    }
}

/// Sets the limits of a run unless it is being removed or, if a loader is given, is not loaded by it
/// any more. Returns whether it did.
async fn set(
    connection: &mut PgConnection,
    id: i64,
    loader: Option<i64>,
    limits: RunLimits,
) -> Result<bool, sqlx::Error> {
    let number = |limit: Option<u64>| limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let set = sqlx::query(
        "UPDATE run SET requests_per_minute = $3, tokens_per_minute = $4, max_cost = $5, \
         input_price = $6, output_price = $7 \
         WHERE id = $1 AND state <> 4 AND ($2::bigint IS NULL OR (loader = $2 AND state = 0))",
    )
    .bind(id)
    .bind(loader)
    .bind(number(limits.requests_per_minute))
    .bind(number(limits.tokens_per_minute))
    .bind(limits.max_cost)
    .bind(limits.input_price)
    .bind(limits.output_price)
    .execute(&mut *connection)
    .await?;
    if set.rows_affected() == 0 {
        return Ok(false);
    }
    for (kind, pace) in limits.paces() {
        let query = match pace {
            Some(pace) => sqlx::query(SET_BUCKET)
                .bind(id)
                .bind(loader)
                .bind(kind)
                .bind(pace.rate)
                .bind(pace.most),
            None => sqlx::query(DELETE_BUCKET).bind(id).bind(loader).bind(kind),
        };
        query.execute(&mut *connection).await?;
    }
    Ok(true)
}

/// A bucket that is there keeps its level, so that a change grants nothing twice.
const SET_BUCKET: &str = "
INSERT INTO bucket (run, kind, rate, most, level)
SELECT id, $3, $4, $5, $5 FROM run
WHERE id = $1 AND state <> 4 AND ($2::bigint IS NULL OR (loader = $2 AND state = 0))
ON CONFLICT (run, kind) DO UPDATE SET rate = EXCLUDED.rate, most = EXCLUDED.most,
    level = least(bucket.level, EXCLUDED.most)";

const DELETE_BUCKET: &str = "
DELETE FROM bucket WHERE run = $1 AND kind = $3 AND EXISTS (SELECT FROM run
    WHERE id = $1 AND state <> 4 AND ($2::bigint IS NULL OR (loader = $2 AND state = 0)))";

/// `None` if the run was removed.
async fn draw(
    connection: &mut PgConnection,
    run: i64,
    need: LimitAmount,
    want: LimitAmount,
) -> Result<Option<LimitBlock>, Failed> {
    let row = sqlx::query(DRAW)
        .bind(run)
        .bind(need.requests as f64)
        .bind(want.requests as f64)
        .bind(need.tokens as f64)
        .bind(want.tokens as f64)
        .fetch_one(connection)
        .await?;
    // Without its buckets, a run that was removed would grant everything.
    if !row.try_get::<bool, _>(3)? {
        return Ok(None);
    }
    let wait: f64 = row.try_get(0)?;
    if wait > 1e-9 {
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(AWAY);
        return Ok(Some(LimitBlock::Later(wait)));
    }
    let granted = |column: usize, wanted: u64| -> Result<u64, sqlx::Error> {
        let granted: Option<f64> = row.try_get(column)?;
        Ok(granted.map_or(wanted, |granted| unsigned(granted as i64)))
    };
    let amount = LimitAmount {
        requests: granted(1, want.requests)?,
        tokens: granted(2, want.tokens)?,
    };
    Ok(Some(LimitBlock::Granted(amount, LASTS)))
}

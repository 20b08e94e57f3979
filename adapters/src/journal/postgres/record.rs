//! Records results in groups: those that come at about the same time share a round trip and a
//! commit.
//!
//! The futures of `record` write the groups themselves, by polling a shared future. A background task
//! would run on another thread: waking it and being woken by it costs more than the statement.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatcore::journal::{Lease, Outcome, Recorded};
use chatcore::{BoxFuture, Error, Executor};
use futures_channel::oneshot;
use futures_util::future::{FutureExt, Shared, WeakShared};
use sqlx::{PgConnection, Row as _};

use super::database::{Database, Lane, random};
use super::failure::Failed;
use super::shut_down;
use crate::journal::jsonl::result;
use crate::journal::jsonl::tag::Tag;

/// The size of a group, in results and in bytes of their lines.
const MOST_RESULTS: usize = 1_000;
const MOST_BYTES: usize = 8 << 20;

/// Inserts the results of a group that are the first of their items, adds them to the counts of
/// their chunks, marks the chunks that are finished, and adds those to the counts of the run.
const RECORD: &str = "
WITH new AS (
    INSERT INTO result
        (run, chunk, place, is_answer, token, input_tokens, output_tokens, line)
    SELECT $1, u.* FROM unnest($2::bigint[], $3::bigint[], $4::boolean[], $5::bigint[],
        $6::bigint[], $7::bigint[], $8::bytea[]) AS u
    WHERE EXISTS (SELECT FROM run WHERE id = $1)
    ON CONFLICT DO NOTHING
    RETURNING chunk, is_answer, token, input_tokens, output_tokens
), sums AS (
    SELECT chunk, count(*) FILTER (WHERE is_answer) AS done,
        count(*) FILTER (WHERE NOT is_answer) AS failed,
        sum(input_tokens)::bigint AS input_tokens, sum(output_tokens)::bigint AS output_tokens
    FROM new GROUP BY chunk
), counted AS (
    UPDATE chunk c SET done = c.done + s.done, failed = c.failed + s.failed,
        input_tokens = c.input_tokens + s.input_tokens,
        output_tokens = c.output_tokens + s.output_tokens,
        state = CASE WHEN c.done + c.failed + s.done + s.failed >= c.items THEN 2 ELSE c.state END
    FROM sums s WHERE c.run = $1 AND c.number = s.chunk
    RETURNING c.state, c.done, c.failed, c.input_tokens, c.output_tokens
), ended AS (
    SELECT sum(done)::bigint AS done, sum(failed)::bigint AS failed,
        sum(input_tokens)::bigint AS input_tokens, sum(output_tokens)::bigint AS output_tokens
    FROM counted WHERE state = 2 HAVING count(*) > 0
), total AS (
    UPDATE run r SET done = r.done + e.done, failed = r.failed + e.failed,
        input_tokens = r.input_tokens + e.input_tokens,
        output_tokens = r.output_tokens + e.output_tokens
    FROM ended e WHERE r.id = $1
)
SELECT COALESCE(array_agg(token), '{}') FROM new";

/// Which of these results are in the database.
const FOUND: &str = "
SELECT r.token FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS u (chunk, place, token)
JOIN result r ON r.run = $1 AND r.chunk = u.chunk AND r.place = u.place AND r.token = u.token";

/// Records the results of one worker.
pub(super) struct Writer {
    database: Database,
    run: i64,
    gathering: Duration,
    lane: Lane,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Makes tokens: a random number, and how many results came.
    next_token: u64,
    /// The future that writes the groups, while some call of `record` polls it.
    writing: Option<WeakShared<BoxFuture<'static, ()>>>,
}

struct Waiting {
    row: Row,
    tell: oneshot::Sender<Result<Recorded, Error>>,
}

struct Row {
    chunk: i64,
    place: i64,
    token: i64,
    is_answer: bool,
    input_tokens: i64,
    output_tokens: i64,
    line: Vec<u8>,
}

impl Writer {
    pub(super) fn new(database: Database, run: i64, gathering: Duration) -> Arc<Self> {
        Arc::new(Self {
            database,
            run,
            gathering,
            lane: Lane::default(),
            state: Mutex::new(State {
                next_token: random(),
                ..State::default()
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a result. If the future is dropped, the result is still recorded.
    pub(super) async fn record(
        self: &Arc<Self>,
        lease: &Lease,
        outcome: &Outcome,
    ) -> Result<Recorded, Error> {
        let (tell, told) = oneshot::channel();
        let mut writing = {
            let mut state = self.lock();
            let row = Row::new(lease, outcome, state.next_token.cast_signed());
            state.next_token = state.next_token.wrapping_add(1);
            state.waiting.push(Waiting { row, tell });
            Writing {
                groups: Some(self.groups(&mut state)),
                executor: self.database.executor(),
            }
        };
        let written = async {
            if let Some(groups) = &mut writing.groups {
                groups.await;
            }
            writing.groups = None;
            // The result is told before the groups end.
            std::future::pending().await
        };
        let told = futures_lite::future::or(told, written).await;
        writing.groups = None;
        told.unwrap_or_else(|_| Err(shut_down()))
    }

    /// The future that writes the groups: the one that is being polled, or else a new one.
    fn groups(self: &Arc<Self>, state: &mut State) -> Groups {
        let polled = state.writing.as_ref().and_then(WeakShared::upgrade);
        polled.unwrap_or_else(|| {
            let writer = Arc::clone(self);
            let write: BoxFuture<'static, ()> = Box::pin(writer.write_groups());
            let groups = write.shared();
            state.writing = groups.downgrade();
            groups
        })
    }

    /// Writes groups until no result waits.
    async fn write_groups(self: Arc<Self>) {
        loop {
            self.database.executor().sleep(self.gathering).await;
            let group = {
                let mut state = self.lock();
                if state.waiting.is_empty() {
                    state.writing = None;
                    return;
                }
                let size = group_size(&state.waiting);
                state.waiting.drain(..size).collect()
            };
            self.write(group).await;
        }
    }

    async fn write(&self, group: Vec<Waiting>) {
        let mut columns = Columns::default();
        let mut tell = Vec::with_capacity(group.len());
        for waiting in group {
            tell.push((waiting.row.token, waiting.tell));
            columns.push(waiting.row);
        }
        let (run, columns) = (self.run, Arc::new(columns));
        // Whether an attempt that failed may have been carried out.
        let is_again = AtomicBool::new(false);
        let recorded = self
            .database
            .statement(&self.lane, "record results", move |connection| {
                let columns = Arc::clone(&columns);
                let is_again = is_again.swap(true, Ordering::Relaxed);
                Box::pin(async move { write(connection, run, &columns, is_again).await })
            })
            .await;
        for (token, tell) in tell {
            let result = match &recorded {
                Ok(first) if first.contains(&token) => Ok(Recorded::First),
                Ok(_) => Ok(Recorded::Already),
                Err(error) => Err(error.clone()),
            };
            // The caller may have gone.
            let _ = tell.send(result);
        }
    }
}

/// How many of the waiting results form the next group: at least one.
fn group_size(waiting: &[Waiting]) -> usize {
    let mut bytes = 0;
    let fitting = waiting.iter().take(MOST_RESULTS).take_while(|waiting| {
        bytes += waiting.row.line.len();
        bytes <= MOST_BYTES
    });
    fitting.count().max(1)
}

type Groups = Shared<BoxFuture<'static, ()>>;

/// A call of `record`. If it is dropped, its result is written in the background.
struct Writing<'a> {
    /// `None` once the result is written.
    groups: Option<Groups>,
    executor: &'a Arc<dyn Executor>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(groups) = self.groups.take() {
            self.executor.spawn(Box::pin(groups));
        }
    }
}

impl Row {
    fn new(lease: &Lease, outcome: &Outcome, token: i64) -> Self {
        let tag = Tag::of(outcome);
        let mut line = Vec::new();
        result::write(&mut line, tag, outcome, now());
        // The line end is added again when results are read.
        line.pop();
        Self {
            chunk: lease.chunk.cast_signed(),
            place: outcome.place.cast_signed(),
            token,
            is_answer: outcome.result.is_ok(),
            input_tokens: i64::try_from(tag.input_tokens).unwrap_or(i64::MAX),
            output_tokens: i64::try_from(tag.output_tokens).unwrap_or(i64::MAX),
            line,
        }
    }
}

/// The rows of a group, as the arrays that the statement takes.
#[derive(Default)]
struct Columns {
    chunks: Vec<i64>,
    places: Vec<i64>,
    are_answers: Vec<bool>,
    tokens: Vec<i64>,
    input_tokens: Vec<i64>,
    output_tokens: Vec<i64>,
    lines: Vec<Vec<u8>>,
}

impl Columns {
    fn push(&mut self, row: Row) {
        self.chunks.push(row.chunk);
        self.places.push(row.place);
        self.are_answers.push(row.is_answer);
        self.tokens.push(row.token);
        self.input_tokens.push(row.input_tokens);
        self.output_tokens.push(row.output_tokens);
        self.lines.push(row.line);
    }
}

/// Records a group. Returns the tokens of the results that are the first of their items.
async fn write(
    connection: &mut PgConnection,
    run: i64,
    columns: &Columns,
    is_again: bool,
) -> Result<HashSet<i64>, Failed> {
    let row = sqlx::query(RECORD)
        .bind(run)
        .bind(&columns.chunks)
        .bind(&columns.places)
        .bind(&columns.are_answers)
        .bind(&columns.tokens)
        .bind(&columns.input_tokens)
        .bind(&columns.output_tokens)
        .bind(&columns.lines)
        .fetch_one(&mut *connection)
        .await?;
    let first: Vec<i64> = row.try_get(0)?;
    let mut first = HashSet::from_iter(first);
    if is_again && first.len() < columns.tokens.len() {
        // The attempt before may have inserted them, although its answer was lost.
        let rows = sqlx::query(FOUND)
            .bind(run)
            .bind(&columns.chunks)
            .bind(&columns.places)
            .bind(&columns.tokens)
            .fetch_all(connection)
            .await?;
        for row in &rows {
            first.insert(row.try_get(0)?);
        }
    }
    Ok(first)
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        f.debug_struct("Writer")
            .field("waiting", &state.waiting.len())
            .finish_non_exhaustive()
    }
}

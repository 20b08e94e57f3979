//! The rows of a group of results, and the statement that inserts them.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use chatcore::journal::{Lease, Outcome};
use sqlx::{PgConnection, Row as _};

use super::failure::Failed;
use crate::journal::jsonl::result;
use crate::journal::jsonl::tag::Tag;

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

/// The result of an item.
pub(super) struct Row {
    chunk: i64,
    place: i64,
    /// Another number for each result.
    pub(super) token: i64,
    is_answer: bool,
    input_tokens: i64,
    output_tokens: i64,
    pub(super) line: Vec<u8>,
}

impl Row {
    /// Its token is 0 until it is set.
    pub(super) fn new(lease: &Lease, outcome: &Outcome) -> Self {
        let tag = Tag::of(outcome);
        let mut line = Vec::new();
        result::write(&mut line, tag, outcome, now());
        // The line end is added again when results are read.
        line.pop();
        Self {
            chunk: lease.chunk.cast_signed(),
            place: outcome.place.cast_signed(),
            token: 0,
            is_answer: outcome.result.is_ok(),
            input_tokens: i64::try_from(tag.input_tokens).unwrap_or(i64::MAX),
            output_tokens: i64::try_from(tag.output_tokens).unwrap_or(i64::MAX),
            line,
        }
    }
}

/// The rows of a group, as the arrays that the statement takes.
#[derive(Default)]
pub(super) struct Columns {
    chunks: Vec<i64>,
    places: Vec<i64>,
    are_answers: Vec<bool>,
    tokens: Vec<i64>,
    input_tokens: Vec<i64>,
    output_tokens: Vec<i64>,
    lines: Vec<Vec<u8>>,
}

impl Columns {
    pub(super) fn push(&mut self, row: Row) {
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
pub(super) async fn write(
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

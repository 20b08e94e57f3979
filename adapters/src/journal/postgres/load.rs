//! Loads the input of a run.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{Error, ErrorKind};
use sqlx::Row;

use super::control::Owned;
use super::database::{Database, LONGEST_NAME, random};
use super::reader::{Block, Reader};
use super::runs::{RunState, damaged};
use super::statement::Lane;
use super::submission::Submission;
use crate::journal::jsonl::input::{BadLines, Input};
use crate::journal::jsonl::items::item;
use crate::journal::jsonl::line::Format;

/// A chunk has at most this part of the items that are left, so that the workers end together, and
/// at least this many items, so that claims stay rare.
const PARTS_LEFT: i64 = 64;
const SMALLEST_CHUNK: i32 = 8;

impl Database {
    /// Loads an input, plain or compressed with gzip or zstd, as a new run. The input is read once
    /// and is not held in memory. Workers can open the run meanwhile; they get no items before all
    /// of it is loaded.
    ///
    /// If this fails, the run has not begun, and can be submitted again under the same name. If the
    /// process is killed, that is possible once it has loaded nothing for 30 s, or after
    /// [`remove`](Self::remove).
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) with the code `run_exists` if there is a run with this name,
    /// `submitted_twice` if another process loads it or has begun to, or `run_limits` if the limits
    /// cannot be kept, such as a cap without prices.
    /// [`InvalidInput`](ErrorKind::InvalidInput) with `duplicate_custom_id`, with `json_array` if
    /// the input begins with `[` and no format is set, or with `invalid_line` if bad lines are
    /// refused. [`Journal`](ErrorKind::Journal) if the input cannot be read, with the
    /// [`io::Error`](std::io::Error) as its source, or the database does not answer, and as for [`PostgresBuilder::open`](super::PostgresBuilder::open).
    pub async fn submit(
        &self,
        run: &str,
        input: impl Read + Send + 'static,
        submission: Submission,
    ) -> Result<Input, Error> {
        check_name(run)?;
        submission.limits.check()?;
        let lane = self.lane().await?;
        let loader = random().cast_signed();
        let id = self.begin(&lane, run, loader).await?;
        let mine = Owned {
            run: id,
            loader,
            state: RunState::Loading,
        };
        // What an earlier submission left that did not come to its end.
        self.clear(&lane, mine).await?;
        let loaded = self.load(&lane, run, (id, loader), input, submission).await;
        if loaded.is_err() {
            // An error here is ignored in favour of the first one. The next submission clears up.
            // Nothing is deleted if another submission has taken over the run.
            let _ = self.clear(&lane, mine).await;
            let _ = self.forget(&lane, mine).await;
        }
        loaded
    }

    /// Makes the run's row, or takes over that of a submission that did not come to its end.
    async fn begin(&self, lane: &Lane, run: &str, loader: i64) -> Result<i64, Error> {
        let name: Arc<str> = Arc::from(run);
        let begun = self.statement(lane, "make the run", move |connection| {
            let name = Arc::clone(&name);
            Box::pin(async move {
                let row = sqlx::query(BEGIN)
                    .bind(&*name)
                    .bind(loader)
                    .bind(ABANDONED.as_secs_f64())
                    .fetch_optional(&mut *connection)
                    .await?;
                if let Some(row) = row {
                    return Ok(Ok(row.try_get(0)?));
                }
                let row = sqlx::query("SELECT state FROM run WHERE name = $1")
                    .bind(&*name)
                    .fetch_optional(connection)
                    .await?;
                let state = row.map(|row| row.try_get(0)).transpose()?;
                Ok(Err(state.map(RunState::from_number)))
            })
        });
        begun.await?.map_err(|state| {
            let (code, why) = match state {
                Some(RunState::Loading) => (
                    "submitted_twice",
                    format!(
                        "another process is submitting the run {run:?}: wait for it; if it was \
                         killed, submit again {} s later, or remove the run first",
                        ABANDONED.as_secs()
                    ),
                ),
                _ => (
                    "run_exists",
                    format!(
                        "there already is a run {run:?}: choose another name, or remove that run \
                         first"
                    ),
                ),
            };
            Error::new(ErrorKind::Config, why).with_code(Some(code.to_owned()))
        })
    }

    async fn load(
        &self,
        lane: &Lane,
        run: &str,
        (id, loader): (i64, i64),
        input: impl Read + Send + 'static,
        submission: Submission,
    ) -> Result<Input, Error> {
        let temporary = submission
            .temporary
            .join(format!("chatcore-{:016x}.names", random()));
        let (format, bad_lines) = (submission.format, submission.bad_lines);
        let mut reader = blocking::unblock(move || Reader::new(input, format, temporary)).await?;
        let mut number = 0;
        loop {
            let (after, block) = blocking::unblock(move || {
                let block = reader.block();
                (reader, block)
            })
            .await;
            reader = after;
            let block = block?;
            if bad_lines == BadLines::Refuse
                && let Some(first) = reader.found.first_bad.first()
            {
                let why = format!("{}; nothing was submitted", first.message());
                return Err(
                    Error::new(first.kind(), why).with_code(first.code().map(str::to_owned))
                );
            }
            if block.places.is_empty() {
                break;
            }
            self.insert(lane, run, (id, loader), number, block).await?;
            number += 1;
        }
        let is_json = reader.is_json();
        let (pairs, found) = blocking::unblock(move || reader.end()).await?;
        self.refuse_equal(lane, id, is_json, &pairs).await?;
        let is_mine = self.first_limits(lane, (id, loader), submission.limits);
        if !is_mine.await? {
            return Err(submitted_twice(run));
        }
        let chunk = i32::try_from(submission.chunk).unwrap_or(i32::MAX);
        self.finish(lane, run, (id, loader), (found.items, is_json, chunk))
            .await?;
        Ok(found)
    }

    async fn insert(
        &self,
        lane: &Lane,
        run: &str,
        (id, loader): (i64, i64),
        number: i64,
        block: Block,
    ) -> Result<(), Error> {
        let block = Arc::new(block);
        let is_mine = self.statement(lane, "load the input", move |connection| {
            let block = Arc::clone(&block);
            Box::pin(async move {
                // The row's lock makes a second submission wait until this block can be cleared. A
                // conflict is a repeated attempt whose answer was lost.
                let row = sqlx::query(
                    "WITH mine AS (UPDATE run SET loaded_at = clock_timestamp() WHERE id = $1 AND \
                     loader = $2 AND state = 0 RETURNING id), loaded AS (INSERT INTO block (run, number, places, lines, \
                     items) SELECT id, $3, $4, $5, $6 FROM mine ON CONFLICT DO NOTHING) \
                     SELECT count(*) > 0 FROM mine",
                )
                .bind(id)
                .bind(loader)
                .bind(number)
                .bind(&block.places)
                .bind(&block.lines)
                .bind(i32::try_from(block.places.len()).unwrap_or(i32::MAX))
                .fetch_one(connection)
                .await?;
                Ok(row.try_get(0)?)
            })
        });
        match is_mine.await? {
            true => Ok(()),
            false => Err(submitted_twice(run)),
        }
    }

    /// Divides the input into chunks, and starts the run.
    async fn finish(
        &self,
        lane: &Lane,
        run: &str,
        (id, loader): (i64, i64),
        (items, is_json, chunk): (u64, bool, i32),
    ) -> Result<(), Error> {
        let items = i64::try_from(items).unwrap_or(i64::MAX);
        let is_mine = self.statement(lane, "start the run", move |connection| {
            Box::pin(async move {
                sqlx::query(FINISH)
                    .bind(id)
                    .bind(loader)
                    .bind(items)
                    .bind(is_json)
                    .bind(chunk)
                    .bind(SMALLEST_CHUNK.min(chunk))
                    .bind(PARTS_LEFT)
                    .execute(&mut *connection)
                    .await?;
                // An attempt whose answer was lost may have started it.
                let row = sqlx::query(
                    "SELECT count(*) > 0 FROM run WHERE id = $1 AND loader = $2 AND state > 0",
                )
                .bind(id)
                .bind(loader)
                .fetch_one(connection)
                .await?;
                Ok(row.try_get(0)?)
            })
        });
        match is_mine.await? {
            true => Ok(()),
            false => Err(submitted_twice(run)),
        }
    }

    /// Compares the names of lines whose names have equal digests, and refuses those that are equal.
    async fn refuse_equal(
        &self,
        lane: &Lane,
        id: i64,
        is_json: bool,
        pairs: &[(u64, u64)],
    ) -> Result<(), Error> {
        let format = match is_json {
            true => Format::Json,
            false => Format::Text,
        };
        let mut equal = None;
        let mut more = 0_u64;
        for &(one, other) in pairs {
            let name = self.name_of(lane, id, one, format).await?;
            if name != self.name_of(lane, id, other, format).await? {
                continue;
            }
            match equal {
                None => equal = Some((one, other, name)),
                Some(_) => more += 1,
            }
        }
        let Some((one, other, name)) = equal else {
            return Ok(());
        };
        let more = match more {
            0 => String::new(),
            more => format!(", and {more} more are repeated"),
        };
        let why = format!(
            "the input has the custom_id {name:?} on line {one} and on line {other}{more}: results \
             are matched by custom_id, so give each line its own; nothing was submitted"
        );
        let code = Some("duplicate_custom_id".to_owned());
        Err(Error::new(ErrorKind::InvalidInput, why).with_code(code))
    }

    /// The name of the item on a line that was loaded.
    async fn name_of(
        &self,
        lane: &Lane,
        id: i64,
        place: u64,
        format: Format,
    ) -> Result<String, Error> {
        let at = place.cast_signed();
        let line = self.statement(lane, "read the input", move |connection| {
            Box::pin(async move {
                let row = sqlx::query(
                    "SELECT lines[array_position(places, $2)] FROM block \
                     WHERE run = $1 AND places[1] <= $2 ORDER BY number DESC LIMIT 1",
                )
                .bind(id)
                .bind(at)
                .fetch_optional(connection)
                .await?;
                let line: Option<Option<Vec<u8>>> = row.map(|row| row.try_get(0)).transpose()?;
                Ok(line.flatten())
            })
        });
        let line = line.await?.ok_or_else(|| damaged("input"))?;
        Ok(item(place, &line, format).id)
    }
}

/// How long a submission must have loaded nothing before another one may take it over.
const ABANDONED: Duration = Duration::from_secs(30);

/// A run whose loader still makes progress is not taken over.
const BEGIN: &str = "
INSERT INTO run (name, loader, loaded_at) VALUES ($1, $2, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET loader = $2, loaded_at = clock_timestamp()
WHERE run.state = 0 AND (run.loader = $2
    OR run.loaded_at < clock_timestamp() - $3 * interval '1 second')
RETURNING id";

/// Divides each block into chunks of equal size. The size is that of the items left, the block's
/// own included, divided by a constant.
const FINISH: &str = "
WITH mine AS (
    UPDATE run SET state = 1, items = $3, is_json = $4
    WHERE id = $1 AND loader = $2 AND state = 0 RETURNING id
), sized AS (
    SELECT number, items, sum(items) OVER (ORDER BY number DESC) AS left_items
    FROM block WHERE run = $1
), parts AS (
    SELECT number, items,
        least($5::integer, greatest($6::integer, left_items / $7::bigint))::integer AS size
    FROM sized
)
INSERT INTO chunk (run, number, block, first, items)
SELECT m.id, row_number() OVER (ORDER BY p.number, first), p.number, first,
    least(p.size, p.items - first)
FROM mine m, parts p, generate_series(0, p.items - 1, p.size) AS first";

fn check_name(run: &str) -> Result<(), Error> {
    if run.is_empty() || run.len() > LONGEST_NAME || run.chars().any(char::is_control) {
        let why = format!(
            "{run:?} cannot be the name of a run: use 1 to {LONGEST_NAME} bytes, without control \
             characters"
        );
        return Err(Error::new(ErrorKind::Config, why).with_code(Some("run_name".to_owned())));
    }
    Ok(())
}

fn submitted_twice(run: &str) -> Error {
    let why = format!(
        "another process has begun to submit the run {run:?} meanwhile, so this submission was \
         given up"
    );
    Error::new(ErrorKind::Config, why).with_code(Some("submitted_twice".to_owned()))
}

//! The results of a provider's batch, read as answers.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use crate::chat::ChatResponse;
use crate::dialect::batches::{LineResult, ProviderBatch};
use crate::error::Error;
use crate::pipeline::{
    Line, LinesReader, Opened, Rules, Shared, batch_dialect, batch_lines, decode_item, finish_item,
};

/// The result of one request of a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchAnswer {
    /// The id that the request was added with.
    pub id: String,
    /// What became of the request.
    pub outcome: BatchOutcome,
}

/// What became of a request of a batch.
#[derive(Debug)]
pub enum BatchOutcome {
    /// The answer or its error, as if the request had been sent by itself.
    Ended(Result<Box<ChatResponse>, Error>),
    /// The batch's time was over before the request ran.
    Expired,
    /// The batch was cancelled before the request ran.
    Cancelled,
}

/// The results of a batch, one after the other. See
/// [`ProviderBatches::results`](super::ProviderBatches::results).
pub struct BatchAnswers {
    shared: Arc<Shared>,
    rules: Rules,
    path: String,
    inline: VecDeque<String>,
    places: VecDeque<String>,
    reading: Option<Opened<LinesReader>>,
    skipped: u64,
}

impl BatchAnswers {
    pub(super) fn new(shared: Arc<Shared>, rules: Rules, path: &str, batch: ProviderBatch) -> Self {
        Self {
            shared,
            rules,
            path: path.to_owned(),
            inline: batch.inline.into(),
            places: batch.results.into(),
            reading: None,
            skipped: 0,
        }
    }

    /// The next result; `None` at the end.
    ///
    /// Lines that are no results, or are longer than the cap of an event, are
    /// [skipped](Self::skipped).
    ///
    /// # Errors
    /// As for a chat. Results that were returned before an error are valid; reading the batch's
    /// results again begins with the first one.
    ///
    /// Cancel-safe: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<BatchAnswer, Error>> {
        loop {
            if let Some(line) = self.inline.pop_front() {
                match self.read(&line) {
                    Some(result) => return Some(Ok(result)),
                    None => continue,
                }
            }
            if let Some(reading) = &mut self.reading {
                match poll_fn(|cx| reading.poll_line(cx)).await {
                    Some(Ok(Line::Text(bytes))) => {
                        if let Some(result) = std::str::from_utf8(&bytes)
                            .ok()
                            .and_then(|line| self.read(line))
                        {
                            return Some(Ok(result));
                        }
                    }
                    Some(Ok(Line::TooLong)) => self.skipped += 1,
                    Some(Err(error)) => return Some(Err(error)),
                    None => self.reading = None,
                }
                continue;
            }
            let place = self.places.front()?;
            match open(&self.shared, &self.rules, place).await {
                Ok(reading) => {
                    self.places.pop_front();
                    self.reading = Some(reading);
                }
                Err(error) => {
                    self.places.clear();
                    return Some(Err(error));
                }
            }
        }
    }

    /// How many lines were skipped.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Reads a line; `None` if it is no result.
    fn read(&mut self, line: &str) -> Option<BatchAnswer> {
        let shared = &self.shared;
        let read = batch_dialect(shared).and_then(|dialect| dialect.read_result(line));
        let Ok((id, result)) = read else {
            self.skipped += 1;
            return None;
        };
        let outcome = match result {
            LineResult::Expired => BatchOutcome::Expired,
            LineResult::Cancelled => BatchOutcome::Cancelled,
            LineResult::Failed(error) => BatchOutcome::Ended(Err(finish_item(shared, error))),
            LineResult::Answer {
                status,
                body,
                request_id,
            } => {
                let answer = decode_item(shared, &self.path, status, body, request_id);
                let answer = answer.map(Box::new);
                BatchOutcome::Ended(answer.map_err(|error| finish_item(shared, error)))
            }
        };
        Some(BatchAnswer { id, outcome })
    }
}

/// Asks for results. Not a method, because what is being read need not be `Sync`.
async fn open(
    shared: &Arc<Shared>,
    rules: &Rules,
    place: &str,
) -> Result<Opened<LinesReader>, Error> {
    let request = batch_dialect(shared)?.results(&shared.endpoint, place)?;
    batch_lines(Arc::clone(shared), rules.clone(), request).await
}

impl fmt::Debug for BatchAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchAnswers")
            .field("places", &self.places)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}

//! A batch that the provider refused as a whole, after it had taken it.

use std::time::Duration;

use super::control::BatchEvent;
use super::driver::{Again, Driver, Pause};
use super::store::Record;
use crate::dialect::batches::{BatchState, ProviderBatch};
use crate::error::{Error, ErrorKind};
use crate::journal::Outcome;

/// OpenAI's code for an account whose batches hold too many tokens together.
const TOO_MANY_TOKENS: &str = "token_limit_exceeded";

impl Driver {
    /// Handles a batch that was refused.
    pub(super) async fn refused(
        &mut self,
        record: &Record,
        batch: ProviderBatch,
    ) -> Result<(), Error> {
        let errors = &batch.errors;
        let first = errors.first().map(|error| error.error.clone());
        let first = first.unwrap_or_else(|| {
            Error::new(ErrorKind::Server, "the provider refused the batch")
                .with_code(Some("batch_failed".to_owned()))
        });
        let back = if first.code() == Some(TOO_MANY_TOKENS) {
            self.wait_for_room(record, first).await?
        } else if matches!(first.kind(), ErrorKind::Auth | ErrorKind::QuotaExceeded) {
            self.left_without(record, &first, Again::Free).await?;
            return Err(first);
        } else if errors.iter().any(|error| error.line.is_some()) {
            self.record_lines(record, &batch).await?
        } else {
            let again = match first.is_retryable() {
                true => Again::Counted,
                false => Again::Never,
            };
            self.left_without(record, &first, again).await?
        };
        self.control.tell(BatchEvent::Ended {
            id: batch.id,
            state: BatchState::Failed,
            back,
        });
        self.control.drained().await;
        Ok(())
    }

    /// The account's batches hold too many tokens: waits until another one has ended, or makes
    /// smaller ones.
    async fn wait_for_room(&mut self, record: &Record, error: Error) -> Result<u64, Error> {
        let back = self.left_without(record, &error, Again::Free).await?;
        let wait = self.settings.longest_poll;
        if !self.records.batches.is_empty() {
            self.pause = Pause::UntilEnd;
        } else if record.items.len() > 1 {
            let items = usize::try_from(record.items.len()).unwrap_or(usize::MAX);
            self.max_requests = items / 2;
            self.pause = Pause::Once;
        } else {
            // Batches of other programs may hold the tokens.
            self.pause = Pause::Once;
            let error = Error::new(ErrorKind::RateLimited, error.message());
            self.tolerate(error, wait)?;
            return Ok(back);
        }
        self.control.tell(BatchEvent::Trouble { error, wait });
        Ok(back)
    }

    /// Records the errors of the lines that the provider named. The other items go back.
    async fn record_lines(&mut self, record: &Record, batch: &ProviderBatch) -> Result<u64, Error> {
        let mut recording = Vec::new();
        for error in &batch.errors {
            let line = error.line.and_then(|line| line.checked_sub(1));
            let Some(place) = line.and_then(|line| record.items.nth(line)) else {
                continue;
            };
            let Some(held) = self.sent.get(&place).and_then(|sent| sent.item.as_ref()) else {
                continue;
            };
            let outcome = Outcome {
                place,
                id: held.id.clone(),
                tag: held.tag,
                result: Err(error.error.clone()),
                took: Duration::ZERO,
            };
            recording.push((held.lease.clone(), outcome));
        }
        // If no line is one of the batch's, the refusal counts as an attempt of all items.
        let again = match recording.is_empty() {
            true => Again::Counted,
            false => Again::Free,
        };
        self.record_all(recording).await?;
        let error = batch.errors.first().map(|error| error.error.clone());
        let error = error.unwrap_or_else(|| Error::new(ErrorKind::Server, "refused"));
        self.left_without(record, &error, again).await
    }
}

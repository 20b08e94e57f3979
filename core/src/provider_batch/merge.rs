//! Records the results of a batch that has ended.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::control::BatchEvent;
use super::driver::{Again, Driver, Merging};
use super::fill::read_item_id;
use super::store::Record;
use crate::batch::Finished;
use crate::client::{BatchAnswer, BatchOutcome};
use crate::dialect::batches::{BatchState, ProviderBatch};
use crate::error::{Error, ErrorKind};
use crate::journal::{Lease, Outcome, Recorded};

/// How many results are recorded at once.
const AT_ONCE: usize = 64;

/// A result on its way to the journal.
type Recording = (Lease, Outcome);

impl Driver {
    /// Records the results of a batch that has ended, then forgets the batch.
    pub(super) async fn merge_results(
        &mut self,
        name: &str,
        batch: ProviderBatch,
    ) -> Result<(), Merging> {
        let Some(record) = self.record(name).cloned() else {
            return Ok(());
        };
        let (id, state) = (batch.id.clone(), batch.state.clone());
        if state == BatchState::Failed && batch.results.is_empty() && batch.inline.is_empty() {
            return Ok(self.refused(&record, batch).await?);
        }
        let before = self.records.attempts.clone();
        let mut answers = self.batches.results(&record.path, batch);
        let mut recording: Vec<Recording> = Vec::new();
        let (mut is_ours, mut fatal) = (!record.is_guess, None);
        while let Some(answer) = answers.next().await {
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    self.record_all(std::mem::take(&mut recording)).await?;
                    // The results are read again from the beginning.
                    self.records.attempts = before;
                    return Err(Merging::Reading(error));
                }
            };
            let id = read_item_id(&answer.id);
            if !is_ours && id.is_none_or(|(of, ..)| of != name) {
                break;
            }
            if let Some((of, place, tag)) = id
                && of == name
            {
                is_ours = true;
                let tag = (place, tag);
                if let Some(result) = self.result(&record, tag, answer, &mut fatal) {
                    recording.push(result);
                }
            }
            if recording.len() >= AT_ONCE {
                self.record_all(std::mem::take(&mut recording)).await?;
                let orders = self.control.orders();
                if orders.stops && !orders.cancels {
                    self.records.attempts = before;
                    return Ok(());
                }
            }
        }
        self.record_all(recording).await?;
        self.worked();
        if !is_ours {
            return Ok(self.look_for_another(name).await?);
        }
        let why = missing(&state, answers.skipped());
        let again = match fatal.is_some() || self.control.orders().cancels {
            true => Again::Free,
            false => Again::Counted,
        };
        let back = self.left_without(&record, &why, again).await?;
        self.control.tell(BatchEvent::Ended { id, state, back });
        self.control.drained().await;
        match fatal {
            Some(error) => Err(Merging::Run(error)),
            None => Ok(()),
        }
    }

    /// The result to record for an answer. `None` if the item has one already, or is to be sent
    /// again.
    fn result(
        &mut self,
        record: &Record,
        (place, tag): (u64, u64),
        answer: BatchAnswer,
        fatal: &mut Option<Error>,
    ) -> Option<Recording> {
        let sent = self.sent.get(&place)?;
        let held = sent.item.as_ref()?;
        if *sent.batch != *record.name || held.tag != tag {
            return None;
        }
        let attempt = self.records.attempts.get(&place).copied().unwrap_or(0) + 1;
        let may_repeat = attempt < self.settings.attempts;
        let result = match answer.outcome {
            BatchOutcome::Ended(Ok(mut answer)) => {
                answer.attempts = attempt;
                Ok(*answer)
            }
            // The same for every item: the run ends, and these are sent again.
            BatchOutcome::Ended(Err(error))
                if matches!(error.kind(), ErrorKind::Auth | ErrorKind::QuotaExceeded) =>
            {
                *fatal = Some(error);
                return None;
            }
            BatchOutcome::Ended(Err(error)) if error.is_retryable() && may_repeat => return None,
            BatchOutcome::Ended(Err(error)) => Err(error),
            // Settled with the items that have no line at all.
            BatchOutcome::Expired | BatchOutcome::Cancelled => return None,
        };
        let began = self.began.get(&record.name);
        let outcome = Outcome {
            place,
            id: held.id.clone(),
            tag,
            result,
            took: began.map_or(Duration::ZERO, |began| self.executor.now() - *began),
        };
        Some((held.lease.clone(), outcome))
    }

    /// Settles the items of a batch that still have no result: they go back, or their error `why`
    /// is recorded if they were sent often enough. Then the batch is forgotten. Returns how many go
    /// back.
    pub(super) async fn left_without(
        &mut self,
        record: &Record,
        why: &Error,
        again: Again,
    ) -> Result<u64, Error> {
        let (mut back, mut recording) = (0, Vec::new());
        for place in record.items.iter() {
            let Some(sent) = self.sent.get(&place) else {
                continue;
            };
            // Of another batch, or with a result since before this process began.
            let Some(held) = sent.item.as_ref().filter(|_| *sent.batch == *record.name) else {
                continue;
            };
            let is_sent_again = match again {
                Again::Free => true,
                Again::Never => false,
                Again::Counted => {
                    let attempts = self.records.attempts.entry(place).or_insert(0);
                    *attempts += 1;
                    *attempts < self.settings.attempts
                }
            };
            if is_sent_again {
                back += 1;
                continue;
            }
            let outcome = Outcome {
                place,
                id: held.id.clone(),
                tag: held.tag,
                result: Err(why.clone()),
                took: Duration::ZERO,
            };
            recording.push((held.lease.clone(), outcome));
            if recording.len() >= AT_ONCE {
                self.record_all(std::mem::take(&mut recording)).await?;
            }
        }
        self.record_all(recording).await?;
        // The batch is forgotten only when nothing can undo its results.
        self.journal.sync().await?;
        self.forget(&record.name).await?;
        Ok(back)
    }

    /// Records results, and tells the caller of each.
    pub(super) async fn record_all(&mut self, results: Vec<Recording>) -> Result<(), Error> {
        let journal = &self.journal;
        let mut recording: FuturesUnordered<_> = results
            .into_iter()
            .map(|(lease, outcome)| async move {
                let recorded = journal.record(&lease, &outcome).await;
                recorded.map(|recorded| Finished { outcome, recorded })
            })
            .collect();
        while let Some(finished) = recording.next().await {
            let finished = finished?;
            let place = finished.outcome.place;
            let held = self.sent.remove(&place).and_then(|sent| sent.item);
            if let Some(held) = held {
                self.pass.recorded(held.pass);
            }
            self.records.attempts.remove(&place);
            if finished.recorded == Recorded::First {
                self.counts.add(&finished.outcome.result);
            }
            self.control.tell(BatchEvent::Finished(Box::new(finished)));
        }
        drop(recording);
        self.control.drained().await;
        Ok(())
    }
}

/// Why an item has no result although its batch has ended.
fn missing(state: &BatchState, skipped: u64) -> Error {
    let (code, why) = match state {
        BatchState::Cancelled => (
            "batch_cancelled",
            "the batch was cancelled before the request ran",
        ),
        _ if skipped > 0 => (
            "batch_result_unreadable",
            "the batch has no result for this request that can be read",
        ),
        // Anthropic reports the end of the time for each request.
        _ => (
            "batch_expired",
            "the batch ended without a result for this request",
        ),
    };
    Error::new(ErrorKind::Server, why).with_code(Some(code.to_owned()))
}

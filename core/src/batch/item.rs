//! Runs one item of a journal: sends its request and records the result.

use std::sync::Arc;
use std::time::Duration;

use super::Work;
use super::held::Held;
use super::journal_run::Finished;
use super::outage::{Tries, is_unanswered};
use crate::chat::{ChatRequest, ChatResponse};
use crate::error::{Error, ErrorKind};
use crate::journal::{Item, Journal, Outcome};
use crate::time::Instant;

/// The result of one item.
pub(super) enum Ran {
    /// With the number of unanswered requests before this one was sent.
    Recorded(Arc<Held>, Box<Finished>, u64),
    Unanswered(Box<Unanswered>),
    /// Failed with an error that is not specific to this item. Not recorded.
    Unanswerable(Error),
    Unrecorded(Error),
}

/// An item whose request got no answer.
pub(super) struct Unanswered {
    pub(super) held: Arc<Held>,
    pub(super) item: Item,
    pub(super) began: Instant,
    pub(super) tries: Tries,
    pub(super) error: Error,
    pub(super) keeps_place: bool,
}

/// Whether every other item would fail with the same error.
fn ends_the_run(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Auth | ErrorKind::QuotaExceeded | ErrorKind::Config | ErrorKind::Closed
    )
}

/// Sends the item's request, and records its result unless there was no answer.
pub(super) async fn run_item(
    work: Work<ChatRequest, ChatResponse, Error>,
    journal: Arc<dyn Journal>,
    held: Arc<Held>,
    item: Item,
    began: Instant,
    tries: Tries,
    sent_after: u64,
) -> Ran {
    let result = match &item.request {
        Ok(request) => match work.start(request.clone()).await {
            Err(error) if ends_the_run(&error) => return Ran::Unanswerable(error),
            Err(error) if is_unanswered(&error) => {
                return Ran::Unanswered(Box::new(Unanswered {
                    held,
                    item,
                    began,
                    tries,
                    error,
                    keeps_place: false,
                }));
            }
            result => result,
        },
        Err(error) => Err(error.clone()),
    };
    let took = work.executor.now() - began;
    record(journal, held, item, result, took, sent_after).await
}

/// Records the error of an unanswered request as the result of its item.
pub(super) async fn record_error(
    work: Work<ChatRequest, ChatResponse, Error>,
    journal: Arc<dyn Journal>,
    item: Box<Unanswered>,
) -> Ran {
    let took = work.executor.now() - item.began;
    record(journal, item.held, item.item, Err(item.error), took, 0).await
}

async fn record(
    journal: Arc<dyn Journal>,
    held: Arc<Held>,
    item: Item,
    result: Result<ChatResponse, Error>,
    took: Duration,
    sent_after: u64,
) -> Ran {
    let outcome = Outcome {
        place: item.place,
        id: item.id,
        tag: item.tag,
        result,
        took,
    };
    match journal.record(held.lease(), &outcome).await {
        Ok(recorded) => {
            let finished = Finished { outcome, recorded };
            Ran::Recorded(held, Box::new(finished), sent_after)
        }
        Err(error) => Ran::Unrecorded(error),
    }
}

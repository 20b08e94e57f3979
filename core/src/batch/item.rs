//! Runs one item of a journal: sends its request and records the result.

use std::sync::Arc;
use std::time::Duration;

use super::Work;
use super::held::Held;
use super::journal_run::Finished;
use super::outage::{Tries, is_unanswered};
use crate::chat::{ChatRequest, ChatResponse};
use crate::error::{Error, ErrorKind};
use crate::journal::{Item, Journal, Outcome, Recorded};
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
    pub(super) item: Box<Item>,
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
    item: Box<Item>,
    began: Instant,
    tries: Tries,
    sent_after: u64,
) -> Ran {
    // In a block of its own, because the future keeps space for the result until the block ends. A
    // future of more than a kilobyte takes the allocator ten times as long as a small one.
    let finished = {
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
        finished(item, result, work.executor.now() - began)
    };
    record(journal, held, finished, sent_after).await
}

/// Records the error of an unanswered request as the result of its item.
pub(super) async fn record_error(
    work: Work<ChatRequest, ChatResponse, Error>,
    journal: Arc<dyn Journal>,
    item: Box<Unanswered>,
) -> Ran {
    let took = work.executor.now() - item.began;
    let Unanswered {
        held, item, error, ..
    } = *item;
    let finished = finished(item, Err(error), took);
    record(journal, held, finished, 0).await
}

/// Boxed at once, because an outcome is large and is moved several times.
fn finished(item: Box<Item>, result: Result<ChatResponse, Error>, took: Duration) -> Box<Finished> {
    let item = *item;
    Box::new(Finished {
        outcome: Outcome {
            place: item.place,
            id: item.id,
            tag: item.tag,
            result,
            took,
        },
        recorded: Recorded::First,
    })
}

async fn record(
    journal: Arc<dyn Journal>,
    held: Arc<Held>,
    mut finished: Box<Finished>,
    sent_after: u64,
) -> Ran {
    match journal.record(held.lease(), &finished.outcome).await {
        Ok(recorded) => {
            finished.recorded = recorded;
            Ran::Recorded(held, finished, sent_after)
        }
        Err(error) => Ran::Unrecorded(error),
    }
}

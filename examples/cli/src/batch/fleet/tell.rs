//! What a worker says about its database and about items that fail.

use std::collections::BTreeMap;

use chatcore::{Error, Finished};
use chatcore_adapters::journal::postgres::DatabaseEvent;
use smol::channel::Sender;

use crate::failure::Failure;
use crate::say::{self, BAD};

/// Says that the database was lost, or is back. Why the run's limits cannot be drawn goes to
/// `failures`, because the worker cannot go on.
pub(super) fn database(event: DatabaseEvent, failures: &Sender<Error>) {
    match event {
        DatabaseEvent::Lost(error) => {
            let why = Failure::from(error).message;
            say::warning(&format!(
                "lost the database, trying again for 5 minutes: {why}"
            ));
        }
        DatabaseEvent::Regained => say::note("the database is back"),
        DatabaseEvent::LimitsFailed(error) => {
            // The worker has ended if nobody receives it.
            let _ = failures.try_send(error);
        }
        _ => {}
    }
}

/// The errors of a worker's items, by kind.
#[derive(Debug, Default)]
pub(super) struct Errors(BTreeMap<&'static str, u64>);

impl Errors {
    /// Counts an item. The first error of each kind is shown.
    pub(super) fn add(&mut self, finished: &Finished) {
        let Err(error) = &finished.outcome.result else {
            return;
        };
        let count = self.0.entry(error.kind().as_str()).or_default();
        *count += 1;
        if *count == 1 {
            say::note(&format!("{BAD}{}{BAD:#}: {error}", finished.outcome.id));
        }
    }

    /// How many errors there are of each kind, such as `2 bad_request, 1 timeout`; `None` without errors.
    pub(super) fn counts(&self) -> Option<String> {
        let counts = self.0.iter().map(|(kind, count)| format!("{count} {kind}"));
        let counts: Vec<_> = counts.collect();
        (!counts.is_empty()).then(|| counts.join(", "))
    }
}

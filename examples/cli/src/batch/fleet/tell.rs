//! What a worker says about its database and about items that fail.

use std::collections::BTreeMap;

use chatcore::{Error, Finished};
use chatcore_adapters::journal::postgres::DatabaseEvent;
use smol::channel::{Receiver, Sender};

use crate::failure::Failure;
use crate::say::{self, BAD};

/// Says that the database was lost, or is back. Whether the run's limits can be drawn goes to
/// `draws`, because the worker cannot go on without them.
pub(super) fn database(event: DatabaseEvent, draws: &Sender<Option<Error>>) {
    let drawn = match event {
        DatabaseEvent::Lost(error) => {
            let why = Failure::from(error).message;
            return say::warning(&format!(
                "lost the database, trying again for 5 minutes: {why}"
            ));
        }
        DatabaseEvent::Regained => return say::note("the database is back"),
        DatabaseEvent::LimitsFailed(error) => Some(error),
        DatabaseEvent::LimitsRegained => None,
        _ => return,
    };
    // The worker has ended if nobody receives it.
    let _ = draws.try_send(drawn);
}

/// What a worker was told about the draws of its limits: why they fail, or `None` when they succeed
/// again.
pub(super) struct Draws(pub(super) Receiver<Option<Error>>);

impl Draws {
    /// Completes when the limits cannot be drawn. Requests would wait for ever.
    pub(super) async fn failed(&self) -> Error {
        loop {
            let Ok(mut last) = self.0.recv().await else {
                // The database tells nothing any more.
                return std::future::pending().await;
            };
            // Draws may have succeeded since the worker last listened.
            while let Ok(next) = self.0.try_recv() {
                last = next;
            }
            if let Some(why) = last {
                return why;
            }
        }
    }

    /// Forgets a failure from before a pause: its cause may have been removed. If it was not, it is
    /// told again.
    pub(super) fn forget(&self) {
        while self.0.try_recv().is_ok() {}
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

#[cfg(test)]
mod tests {
    use chatcore::ErrorKind;
    use futures_lite::future::{block_on, poll_once};

    use super::*;

    #[test]
    fn only_a_failure_of_now_ends_a_worker() {
        let (tell, told) = smol::channel::unbounded();
        let draws = Draws(told);
        let fail = |why: &str| {
            let error = Error::new(ErrorKind::Journal, why);
            database(DatabaseEvent::LimitsFailed(error), &tell);
        };
        let failed = || block_on(poll_once(draws.failed())).map(|error| error.message().to_owned());
        fail("healed");
        database(DatabaseEvent::LimitsRegained, &tell);
        assert_eq!(failed(), None);
        fail("before a pause");
        draws.forget();
        assert_eq!(failed(), None);
        fail("healed");
        database(DatabaseEvent::LimitsRegained, &tell);
        fail("now");
        assert_eq!(failed().as_deref(), Some("now"));
    }
}

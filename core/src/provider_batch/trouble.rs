//! What goes wrong with a single batch: it or its results are not found, or cannot be read.

use std::time::Duration;

use super::control::BatchEvent;
use super::driver::{Again, Driver, PATIENCE, may_pass};
use super::find::PAGES;
use crate::error::{Error, ErrorKind};
use crate::time::Instant;

/// How long a batch or its results must be missing until they count as gone. A provider may answer
/// 404 for a while although they exist, and to send the items again would pay for them twice.
const GONE: Duration = Duration::from_secs(5 * 60);

/// How often they must be missing in that time.
const GONE_TIMES: u32 = 4;

/// The shortest wait until something missing is asked for again.
const MISSING: Duration = Duration::from_secs(30);

/// What went wrong with a batch since it last worked.
pub(super) struct Trouble {
    /// Failures in a row.
    failures: u32,
    /// When the batch is asked for again.
    next: Instant,
    /// Since when something is missing, and how often it was.
    missing: Option<(Missing, Instant, u32)>,
}

/// What the provider answers 404 for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Batch,
    Results,
}

impl Missing {
    fn error(self, is_gone: bool, id: &str, source: Error) -> Error {
        let why = match (self, is_gone) {
            (Self::Batch, false) => format!("the provider does not find the batch {id}"),
            (Self::Results, false) => {
                format!("the provider does not find the results of the batch {id}")
            }
            (Self::Batch, true) => format!("the provider no longer has the batch {id}"),
            (Self::Results, true) => {
                format!("the provider no longer has the results of the batch {id}")
            }
        };
        let code = match self {
            Self::Batch => "batch_gone",
            Self::Results => "batch_results_gone",
        };
        Error::new(ErrorKind::Server, why)
            .with_code(Some(code.to_owned()))
            .with_source(source)
    }
}

impl Driver {
    /// Whether a batch failed a short time ago, and is not asked for yet.
    pub(super) fn is_left_alone(&self, name: &str) -> bool {
        let now = self.executor.now();
        let trouble = self.troubles.get(name);
        trouble.is_some_and(|trouble| trouble.next > now)
    }

    /// Takes note of a failure of one batch that may pass. It is asked for again after a wait that
    /// doubles each time, up to the longest wait between two polls.
    ///
    /// # Errors
    /// The error itself, if it will not pass, or too many of this batch came in a row.
    pub(super) fn tolerate_of(&mut self, name: &str, error: Error) -> Result<(), Error> {
        self.tolerate_for(name, error, Duration::ZERO)
    }

    /// The same with a shortest wait.
    fn tolerate_for(&mut self, name: &str, error: Error, least: Duration) -> Result<(), Error> {
        let (now, first) = (self.executor.now(), self.settings.first_poll);
        let trouble = self.troubles.entry(name.to_owned());
        let trouble = trouble.or_insert(Trouble {
            failures: 0,
            next: now,
            missing: None,
        });
        trouble.failures += 1;
        if !may_pass(&error) || trouble.failures > PATIENCE {
            return Err(error);
        }
        let wait = first.saturating_mul(1 << (trouble.failures - 1).min(16));
        let wait = wait.min(self.settings.longest_poll).max(least);
        trouble.next = now + wait;
        self.control.tell(BatchEvent::Trouble { error, wait });
        Ok(())
    }

    /// The provider answers 404 for a batch or its results. If it goes on for [`GONE`], and the list
    /// does not have the batch either, they are gone: the items without a result are sent again.
    pub(super) async fn not_found(
        &mut self,
        name: &str,
        what: Missing,
        source: Error,
    ) -> Result<(), Error> {
        let id = self.record(name).and_then(|record| record.id.clone());
        let id = id.unwrap_or_default();
        let error = what.error(false, &id, source.clone());
        self.tolerate_for(name, error, MISSING)?;
        let now = self.executor.now();
        let Some(trouble) = self.troubles.get_mut(name) else {
            return Ok(());
        };
        let (since, times) = match trouble.missing {
            Some((before, since, times)) if before == what => (since, times + 1),
            _ => (now, 1),
        };
        trouble.missing = Some((what, since, times));
        if times < GONE_TIMES || now - since < GONE {
            return Ok(());
        }
        if what == Missing::Batch {
            match self.is_listed(&id).await {
                Ok(false) => {}
                // It exists, so that it is asked for until the patience ends.
                Ok(true) => return Ok(()),
                Err(error) => return self.tolerate(error, self.settings.longest_poll),
            }
        }
        let gone = what.error(true, &id, source);
        if let Some(record) = self.record(name).cloned() {
            self.left_without(&record, &gone, Again::Counted).await?;
        }
        self.poll_soon();
        Ok(())
    }

    /// Whether the provider's list has a batch with this id.
    async fn is_listed(&self, id: &str) -> Result<bool, Error> {
        let mut next = None;
        for _ in 0..PAGES {
            let page = self.batches.list(next.as_deref()).await?;
            if page.batches.iter().any(|batch| batch.id == id) {
                return Ok(true);
            }
            match page.next {
                Some(after) if next.as_ref() != Some(&after) => next = Some(after),
                _ => break,
            }
        }
        Ok(false)
    }
}

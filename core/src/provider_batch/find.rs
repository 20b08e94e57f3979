//! Finds batches at the provider that were created by a process that could not store their id.

use std::time::Duration;

use super::control::BatchEvent;
use super::driver::Driver;
use super::store::Record;
use crate::client::Uploaded;
use crate::dialect::batches::{BatchPage, NewBatch};
use crate::error::{Error, ErrorKind};

/// The most pages of the list that are read.
pub(super) const PAGES: u32 = 50;

/// The first wait between two searches, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What a search has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A batch that is this one, or may be. Its id is stored.
    Batch,
    /// The batch does not exist.
    Nothing,
    /// The run was stopped before the search had an end. The next run searches again.
    Stopped,
}

fn is_without_file(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::BadRequest)
}

/// A batch that may be the one that is looked for.
struct Candidate {
    id: String,
    is_guess: bool,
}

impl Driver {
    /// Finds the stored batches that have no id, and creates those that do not exist from their
    /// files. What has no file goes back.
    pub(super) async fn recover(&mut self) -> Result<(), Error> {
        let unknown = self.records.batches.iter().filter(|r| r.id.is_none());
        let unknown: Vec<Record> = unknown.cloned().collect();
        for record in unknown {
            match self.look_for(&record.name).await? {
                Found::Stopped => return Ok(()),
                Found::Batch => {}
                Found::Nothing => match &record.file {
                    Some(file) if !self.control.orders().cancels => {
                        let requests = usize::try_from(record.items.len()).unwrap_or(usize::MAX);
                        let new = NewBatch::new(&*record.name, &*record.path, requests);
                        let uploaded = Uploaded::from_file(file);
                        match self.create(&record.name, &new, uploaded).await {
                            // The provider has deleted the file: its items go back.
                            Err(error) if is_without_file(&error) => {}
                            created => created?,
                        }
                    }
                    _ => self.forget(&record.name).await?,
                },
            }
        }
        Ok(())
    }

    /// Looks for a batch, and again until the time to settle is over, because a provider may carry
    /// out a creation, or list its batch, later.
    pub(super) async fn look_for(&mut self, name: &str) -> Result<Found, Error> {
        let began = self.executor.now();
        let settle = self.settings.settle;
        let mut wait = FIRST_WAIT.min(settle);
        loop {
            let waited = self.executor.now() - began;
            match self.search(name).await {
                Ok(Some(found)) => {
                    self.worked();
                    return self.take_up(name, found).await;
                }
                Ok(None) if waited >= settle => {
                    self.worked();
                    return Ok(Found::Nothing);
                }
                Ok(None) => wait = wait.min(settle.saturating_sub(waited)),
                Err(error) => self.tolerate(error, wait)?,
            }
            self.control.sleep(&*self.executor, wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            let orders = self.control.orders();
            if orders.stops && !orders.cancels {
                return Ok(Found::Stopped);
            }
        }
    }

    /// Stores the id of a batch that was found.
    async fn take_up(&mut self, name: &str, found: Candidate) -> Result<Found, Error> {
        let mut items = 0;
        if let Some(record) = self.record_mut(name) {
            items = record.items.len();
            record.id = Some(found.id.clone());
            record.is_guess = found.is_guess;
        }
        self.save().await?;
        self.poll_soon();
        let id = found.id;
        self.control.tell(BatchEvent::Found { id, items });
        self.control.drained().await;
        Ok(Found::Batch)
    }

    /// Looks for a batch that is not this one either, as its results told.
    pub(super) async fn look_for_another(&mut self, name: &str) -> Result<(), Error> {
        if let Some(record) = self.record_mut(name)
            && let Some(other) = record.id.take()
        {
            record.is_guess = false;
            record.others.push(other);
        }
        self.save().await?;
        match self.look_for(name).await? {
            Found::Batch | Found::Stopped => Ok(()),
            Found::Nothing => self.forget(name).await,
        }
    }

    async fn search(&self, name: &str) -> Result<Option<Candidate>, Error> {
        let Some(record) = self.record(name) else {
            return Ok(None);
        };
        let mut next = None;
        let mut found = None;
        for _ in 0..PAGES {
            let page = self.batches.list(next.as_deref()).await?;
            let is_last = self.look_at(record, &page, &mut found);
            if is_last
                || found
                    .as_ref()
                    .is_some_and(|found: &Candidate| !found.is_guess)
            {
                break;
            }
            match page.next {
                Some(after) if next.as_ref() != Some(&after) => next = Some(after),
                _ => break,
            }
        }
        Ok(found)
    }

    /// Looks for a batch on one page. Returns whether all further batches are older.
    fn look_at(&self, record: &Record, page: &BatchPage, found: &mut Option<Candidate>) -> bool {
        for batch in &page.batches {
            if self.batches.shows_names() {
                if batch.name.as_deref() == Some(&*record.name) {
                    *found = Some(Candidate {
                        id: batch.id.clone(),
                        is_guess: false,
                    });
                    return true;
                }
                continue;
            }
            if record.newest.as_ref() == Some(&batch.id) {
                return true;
            }
            let has_as_many = batch.counts.total == Some(record.items.len());
            let mut others = self.records.batches.iter();
            let is_known = record.others.contains(&batch.id)
                || others.any(|other| other.id.as_ref() == Some(&batch.id));
            if has_as_many && !is_known {
                // The oldest that is newer than the newest before the creation is the likeliest.
                *found = Some(Candidate {
                    id: batch.id.clone(),
                    is_guess: true,
                });
            }
        }
        false
    }
}

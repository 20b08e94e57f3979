//! The loop of a run: find what an earlier process left, fill batches, wait, merge results.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::control::{BatchEvent, BatchProgress, Control, RunEnd};
use super::fill::Pass;
use super::run::Settings;
use super::store::{BatchStore, Record, Records};
use super::trouble::{Missing, Trouble};
use crate::client::ProviderBatches;
use crate::dialect::batches::ProviderBatch;
use crate::error::{Error, ErrorKind};
use crate::executor::Executor;
use crate::journal::{Counts, Journal, Lease};
use crate::time::Instant;

/// After so many failures in a row that may pass, the run ends. With the longest wait between two
/// polls, a minute, this is half an hour.
pub(super) const PATIENCE: u32 = 30;

/// Whether no batch is created now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    No,
    /// Until the next poll.
    Once,
    /// Until another batch has ended, because the provider has no room for one more.
    UntilEnd,
}

/// Whether items that have no result are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Yes, and the last time does not count as an attempt.
    Free,
    /// Yes, up to the attempts.
    Counted,
    /// No: the provider would refuse them again.
    Never,
}

/// An item that is in a batch.
pub(super) struct Sent {
    /// The name of its batch.
    pub(super) batch: Arc<str>,
    /// The item, once the journal has handed it out in this process.
    pub(super) item: Option<Held>,
}

/// What of an item is needed to record its result.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) tag: u64,
    pub(super) lease: Lease,
    /// The number of the pass in which the journal handed it out.
    pub(super) pass: u64,
}

/// The state of a run.
pub(super) struct Driver {
    pub(super) batches: ProviderBatches,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) store: Arc<dyn BatchStore>,
    pub(super) executor: Arc<dyn Executor>,
    pub(super) settings: Settings,
    pub(super) control: Arc<Control>,
    pub(super) records: Records,
    /// The items in batches, by their place.
    pub(super) sent: BTreeMap<u64, Sent>,
    pub(super) counts: Counts,
    pub(super) pass: Pass,
    /// Whether the journal has handed out all items of the stored batches that have no result.
    /// Before that, no result is merged and no batch forgotten, because results would be lost.
    pub(super) has_met_all: bool,
    /// When this process first knew of a batch.
    pub(super) began: BTreeMap<String, Instant>,
    /// The most requests of a batch, if the provider turned out to take fewer.
    pub(super) max_requests: usize,
    pub(super) pause: Pause,
    /// Whether the next batch would cost more than the cap.
    pub(super) is_capped: bool,
    /// What went wrong with single batches, by their names.
    pub(super) troubles: BTreeMap<String, Trouble>,
    /// Failures in a row that may pass.
    failures: u32,
    /// The wait before the next poll.
    interval: Duration,
}

impl Driver {
    pub(super) fn new(
        batches: ProviderBatches,
        journal: Arc<dyn Journal>,
        store: Arc<dyn BatchStore>,
        settings: Settings,
        control: Arc<Control>,
    ) -> Self {
        Self {
            executor: Arc::clone(batches.executor()),
            batches,
            journal,
            store,
            max_requests: settings.max_requests,
            interval: settings.first_poll,
            settings,
            control,
            records: Records::default(),
            sent: BTreeMap::new(),
            counts: Counts::default(),
            pass: Pass::default(),
            has_met_all: false,
            troubles: BTreeMap::new(),
            began: BTreeMap::new(),
            pause: Pause::No,
            is_capped: false,
            failures: 0,
        }
    }

    pub(super) async fn run(mut self) -> Result<(), Error> {
        let worked = self.work().await;
        let released = self.release().await;
        let synced = self.journal.sync().await;
        worked.and(released).and(synced)
    }

    async fn work(&mut self) -> Result<(), Error> {
        self.records = self.store.load().await?;
        self.records.check()?;
        self.counts = self.journal.progress().await?;
        self.attach();
        self.recover().await?;
        self.has_met_all = self.records.batches.is_empty();
        if self.has_met_all {
            self.fill(false).await?;
        }
        let mut has_cancelled = false;
        loop {
            let orders = self.control.orders();
            if orders.stops && !orders.cancels {
                self.control.set_end(RunEnd::Stopped);
                return Ok(());
            }
            if !self.has_met_all {
                self.fill(true).await?;
                continue;
            }
            if orders.cancels && !has_cancelled {
                self.cancel_all().await?;
                has_cancelled = true;
            }
            if orders.cancels && self.records.batches.iter().all(|record| record.is_guess) {
                for record in &self.records.batches {
                    let (id, items) = (record.id.clone(), record.items.len());
                    let id = id.unwrap_or_default();
                    self.control.tell(BatchEvent::NotCancelled { id, items });
                }
                self.control.set_end(RunEnd::Cancelled);
                return Ok(());
            }
            if self.records.batches.is_empty() && self.pause == Pause::No {
                if self.is_capped {
                    self.control.set_end(RunEnd::Capped);
                    return Ok(());
                }
                if !self.has_left() {
                    return Ok(());
                }
            }
            self.wait().await?;
            if !self.control.orders().cancels {
                self.fill(false).await?;
            }
        }
    }

    /// Marks the items of the stored batches as sent.
    fn attach(&mut self) {
        let now = self.executor.now();
        for record in &self.records.batches {
            self.began.insert(record.name.clone(), now);
            let name: Arc<str> = record.name.as_str().into();
            for place in record.items.iter() {
                let batch = Arc::clone(&name);
                self.sent.insert(place, Sent { batch, item: None });
            }
        }
        self.control.set_waiting(self.records.batches.len());
    }

    /// Sleeps, asks every batch for its state, and merges the results of those that have ended.
    async fn wait(&mut self) -> Result<(), Error> {
        self.control.sleep(&*self.executor, self.interval).await;
        self.interval = (self.interval * 3 / 2).min(self.settings.longest_poll);
        if self.pause == Pause::Once || self.records.batches.is_empty() {
            self.pause = Pause::No;
        }
        let mut progress = BatchProgress::default();
        let names: Vec<_> = self
            .records
            .batches
            .iter()
            .map(|r| r.name.clone())
            .collect();
        for name in names {
            let orders = self.control.orders();
            if orders.stops && !orders.cancels {
                return Ok(());
            }
            let Some(record) = self.record(&name) else {
                continue;
            };
            let (id, items) = (record.id.clone(), record.items.len());
            let Some(id) = id else {
                continue;
            };
            if self.is_left_alone(&name) {
                progress.batches += 1;
                progress.items += items;
                continue;
            }
            match self.batches.get(&id).await {
                Ok(batch) => {
                    self.failures = 0;
                    progress.batches += 1;
                    progress.items += items;
                    progress.done += batch.counts.done;
                    progress.failed += batch.counts.failed;
                    if batch.state.is_ended() {
                        self.merge(&name, batch).await?;
                    } else {
                        self.troubles.remove(&name);
                    }
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.not_found(&name, Missing::Batch, error).await?;
                }
                Err(error) => self.tolerate(error, self.interval)?,
            }
        }
        self.control.tell(BatchEvent::Progress(progress));
        self.control.drained().await;
        Ok(())
    }

    /// Takes note of a failure that may pass.
    ///
    /// # Errors
    /// The error itself, if it will not pass, or too many came in a row.
    pub(super) fn tolerate(&mut self, error: Error, wait: Duration) -> Result<(), Error> {
        self.failures += 1;
        if !may_pass(&error) || self.failures > PATIENCE {
            return Err(error);
        }
        self.control.tell(BatchEvent::Trouble { error, wait });
        Ok(())
    }

    /// Something worked, so that failures do not count any more.
    pub(super) fn worked(&mut self) {
        self.failures = 0;
    }

    pub(super) fn poll_soon(&mut self) {
        self.interval = self.settings.first_poll;
    }

    pub(super) fn record(&self, name: &str) -> Option<&Record> {
        let mut records = self.records.batches.iter();
        records.find(|record| record.name == name)
    }

    pub(super) fn record_mut(&mut self, name: &str) -> Option<&mut Record> {
        let mut records = self.records.batches.iter_mut();
        records.find(|record| record.name == name)
    }

    /// Stores what is known about the batches.
    pub(super) async fn save(&mut self) -> Result<(), Error> {
        self.control.set_waiting(self.records.batches.len());
        self.store.save(self.records.clone()).await
    }

    /// Forgets a batch. Its items that have no result are to be sent again.
    pub(super) async fn forget(&mut self, name: &str) -> Result<(), Error> {
        self.records.batches.retain(|record| record.name != name);
        self.began.remove(name);
        self.troubles.remove(name);
        let before = self.sent.len();
        self.sent.retain(|_, sent| *sent.batch != *name);
        self.pass.has_skipped |= self.sent.len() < before;
        self.save().await
    }

    /// Asks the provider to cancel the batches that are surely this run's.
    async fn cancel_all(&mut self) -> Result<(), Error> {
        let sure = self.records.batches.iter().filter(|r| !r.is_guess);
        let ids: Vec<_> = sure.filter_map(|record| record.id.clone()).collect();
        for id in ids {
            match self.batches.cancel(&id).await {
                Ok(()) => {}
                // It has ended, or its answer cannot be read. Its state will tell.
                Err(error) if error.status().is_some() && error.kind() != ErrorKind::Auth => {}
                Err(error) => self.tolerate(error, self.interval)?,
            }
        }
        self.poll_soon();
        Ok(())
    }

    /// Merges one batch, and pauses if that failed in a way that may pass.
    async fn merge(&mut self, name: &str, batch: ProviderBatch) -> Result<(), Error> {
        match self.merge_results(name, batch).await {
            Err(Merging::Reading(error)) if error.kind() == ErrorKind::NotFound => {
                self.not_found(name, Missing::Results, error).await
            }
            Err(Merging::Reading(error)) => self.tolerate_of(name, error),
            Err(Merging::Run(error)) => Err(error),
            Ok(()) => {
                self.troubles.remove(name);
                self.poll_soon();
                // There is room for another one, and the actual cost may be below the estimate.
                if self.pause == Pause::UntilEnd && self.record(name).is_none() {
                    self.pause = Pause::No;
                }
                self.is_capped = false;
                Ok(())
            }
        }
    }
}

/// Why results could not be merged.
pub(super) enum Merging {
    /// They could not be read. The batch is asked again.
    Reading(Error),
    /// The run must end.
    Run(Error),
}

impl From<Error> for Merging {
    fn from(error: Error) -> Self {
        Self::Run(error)
    }
}

/// Whether a request that failed so may work later.
pub(super) fn may_pass(error: &Error) -> bool {
    match error.kind() {
        // Not an untrusted certificate.
        ErrorKind::Connection => error.is_retryable(),
        kind => kind.is_retryable(),
    }
}

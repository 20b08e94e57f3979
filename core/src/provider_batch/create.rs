//! Creates a batch, so that no crash and no failure creates it twice, unless the provider carries out
//! a creation later than the time to settle after its connection was lost.
//!
//! ```text
//!  upload ──► store the name ──► create ──► store the id
//!                                  │ an error that leaves it open
//!                                  ▼
//!                         look for the name ──found──► store the id
//!                                  │ not found until the time to settle is over
//!                                  └──► create again
//! ```

use http::StatusCode;

use super::control::BatchEvent;
use super::driver::{Driver, Pause};
use super::fill::Filling;
use super::find::Found;
use crate::client::{Uploaded, may_be_created};
use crate::dialect::batches::NewBatch;
use crate::error::{Error, ErrorKind};

/// How often a batch is created that seems not to exist.
const TRIES: u32 = 3;

impl Driver {
    /// Submits a batch. If the provider has no room for it now, its items stay without a batch.
    pub(super) async fn submit(&mut self, mut filling: Filling) -> Result<(), Error> {
        let mut record = filling.record();
        let name = filling.name.clone();
        let new = NewBatch::new(&*name, filling.path(), filling.body.requests());
        if new.requests == 0 {
            return Ok(());
        }
        self.mark_sent(&mut filling);
        let uploaded = match self.batches.upload(&new, filling.body).await {
            Ok(uploaded) => uploaded,
            Err(error) => return self.not_created(&name, new.requests, error).await,
        };
        record.file = uploaded.file().map(str::to_owned);
        if !self.batches.shows_names() {
            match self.batches.list(None).await {
                Ok(page) => {
                    let newest = page.batches.into_iter().next();
                    record.newest = Some(newest.map_or(String::new(), |batch| batch.id));
                }
                Err(error) => return self.not_created(&name, new.requests, error).await,
            }
        }
        self.records.batches.push(record);
        self.began.insert(name.clone(), self.executor.now());
        self.save().await?;
        self.create(&name, &new, uploaded).await
    }

    /// Creates a batch whose name is stored.
    pub(super) async fn create(
        &mut self,
        name: &str,
        new: &NewBatch,
        uploaded: Uploaded,
    ) -> Result<(), Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.batches.create(new, uploaded.again()).await {
                Ok(batch) => return self.created(name, batch.id).await,
                Err(error) => error,
            };
            let settle = self.settings.settle;
            if !may_be_created(&error) {
                if error.kind() != ErrorKind::RateLimited || tries >= TRIES {
                    return self.not_created(name, new.requests, error).await;
                }
                let wait = error.retry_after().unwrap_or(settle);
                let wait = wait.min(self.settings.longest_poll);
                self.control.tell(BatchEvent::Trouble { error, wait });
                self.control.sleep(&*self.executor, wait).await;
                let orders = self.control.orders();
                if orders.stops && !orders.cancels {
                    return Ok(());
                }
                continue;
            }
            self.control.tell(BatchEvent::Trouble {
                error: error.clone(),
                wait: settle,
            });
            match self.look_for(name).await? {
                Found::Batch | Found::Stopped => return Ok(()),
                Found::Nothing if tries >= TRIES => {
                    return self.not_created(name, new.requests, error).await;
                }
                Found::Nothing => {}
            }
        }
    }

    async fn created(&mut self, name: &str, id: String) -> Result<(), Error> {
        self.worked();
        self.poll_soon();
        let mut items = 0;
        if let Some(record) = self.record_mut(name) {
            items = record.items.len();
            record.id = Some(id.clone());
        }
        self.save().await?;
        self.control.tell(BatchEvent::Created { id, items });
        self.control.drained().await;
        Ok(())
    }

    /// Gives the items of a batch back that the provider has not created.
    pub(super) async fn not_created(
        &mut self,
        name: &str,
        requests: usize,
        error: Error,
    ) -> Result<(), Error> {
        self.forget(name).await?;
        self.pass.has_skipped = true;
        if error.status() == Some(StatusCode::PAYLOAD_TOO_LARGE) && requests > 1 {
            self.max_requests = (requests / 2).max(1);
            return Ok(());
        }
        match error.kind() {
            // The provider has no room for another batch until one has ended.
            ErrorKind::RateLimited if !self.records.batches.is_empty() => {
                self.pause = Pause::UntilEnd;
                let wait = self.settings.longest_poll;
                self.control.tell(BatchEvent::Trouble { error, wait });
                Ok(())
            }
            _ => {
                self.pause = Pause::Once;
                self.tolerate(error, self.settings.longest_poll)
            }
        }
    }
}

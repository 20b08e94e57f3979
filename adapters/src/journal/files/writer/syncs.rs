//! Syncs the written lines, so that they survive a power loss.

use std::sync::Arc;

use super::super::run_blocking;
use super::{State, Writer, failed};

impl Writer {
    pub(super) fn is_due(&self, state: &State) -> bool {
        state.is_closed
            || self.every.interval.is_zero()
            || state.written - state.synced >= self.every.lines
    }

    pub(super) fn sync_in_time(self: &Arc<Self>, is_due: bool) {
        match is_due {
            true => self.start_sync(),
            false => self.plan_sync(),
        }
    }

    /// Syncs the written lines after the sync interval.
    fn plan_sync(self: &Arc<Self>) {
        if std::mem::replace(&mut self.lock().is_sync_planned, true) {
            return;
        }
        // The sleeping task must not hold the writer, because the writer holds the lock on the
        // files.
        let sleep = self.executor.sleep(self.every.interval);
        let writer = Arc::downgrade(self);
        self.executor.spawn(Box::pin(async move {
            sleep.await;
            if let Some(writer) = writer.upgrade() {
                writer.lock().is_sync_planned = false;
                writer.start_sync();
            }
        }));
    }

    /// Starts syncing the written lines now.
    pub(super) fn start_sync(self: &Arc<Self>) {
        {
            let mut state = self.lock();
            if state.is_syncing || state.synced == state.written || state.failure.is_some() {
                return;
            }
            state.is_syncing = true;
        }
        let writer = Arc::clone(self);
        self.spawn(async move {
            let (written, outputs, is_unsynced) = {
                let mut state = writer.lock();
                let is_unsynced = std::mem::take(&mut state.is_unsynced);
                (state.written, state.outputs.clone(), is_unsynced)
            };
            let result = run_blocking(writer.blocks, move || {
                let files = outputs.iter().flat_map(|outputs| &outputs.files);
                let files = files
                    .zip(is_unsynced)
                    .filter(|(_, is_unsynced)| *is_unsynced);
                files.map(|(output, _)| output).try_for_each(|output| {
                    let synced = output.file.sync();
                    synced.map_err(|error| failed("made safe", output, &error))
                })
            })
            .await;
            if let Err(error) = result {
                writer.fail(error);
                return;
            }
            let is_strict = writer.every.interval.is_zero();
            let is_behind = {
                let mut state = writer.lock();
                state.synced = written;
                state.is_syncing = false;
                state.written > written
            };
            writer.release_if_closed();
            writer.changed.notify(usize::MAX);
            match (is_behind, is_strict) {
                (true, true) => writer.start_sync(),
                (true, false) => writer.plan_sync(),
                (false, _) => {}
            }
        });
    }

    /// Syncs the written lines in the background. The lock is released soon afterwards.
    pub(in super::super) fn close(self: &Arc<Self>) {
        self.lock().is_closed = true;
        self.release_if_closed();
        self.start_sync();
    }

    /// Releases the files and their lock, if no more lines come and all of them are synced.
    fn release_if_closed(&self) {
        let outputs = {
            let mut state = self.lock();
            let is_over = state.is_closed && state.synced == state.queued;
            is_over.then(|| state.outputs.take())
        };
        drop(outputs);
    }
}

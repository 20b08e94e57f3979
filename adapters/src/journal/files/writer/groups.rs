//! Writes the queued lines in groups: where they are queued, or on a blocking thread.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{Error, ErrorKind};

use super::super::run_blocking;
use super::{Outputs, State, Writer, failed};

/// How long the first line of a group waits for others, and how many lines are written without more
/// waiting. The time is short compared with a request. The number keeps a busy event loop from
/// waiting until all of its tasks are in the queue; a group costs ten microseconds or so, because it
/// wakes three threads.
const GATHERING: Duration = Duration::from_micros(500);
const FULL: u64 = 16;

impl Writer {
    /// Writes all queued lines, unless the line with this number is already written.
    pub(super) fn write_here(self: &Arc<Self>, number: u64) -> Result<(), Error> {
        let mut state = self.lock();
        if state.written >= number {
            return Ok(());
        }
        if let Some(error) = &state.failure {
            return Err(error.clone());
        }
        // The lock is held during the write, so that no other task writes and the order of lines is
        // kept.
        let mut group = std::mem::take(&mut state.pending);
        let result = write_all(state.outputs.as_deref(), &group);
        state.wrote(&group);
        group.iter_mut().for_each(Vec::clear);
        state.pending = group;
        if let Err(error) = result {
            state.failure = Some(error.clone());
            drop(state);
            self.failed_all();
            return Err(error);
        }
        state.written = state.queued;
        let is_due = self.is_due(&state);
        drop(state);
        self.sync_in_time(is_due);
        Ok(())
    }

    /// Writes groups of lines on a blocking thread until the queue is empty.
    pub(super) async fn write_groups(self: Arc<Self>) {
        // Kept for the next group if this one is full before its time, because a timer may cost as
        // much as a group.
        let mut timer = None;
        loop {
            let time = timer.get_or_insert_with(|| self.executor.sleep(GATHERING));
            let is_over = async {
                time.await;
                true
            };
            let is_full = async {
                self.full().await;
                false
            };
            if futures_lite::future::or(is_full, is_over).await {
                timer = None;
            }
            let writer = Arc::clone(&self);
            match run_blocking(self.blocks, move || writer.write_group()).await {
                Ok(is_due) => self.sync_in_time(is_due),
                Err(error) => return self.fail(error),
            }
            let mut state = self.lock();
            if state.queued == state.taken {
                state.is_writing = false;
                return;
            }
        }
    }

    /// Completes when the next group is full.
    async fn full(&self) {
        loop {
            let listener = {
                let state = self.lock();
                if state.is_full() {
                    return;
                }
                self.full.listen()
            };
            listener.await;
        }
    }

    /// Writes the queued lines, and wakes the tasks that wait for them. Returns whether to sync now.
    fn write_group(&self) -> Result<bool, Error> {
        let (mut group, number, queued, outputs) = {
            let mut state = self.lock();
            let spare = std::mem::take(&mut state.spare);
            let group = std::mem::replace(&mut state.pending, spare);
            let number = state.groups % 2;
            state.groups += 1;
            state.taken = state.queued;
            (group, number, state.queued, state.outputs.clone())
        };
        write_all(outputs.as_deref(), &group)?;
        drop(outputs);
        let is_due = {
            let mut state = self.lock();
            state.wrote(&group);
            state.written = queued;
            group.iter_mut().for_each(Vec::clear);
            state.spare = group;
            self.is_due(&state)
        };
        self.groups[number].notify(usize::MAX);
        self.changed.notify(usize::MAX);
        Ok(is_due)
    }
}

impl State {
    /// Whether enough lines are queued for a group.
    pub(super) fn is_full(&self) -> bool {
        self.queued - self.taken >= FULL
    }

    fn wrote(&mut self, group: &[Vec<u8>; 2]) {
        for (is_unsynced, bytes) in self.is_unsynced.iter_mut().zip(group) {
            *is_unsynced |= !bytes.is_empty();
        }
    }
}

fn write_all(outputs: Option<&Outputs>, group: &[Vec<u8>; 2]) -> Result<(), Error> {
    let Some(outputs) = outputs else {
        return Err(Error::new(ErrorKind::Internal, "the journal is closed"));
    };
    let some = outputs
        .files
        .iter()
        .zip(group)
        .filter(|(_, bytes)| !bytes.is_empty());
    for (output, bytes) in some {
        let written = output.file.append(bytes);
        written.map_err(|error| failed("written", output, &error))?;
    }
    Ok(())
}

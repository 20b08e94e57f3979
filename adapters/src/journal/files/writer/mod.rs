//! Writes lines to disk in groups: lines that are queued at about the same time are written
//! together. Written lines are synced, so that they survive a power loss, in larger groups.

mod groups;
mod syncs;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatcore::{Error, ErrorKind, Executor};
use event_listener::Event;

use super::disk::{AppendFile, Lock};

/// The largest buffer for a line that is kept for the next one, in bytes.
const KEPT: usize = 1 << 20;

/// When written lines are synced.
#[derive(Clone, Copy, Debug)]
pub(super) struct SyncEvery {
    pub(super) lines: u64,
    /// Zero: a line counts as recorded only when it is synced.
    pub(super) interval: Duration,
}

/// The file that a line goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Answers = 0,
    Errors = 1,
}

/// A file and its name in messages.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) file: Arc<dyn AppendFile>,
    pub(super) name: String,
}

/// The files and their lock. Everything that writes holds an `Arc` of this, so that the lock is
/// released only after the last write has ended.
pub(super) struct Outputs {
    pub(super) files: [Output; 2],
    pub(super) _lock: Lock,
}

/// Writes lines in groups.
pub(super) struct Writer {
    executor: Arc<dyn Executor>,
    blocks: bool,
    /// Whether the task that records a line also writes it.
    in_place: bool,
    every: SyncEvery,
    state: Mutex<State>,
    /// Notified when `written`, `synced` or `failure` has changed.
    changed: Event,
    /// Notified when a group is written, or writing has failed. A group waits while the one before it
    /// is written, so two events are enough to wake only the tasks of one group.
    groups: [Event; 2],
    /// Notified when a group is full.
    full: Event,
}

/// A queued line, whose writing can be awaited.
pub(super) struct Queued {
    line: u64,
    group: usize,
}

/// The pending lines, and how many lines were queued, written and synced in all.
#[derive(Default)]
struct State {
    /// `None` after the journal was closed and everything is synced.
    outputs: Option<Arc<Outputs>>,
    pending: [Vec<u8>; 2],
    /// Empty buffers for the next group.
    spare: [Vec<u8>; 2],
    /// The buffer in which a line is made. If that panics, no half line is in `pending`.
    line: Vec<u8>,
    queued: u64,
    /// How many lines were taken out of `pending`.
    taken: u64,
    /// How many groups were taken out of `pending`.
    groups: usize,
    written: u64,
    synced: u64,
    /// Which files have lines that are not synced.
    is_unsynced: [bool; 2],
    is_writing: bool,
    is_syncing: bool,
    is_sync_planned: bool,
    /// The journal was dropped, so no more lines will come and written lines are synced at once.
    is_closed: bool,
    failure: Option<Error>,
}

impl Writer {
    pub(super) fn new(
        executor: Arc<dyn Executor>,
        outputs: Outputs,
        blocks: bool,
        in_place: bool,
        every: SyncEvery,
    ) -> Arc<Self> {
        Arc::new(Self {
            executor,
            blocks,
            in_place,
            every,
            state: Mutex::new(State {
                outputs: Some(Arc::new(outputs)),
                ..State::default()
            }),
            changed: Event::new(),
            groups: [Event::new(), Event::new()],
            full: Event::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a line, which `write` writes to an empty buffer.
    pub(super) fn queue(
        self: &Arc<Self>,
        to: To,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Queued, Error> {
        let mut state = self.lock();
        if let Some(error) = &state.failure {
            return Err(error.clone());
        }
        let mut line = std::mem::take(&mut state.line);
        line.clear();
        write(&mut line);
        state.pending[to as usize].extend_from_slice(&line);
        if line.capacity() <= KEPT {
            state.line = line;
        }
        state.queued += 1;
        let queued = Queued {
            line: state.queued,
            group: state.groups % 2,
        };
        if !self.in_place {
            let is_full = state.is_full();
            let is_writing = std::mem::replace(&mut state.is_writing, true);
            drop(state);
            if !is_writing {
                self.spawn(Arc::clone(self).write_groups());
            } else if is_full {
                self.full.notify(1);
            }
        }
        Ok(queued)
    }

    /// Completes when the line is written and survives a `kill -9`. If the sync interval is zero,
    /// completes when the line is synced and survives a power loss.
    pub(super) async fn recorded(self: &Arc<Self>, queued: Queued) -> Result<(), Error> {
        let Queued { line, group } = queued;
        let is_strict = self.every.interval.is_zero();
        if self.in_place {
            // Lets other tasks that are ready queue their results first, so that they are written
            // together.
            futures_lite::future::yield_now().await;
            self.write_here(line)?;
        } else if !is_strict {
            return self
                .until(&self.groups[group], |state| state.written >= line)
                .await;
        }
        match is_strict {
            true => {
                self.until(&self.changed, |state| state.synced >= line)
                    .await
            }
            false => Ok(()),
        }
    }

    /// Completes when all lines queued so far are synced.
    pub(super) async fn sync(self: &Arc<Self>) -> Result<(), Error> {
        let queued = self.lock().queued;
        if self.in_place {
            // A dropped `record` may have left its line in the queue.
            self.write_here(queued)?;
        }
        self.until(&self.changed, |state| state.written >= queued)
            .await?;
        loop {
            {
                let state = self.lock();
                if state.synced >= queued {
                    return Ok(());
                }
                if let Some(error) = &state.failure {
                    return Err(error.clone());
                }
            }
            self.start_sync();
            let before = self.lock().synced;
            self.until(&self.changed, |state| {
                state.synced > before || !state.is_syncing
            })
            .await?;
        }
    }

    /// Syncs all lines, and takes no more.
    pub(super) async fn seal(self: &Arc<Self>) -> Result<(), Error> {
        loop {
            self.sync().await?;
            {
                let mut state = self.lock();
                if state.synced < state.queued {
                    continue;
                }
                let why = "the results were sorted; open the run again to go on";
                state
                    .failure
                    .get_or_insert_with(|| Error::new(ErrorKind::Journal, why));
            }
            self.failed_all();
            return Ok(());
        }
    }

    /// The files and their lock.
    pub(super) fn outputs(&self) -> Option<Arc<Outputs>> {
        self.lock().outputs.clone()
    }

    /// Completes when `is_so` holds for the state, which is looked at when `event` is notified. Fails if
    /// writing has failed before.
    async fn until(&self, event: &Event, is_so: impl Fn(&State) -> bool) -> Result<(), Error> {
        loop {
            let listener = {
                let state = self.lock();
                if is_so(&state) {
                    return Ok(());
                }
                if let Some(error) = &state.failure {
                    return Err(error.clone());
                }
                event.listen()
            };
            listener.await;
        }
    }

    /// Spawns a task that must complete. If the executor drops the task, the writer fails, so that
    /// nobody waits for ever.
    fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let mut told = Told(Some(Arc::clone(self)));
        self.executor.spawn(Box::pin(async move {
            task.await;
            told.disarm();
        }));
    }

    /// Completes with the error when writing has failed.
    pub(super) async fn failed(&self) -> Error {
        match self.until(&self.changed, |_| false).await {
            Err(error) => error,
            Ok(()) => Error::new(ErrorKind::Internal, "a wait without a condition has ended"),
        }
    }

    fn fail(&self, error: Error) {
        {
            let mut state = self.lock();
            state.is_syncing = false;
            state.failure.get_or_insert(error);
        }
        self.failed_all();
    }

    /// Wakes all that wait, because `failure` was set.
    fn failed_all(&self) {
        for event in self.groups.iter().chain([&self.changed]) {
            event.notify(usize::MAX);
        }
    }
}

/// Makes the writer fail if a task is dropped before its end.
struct Told(Option<Arc<Writer>>);

impl Told {
    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(writer) = &self.0 {
            let why =
                "the executor was shut down before all results were written; resume the batch";
            writer.fail(Error::new(ErrorKind::Journal, why));
        }
    }
}

fn failed(what: &str, output: &Output, error: &std::io::Error) -> Error {
    use std::io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let advice = match error.kind() {
        StorageFull => "make room on the disk, then resume",
        NotFound => {
            "the file was deleted or replaced while the batch ran: restore it, or start again with \
             another output"
        }
        PermissionDenied | ReadOnlyFilesystem => "make it writable, then resume",
        _ => "resume when the disk works again",
    };
    let why = format!(
        "{} could not be {what}: {error}; results recorded before are kept; {advice}",
        output.name
    );
    let error = std::io::Error::new(error.kind(), error.to_string());
    Error::new(ErrorKind::Journal, why).with_source(error)
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Writer")
            .field("queued", &state.queued)
            .field("written", &state.written)
            .field("synced", &state.synced)
            .field("failure", &state.failure)
            .finish_non_exhaustive()
    }
}

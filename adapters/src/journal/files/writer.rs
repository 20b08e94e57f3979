//! Writes lines to disk in groups: lines that are queued at about the same time are written
//! together. Written lines are synced, so that they survive a power loss, in larger groups.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatcore::{Error, ErrorKind, Executor};
use event_listener::Event;

use super::disk::{AppendFile, Lock};
use super::run_blocking;

/// How long the first line of a group waits for others. This is short compared with a request, and
/// a group costs a few microseconds on each of two threads.
const GATHERING: Duration = Duration::from_micros(500);

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
}

/// The pending lines, and how many lines were queued, written and synced in all.
#[derive(Default)]
struct State {
    /// `None` after the journal was closed and everything is synced.
    outputs: Option<Arc<Outputs>>,
    pending: [Vec<u8>; 2],
    queued: u64,
    written: u64,
    synced: u64,
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
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a line, which `write` appends to a buffer. Returns the line's number.
    pub(super) fn queue(
        self: &Arc<Self>,
        to: To,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<u64, Error> {
        let mut state = self.lock();
        if let Some(error) = &state.failure {
            return Err(error.clone());
        }
        write(&mut state.pending[to as usize]);
        state.queued += 1;
        let number = state.queued;
        if !self.in_place && !std::mem::replace(&mut state.is_writing, true) {
            let writer = Arc::clone(self);
            drop(state);
            self.spawn(async move { writer.write_groups().await });
        }
        Ok(number)
    }

    /// Completes when the line with this number is written and survives a `kill -9`. If the sync
    /// interval is zero, completes when the line is synced and survives a power loss.
    pub(super) async fn recorded(self: &Arc<Self>, number: u64) -> Result<(), Error> {
        let is_strict = self.every.interval.is_zero();
        if self.in_place {
            // Lets other tasks that are ready queue their results first, so that they are written
            // together.
            futures_lite::future::yield_now().await;
            self.write_here(number)?;
            if !is_strict {
                return Ok(());
            }
        }
        self.until(|state| match is_strict {
            true => state.synced >= number,
            false => state.written >= number,
        })
        .await
    }

    /// Completes when all lines queued so far are synced.
    pub(super) async fn sync(self: &Arc<Self>) -> Result<(), Error> {
        let queued = self.lock().queued;
        if self.in_place {
            // A dropped `record` may have left its line in the queue.
            self.write_here(queued)?;
        }
        self.until(|state| state.written >= queued).await?;
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
            self.until(|state| state.synced > before || !state.is_syncing)
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
            self.changed.notify(usize::MAX);
            return Ok(());
        }
    }

    /// The files and their lock.
    pub(super) fn outputs(&self) -> Option<Arc<Outputs>> {
        self.lock().outputs.clone()
    }

    /// Completes when `is_so` holds for the state. Fails if writing has failed before.
    async fn until(&self, is_so: impl Fn(&State) -> bool) -> Result<(), Error> {
        loop {
            let listener = {
                let state = self.lock();
                if is_so(&state) {
                    return Ok(());
                }
                if let Some(error) = &state.failure {
                    return Err(error.clone());
                }
                self.changed.listen()
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

    /// Writes all queued lines, unless the line with this number is already written.
    fn write_here(self: &Arc<Self>, number: u64) -> Result<(), Error> {
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
        group.iter_mut().for_each(Vec::clear);
        state.pending = group;
        if let Err(error) = result {
            state.failure = Some(error.clone());
            drop(state);
            self.changed.notify(usize::MAX);
            return Err(error);
        }
        state.written = state.queued;
        let is_due = self.is_due(&state);
        drop(state);
        self.sync_in_time(is_due);
        Ok(())
    }

    fn is_due(&self, state: &State) -> bool {
        state.is_closed
            || self.every.interval.is_zero()
            || state.written - state.synced >= self.every.lines
    }

    fn sync_in_time(self: &Arc<Self>, is_due: bool) {
        match is_due {
            true => self.start_sync(),
            false => self.plan_sync(),
        }
    }

    /// Writes groups of lines until the queue is empty.
    async fn write_groups(self: Arc<Self>) {
        let mut spare = [Vec::new(), Vec::new()];
        loop {
            self.executor.sleep(GATHERING).await;
            let (group, queued) = {
                let mut state = self.lock();
                (std::mem::replace(&mut state.pending, spare), state.queued)
            };
            let outputs = self.outputs();
            let (mut group, result) = run_blocking(self.blocks, move || {
                let result = write_all(outputs.as_deref(), &group);
                (group, result)
            })
            .await;
            group.iter_mut().for_each(Vec::clear);
            spare = group;
            if let Err(error) = result {
                self.fail(error);
                return;
            }
            let (is_done, is_due) = {
                let mut state = self.lock();
                state.written = queued;
                let is_done = state.queued == queued;
                state.is_writing = !is_done;
                (is_done, self.is_due(&state))
            };
            self.changed.notify(usize::MAX);
            self.sync_in_time(is_due);
            if is_done {
                return;
            }
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
    fn start_sync(self: &Arc<Self>) {
        {
            let mut state = self.lock();
            if state.is_syncing || state.synced == state.written || state.failure.is_some() {
                return;
            }
            state.is_syncing = true;
        }
        let writer = Arc::clone(self);
        self.spawn(async move {
            let written = writer.lock().written;
            let outputs = writer.outputs();
            let result = run_blocking(writer.blocks, move || {
                let files = outputs.iter().flat_map(|outputs| &outputs.files);
                files.into_iter().try_for_each(|output| {
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
    pub(super) fn close(self: &Arc<Self>) {
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

    /// Completes with the error when writing has failed.
    pub(super) async fn failed(&self) -> Error {
        match self.until(|_| false).await {
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
        self.changed.notify(usize::MAX);
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

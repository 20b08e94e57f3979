//! Lines go to disk in groups: those that come together are written together, and what was written
//! is made safe against a loss of power in larger groups.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatcore::{Error, ErrorKind, Executor};
use event_listener::Event;

use super::disk::{AppendFile, Lock};
use super::run_blocking;

/// How long the first line of a group waits for others. It is little beside a request, and a group
/// costs some microseconds of two threads.
const GATHERING: Duration = Duration::from_micros(500);

/// When what was written is made to outlive a loss of power.
#[derive(Clone, Copy, Debug)]
pub(super) struct SyncEvery {
    pub(super) lines: u64,
    /// Zero: a line counts as recorded only when it outlives a loss of power.
    pub(super) interval: Duration,
}

/// Which file a line goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Answers = 0,
    Errors = 1,
}

/// A file, and how messages call it.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) file: Arc<dyn AppendFile>,
    pub(super) name: String,
}

/// The files, and the lock on them. Every task and thread that writes holds all of it, so that the
/// lock is free only when the last write has ended.
pub(super) struct Outputs {
    pub(super) files: [Output; 2],
    pub(super) _lock: Lock,
}

/// Writes lines in groups.
pub(super) struct Writer {
    executor: Arc<dyn Executor>,
    outputs: Arc<Outputs>,
    blocks: bool,
    /// Whether lines are written by the task that records them.
    in_place: bool,
    every: SyncEvery,
    state: Mutex<State>,
    /// When `written`, `synced` or `failure` changed.
    changed: Event,
}

/// How many lines have come how far.
#[derive(Default)]
struct State {
    pending: [Vec<u8>; 2],
    queued: u64,
    written: u64,
    synced: u64,
    is_writing: bool,
    is_syncing: bool,
    is_sync_planned: bool,
    /// Nobody records any more, so what is written is made safe at once.
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
            outputs: Arc::new(outputs),
            blocks,
            in_place,
            every,
            state: Mutex::default(),
            changed: Event::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a line, which `write` adds to a buffer, in the queue; gives its number.
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

    /// Completes when a `kill -9` no longer undoes the line with this number; where every line is
    /// made safe, when a loss of power does not either.
    pub(super) async fn recorded(self: &Arc<Self>, number: u64) -> Result<(), Error> {
        let is_strict = self.every.interval.is_zero();
        if self.in_place {
            // Whoever else has a result in this turn queues it first.
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

    /// Completes when everything that was queued outlives a loss of power.
    pub(super) async fn sync(self: &Arc<Self>) -> Result<(), Error> {
        let queued = self.lock().queued;
        if self.in_place {
            // A record that was dropped may have left its line.
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

    /// Completes when `is_so` of the state, or with the failure that came before.
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

    /// Runs a task that must not be lost: where the executor drops it, whoever waits is told.
    fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let mut told = Told(Some(Arc::clone(self)));
        self.executor.spawn(Box::pin(async move {
            task.await;
            told.disarm();
        }));
    }

    /// Writes what is queued, unless the line with this number is written already.
    fn write_here(self: &Arc<Self>, number: u64) -> Result<(), Error> {
        let mut state = self.lock();
        if state.written >= number {
            return Ok(());
        }
        if let Some(error) = &state.failure {
            return Err(error.clone());
        }
        // The lock is held: nobody else may write, and lines must not change places.
        let mut group = std::mem::take(&mut state.pending);
        let result = write_all(&self.outputs.files, &group);
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

    /// Writes until nothing is queued.
    async fn write_groups(self: Arc<Self>) {
        let mut spare = [Vec::new(), Vec::new()];
        loop {
            self.executor.sleep(GATHERING).await;
            let (group, queued) = {
                let mut state = self.lock();
                (std::mem::replace(&mut state.pending, spare), state.queued)
            };
            let outputs = Arc::clone(&self.outputs);
            let (mut group, result) = run_blocking(self.blocks, move || {
                let result = write_all(&outputs.files, &group);
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

    /// Makes safe what was written, when its time has come.
    fn plan_sync(self: &Arc<Self>) {
        if std::mem::replace(&mut self.lock().is_sync_planned, true) {
            return;
        }
        // The sleep does not hold the writer, which holds the lock on the files.
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

    /// Makes safe what was written, at once.
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
            let outputs = Arc::clone(&writer.outputs);
            let result = run_blocking(writer.blocks, move || {
                outputs.files.iter().try_for_each(|output| {
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
            writer.changed.notify(usize::MAX);
            match (is_behind, is_strict) {
                (true, true) => writer.start_sync(),
                (true, false) => writer.plan_sync(),
                (false, _) => {}
            }
        });
    }

    /// Makes safe what was written, in the background. The lock is free soon afterwards.
    pub(super) fn close(self: &Arc<Self>) {
        self.lock().is_closed = true;
        self.start_sync();
    }

    /// Completes when writing has failed, with the reason.
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

/// Tells those who wait, where a task was dropped before its end.
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

fn write_all(outputs: &[Output; 2], group: &[Vec<u8>; 2]) -> Result<(), Error> {
    let some = outputs
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

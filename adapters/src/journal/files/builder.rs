//! Which files, and how they are kept.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chatcore::{Error, ErrorKind, Executor};

use super::FilesJournal;
use super::disk::{Disk, Lock, StdDisk};
use super::identity::Identity;
use super::line::Format;
use super::run_blocking;
use super::writer::SyncEvery;

/// How often a lock that is held is tried again, and how long each time is waited for.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// What becomes of an input line that is not the JSON of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadLines {
    /// It gets a line among the errors, and the others run.
    #[default]
    Record,
    /// The input is refused, before anything is sent.
    Refuse,
}

/// Which files a [`FilesJournal`] keeps, and how.
#[must_use]
pub struct FilesBuilder {
    pub(super) executor: Arc<dyn Executor>,
    pub(super) input: Source,
    pub(super) paths: Paths,
    pub(super) format: Format,
    pub(super) bad_lines: BadLines,
    pub(super) identity: Identity,
    pub(super) is_forced: bool,
    pub(super) retries_errors: bool,
    pub(super) every: SyncEvery,
    pub(super) in_place: bool,
    pub(super) disk: Arc<dyn Disk>,
}

/// Where the input comes from.
pub(super) enum Source {
    File(PathBuf),
    /// Read once, so it is kept in a file beside the output.
    Pipe(Box<dyn Read + Send>),
}

/// The files beside each other.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) output: PathBuf,
    pub(super) errors: PathBuf,
}

impl Paths {
    /// The output's path with something after it.
    fn beside(&self, after: &str) -> PathBuf {
        let mut path = self.output.clone().into_os_string();
        path.push(after);
        path.into()
    }

    /// What a run must have in common with the next one.
    pub(super) fn run(&self) -> PathBuf {
        self.beside(".run")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.beside(".lock")
    }

    /// The digests of the names of items, while the input is checked.
    pub(super) fn names(&self) -> PathBuf {
        self.beside(".names")
    }

    /// Where the input is kept that came from a pipe.
    pub(super) fn input(&self) -> PathBuf {
        self.beside(".input")
    }
}

impl FilesBuilder {
    /// How many results are made safe against a loss of power together, unless
    /// [`sync_every`](Self::sync_every) says so.
    pub const DEFAULT_SYNC_LINES: u64 = 1_000;
    /// How long a result waits at most until it is made safe against a loss of power, unless
    /// [`sync_every`](Self::sync_every) says so.
    pub const DEFAULT_SYNC_INTERVAL: Duration = Duration::from_millis(100);

    pub(super) fn new(
        executor: Arc<dyn Executor>,
        identity: Identity,
        input: Source,
        output: PathBuf,
    ) -> Self {
        Self {
            executor,
            input,
            paths: Paths {
                errors: errors_path(&output),
                output,
            },
            format: Format::default(),
            bad_lines: BadLines::default(),
            identity,
            is_forced: false,
            retries_errors: false,
            every: SyncEvery {
                lines: Self::DEFAULT_SYNC_LINES,
                interval: Self::DEFAULT_SYNC_INTERVAL,
            },
            in_place: false,
            disk: Arc::new(StdDisk),
        }
    }

    /// Where the errors go. Default: the output's name with `.errors` before its last extension,
    /// `out.errors.jsonl` for `out.jsonl`.
    pub fn errors(mut self, path: impl Into<PathBuf>) -> Self {
        self.paths.errors = path.into();
        self
    }

    /// How the lines of the input are written. Default: as the first line says.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// What becomes of a line that is not the JSON of a request. Default: it is recorded as an
    /// error.
    pub fn bad_lines(mut self, bad_lines: BadLines) -> Self {
        self.bad_lines = bad_lines;
        self
    }

    /// Resumes even where the identity is another one, and takes over results of which it is not
    /// known how they were made. Default: false.
    pub fn force(mut self, is_forced: bool) -> Self {
        self.is_forced = is_forced;
        self
    }

    /// Runs items again that have an error. The old file of errors is kept beside the new one, with
    /// a number at its end. Default: false.
    pub fn retry_errors(mut self, retries_errors: bool) -> Self {
        self.retries_errors = retries_errors;
        self
    }

    /// When results are made safe against a loss of power: when so many have come, or the first of
    /// them has waited so long. Default: 1,000, or 100 ms. A `kill -9` undoes none that was
    /// recorded, whatever this is.
    ///
    /// With an `interval` of zero a result counts as recorded only when it is safe: an item in
    /// flight then keeps its place until the disk has answered.
    pub fn sync_every(mut self, lines: u64, interval: Duration) -> Self {
        self.every = SyncEvery {
            lines: lines.max(1),
            interval,
        };
        self
    }

    /// Whether results are written by the task that records them, in place of a thread for such work.
    /// It takes less than half of the processor's time, and the write goes to the system's cache in
    /// some microseconds; on a disk that cannot keep up it may hold the event loop. For a program
    /// that does nothing else. Default: false. Making results safe always has a thread of its own.
    pub fn write_in_place(mut self, in_place: bool) -> Self {
        self.in_place = in_place;
        self
    }

    /// The file system. Default: the operating system's. The input is read from it, too, unless it
    /// is a pipe.
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }

    /// Opens the files: takes the lock, reads the results that are there, and reads the whole input
    /// once. Nothing is sent. A last line that is torn is then cut off, and so is what a loss of
    /// power has damaged; if anything is refused, no file of results has changed.
    ///
    /// An `input` that can be read only once (a named pipe, `/dev/stdin`) is copied first, as with
    /// [`from_pipe`](FilesJournal::from_pipe).
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) with a word for the reason as its code: `locked` if another
    /// process runs this batch, `another_run` if the identity is another one, `another_input` if
    /// the input has changed in lines that have results, `foreign_output` if the output or the file
    /// of errors holds something else than results, `same_file` if two of the files are the same.
    /// [`InvalidInput`](ErrorKind::InvalidInput) with `duplicate_custom_id`, with `json_array` if the
    /// input begins with `[` and no format is set, or with `invalid_line` if bad lines are refused. [`Journal`](ErrorKind::Journal) if a file cannot be read or
    /// written.
    pub async fn open(self) -> Result<FilesJournal, Error> {
        let blocks = self.disk.blocks();
        let input = match &self.input {
            Source::File(path) => Some(path.clone()),
            Source::Pipe(_) => None,
        };
        let (executor, disk) = (Arc::clone(&self.executor), Arc::clone(&self.disk));
        let lock = take_lock(executor, disk, self.paths.clone(), input).await?;
        run_blocking(blocks, move || super::open::open(self, lock)).await
    }
}

/// Takes the lock. A journal of this process that was dropped a moment ago still writes, so this
/// tries for a while.
async fn take_lock(
    executor: Arc<dyn Executor>,
    disk: Arc<dyn Disk>,
    paths: Paths,
    input: Option<PathBuf>,
) -> Result<Lock, Error> {
    let mut tries = 0;
    loop {
        let (own_disk, paths, input) = (Arc::clone(&disk), paths.clone(), input.clone());
        let taken = run_blocking(disk.blocks(), move || {
            super::open::lock(&*own_disk, &paths, input.as_deref())
        });
        match taken.await {
            Err(error) if error.code() == Some("locked") && tries < LOCK_TRIES => {
                tries += 1;
                executor.sleep(LOCK_PAUSE).await;
            }
            taken => return taken,
        }
    }
}

/// `out.errors.jsonl` for `out.jsonl`.
fn errors_path(output: &Path) -> PathBuf {
    let mut name = output.file_stem().unwrap_or_default().to_owned();
    name.push(".errors");
    if let Some(extension) = output.extension() {
        name.push(".");
        name.push(extension);
    }
    output.with_file_name(name)
}

impl std::fmt::Debug for FilesBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilesBuilder")
            .field("paths", &self.paths)
            .field("identity", &self.identity)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// A file that could not be opened or written, as an error that says what to do.
pub(super) fn refused(path: &Path, what: &str, error: &io::Error) -> Error {
    use io::ErrorKind::{
        IsADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull,
    };
    let advice = match error.kind() {
        NotFound => "check the path",
        PermissionDenied | ReadOnlyFilesystem => {
            "make the folder writable, or choose another \
                                                  folder"
        }
        StorageFull => "make room on the disk",
        IsADirectory => "name a file, not a folder",
        _ => "check the disk",
    };
    let why = format!("{} cannot be {what}: {error}; {advice}", path.display());
    let error = io::Error::new(error.kind(), error.to_string());
    Error::new(ErrorKind::Journal, why).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_stand_beside_the_output() {
        for (output, errors) in [
            ("a/out.jsonl", "a/out.errors.jsonl"),
            ("out", "out.errors"),
            ("a.b/x.y.jsonl", "a.b/x.y.errors.jsonl"),
        ] {
            assert_eq!(errors_path(Path::new(output)), Path::new(errors));
        }
    }
}

//! The settings of a journal in files.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chatcore::{Error, ErrorKind, Executor};

use super::FilesJournal;
use super::disk::{Disk, Lock, StdDisk};
use super::run_blocking;
use super::writer::SyncEvery;
use crate::journal::jsonl::{BadLines, Format, Identity};

/// How often a held lock is tried again, and the pause before each try.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Builds a [`FilesJournal`].
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
    pub(super) via_provider: bool,
    pub(super) disk: Arc<dyn Disk>,
}

/// Where the input comes from.
pub(super) enum Source {
    File(PathBuf),
    /// It can be read only once, so it is copied to a file beside the output.
    Pipe(Box<dyn Read + Send>),
}

/// The paths of the journal's files.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) output: PathBuf,
    pub(super) errors: PathBuf,
}

impl Paths {
    /// The output's path with a suffix.
    fn beside(&self, after: &str) -> PathBuf {
        let mut path = self.output.clone().into_os_string();
        path.push(after);
        path.into()
    }

    /// The run's [`Identity`].
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

    /// The batches at the provider.
    pub(super) fn batches(&self) -> PathBuf {
        self.beside(".batches")
    }

    /// The copy of an input that came from a pipe.
    pub(super) fn input(&self) -> PathBuf {
        self.beside(".input")
    }
}

impl FilesBuilder {
    /// The default of [`sync_every`](Self::sync_every): how many results are synced to disk
    /// together.
    pub const DEFAULT_SYNC_LINES: u64 = 1_000;
    /// The default of [`sync_every`](Self::sync_every): how long a result waits at most until it is
    /// synced to disk.
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
            via_provider: false,
            disk: Arc::new(StdDisk),
        }
    }

    /// Sets the path of the file of errors. Default: the output's name with `.errors` before its
    /// last extension, `out.errors.jsonl` for `out.jsonl`.
    pub fn errors(mut self, path: impl Into<PathBuf>) -> Self {
        self.paths.errors = path.into();
        self
    }

    /// Sets the format of the input's lines. Default: [`Format::Auto`].
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets how lines that are not the JSON of a request are handled. Default: they are recorded as
    /// errors.
    pub fn bad_lines(mut self, bad_lines: BadLines) -> Self {
        self.bad_lines = bad_lines;
        self
    }

    /// Resumes even if the identity differs, and accepts existing results whose identity is
    /// unknown. Default: false.
    pub fn force(mut self, is_forced: bool) -> Self {
        self.is_forced = is_forced;
        self
    }

    /// Runs items that have an error again. The old file of errors is kept beside the new one, with
    /// a number appended. Default: false.
    pub fn retry_errors(mut self, retries_errors: bool) -> Self {
        self.retries_errors = retries_errors;
        self
    }

    /// Sets when results are synced to disk, so that they survive a power loss: after `lines`
    /// results, or when the first of them has waited for `interval`. Default: 1,000 results or 100
    /// ms. A recorded result survives a `kill -9` in any case.
    ///
    /// With an `interval` of zero, a result counts as recorded only when it is synced: an item then
    /// stays in flight until the disk has answered.
    pub fn sync_every(mut self, lines: u64, interval: Duration) -> Self {
        self.every = SyncEvery {
            lines: lines.max(1),
            interval,
        };
        self
    }

    /// Sets whether the task that records a result also writes it, instead of a blocking thread.
    /// This takes less than half of the CPU time. A write to the system's cache takes a few
    /// microseconds, but a disk that cannot keep up may block the event loop, so use it only in a
    /// program that does nothing else. Default: false. Syncing always uses a blocking thread.
    pub fn write_in_place(mut self, in_place: bool) -> Self {
        self.in_place = in_place;
        self
    }

    /// Allows a run whose items are in batches at the provider, as the file `out.jsonl.batches` says
    /// for `out.jsonl`. Set it only for the journal of a
    /// [`ProviderRun`](https://docs.rs/chatcore/latest/chatcore/provider_batch/struct.ProviderRun.html)
    /// with the `BatchFile` of this output, which goes on with these batches. Any other run would
    /// send the items again, and pay for them twice. Default: false.
    pub fn via_provider(mut self, via_provider: bool) -> Self {
        self.via_provider = via_provider;
        self
    }

    /// Sets the file system. Default: that of the operating system. The input is read from it too,
    /// unless it is a pipe.
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }

    /// Opens the files: takes the lock, reads existing results, and reads the whole input once.
    /// Nothing is sent. Then an incomplete last line and lines damaged by a power loss are removed
    /// from the results. If anything is refused, no file of results has changed.
    ///
    /// An `input` that can be read only once (a named pipe, `/dev/stdin`) is copied first, as with
    /// [`from_pipe`](FilesJournal::from_pipe).
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) with the reason as its code: `locked` if another process runs
    /// this batch, `another_run` if the identity differs, `another_input` if the input has changed
    /// in lines that have results, `foreign_output` if the output or the file of errors contains
    /// anything but results, `same_file` if two of the files are the same, `at_provider` if items of
    /// this batch are at the provider and [`via_provider`](Self::via_provider) is not set.
    /// [`InvalidInput`](ErrorKind::InvalidInput) with `duplicate_custom_id`, with `json_array` if
    /// the input begins with `[` and no format is set, or with `invalid_line` if bad lines are
    /// refused. [`Journal`](ErrorKind::Journal) if a file cannot be read or written; its source is
    /// the [`io::Error`].
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

/// Takes the lock. Retries for a while, because a journal that was just dropped in this process may
/// still be writing.
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

/// The path of the file of errors beside an output: `out.errors.jsonl` for `out.jsonl`.
///
/// ```
/// use chatcore_adapters::journal::files::errors_path;
///
/// let path = errors_path("out.jsonl".as_ref());
/// assert_eq!(path, std::path::Path::new("out.errors.jsonl"));
/// ```
pub fn errors_path(output: &Path) -> PathBuf {
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

/// The error for a file that could not be opened or written, with advice.
pub(super) fn refused(path: &Path, what: &str, error: &io::Error) -> Error {
    use io::ErrorKind::{
        IsADirectory, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull,
    };
    let advice = match error.kind() {
        NotFound | NotADirectory => "check the path",
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

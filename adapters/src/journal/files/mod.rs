//! A journal in files: the output is the journal.
//!
//! The input, the output and the errors are files in OpenAI's Batch format, so that other tools for
//! this format can write and read them.
//!
//! ```text
//!  in.jsonl          read twice: once to check all of it, and in chunks as items are sent
//!  out.jsonl         a line for each answer, in the order in which they come
//!  out.errors.jsonl  a line for each error
//!  out.jsonl.run     what a run must have in common with the one that it resumes
//!  out.jsonl.lock    one process at a time
//!  out.jsonl.input   what came from a pipe; deleted at the end
//!  out.jsonl.batches the batches at the provider (`BatchFile`); deleted when none is left
//! ```
//!
//! # Input
//!
//! A file or a pipe, plain or compressed with gzip or zstd. Each line is an item:
//!
//! - OpenAI's: `{"custom_id": …, "method": "POST", "url": "/v1/chat/completions", "body": {…}}`;
//! - `{"messages": […]}` or `{"prompt": …}`, with `custom_id`, `model`, `system_prompt` and any
//!   other field of a body beside it;
//! - text, each line a prompt, if the first line does not begin with `{`. An input that begins with
//!   `[` is refused unless a [`Format`] is set.
//!
//! A line without a `custom_id` gets the name `request-N`, where N is its line number. A
//! `custom_id` that is a number is kept as text. A body field that chatcore does not know is sent
//! to the provider unchanged. If the field looks like a misspelling of a known one, such as
//! `max_token`, the line is not run.
//!
//! # How a run is resumed
//!
//! The `id` of each result holds the number and a digest of its line in the input
//! (`batch_req_17_9f86d081884c7d65_120_45`: line 17; 120 tokens of prompt, 45 of answer). Opening a
//! run reads the results once, at the speed of the disk, and keeps about two bits for each line.
//! The input is then read, and every line that has a result must be unchanged. Lines may be added
//! at the end of the input.

mod at_provider;
#[cfg(feature = "provider-batches")]
mod batches;
mod builder;
mod changed;
mod check;
mod disk;
mod done;
mod mend;
mod open;
mod scan;
mod sort;
mod supply;
#[cfg(test)]
mod tests;
mod writer;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use chatcore::journal::{Claim, Counts, Journal, Lease, Outcome, Recorded};
use chatcore::{BoxFuture, Error, Executor};

pub use super::jsonl::{BadLines, Format, Identity, Input, Items};
#[cfg(feature = "provider-batches")]
pub use batches::BatchFile;
pub use builder::{FilesBuilder, errors_path};
pub use disk::{AppendFile, Disk, Lock, ReadSeek, StdDisk};

use super::jsonl::result;
use super::jsonl::tag::Tag;
use builder::{Paths, Source};
use done::Done;
use supply::Supply;
use writer::{Queued, To, Writer};

/// A journal in files, for one process at a time. See the [module](self).
///
/// ```
/// # use std::sync::Arc;
/// use chatcore::BatchProcessor;
/// use chatcore_adapters::journal::files::{FilesJournal, Identity};
///
/// # async fn example(config: chatcore::Config, client: chatcore::LlmClient)
/// #     -> Result<(), chatcore::Error> {
/// let executor = Arc::clone(client.executor());
/// let identity = Identity::of(&config.provider);
/// let journal = FilesJournal::builder(executor, identity, "in.jsonl", "out.jsonl");
/// let journal = journal.open().await?;
/// let mut run = BatchProcessor::requests(&client).process_journal(Arc::new(journal));
/// while let Some(finished) = run.next().await {
///     finished?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FilesJournal {
    supply: Arc<Supply>,
    writer: Arc<Writer>,
    done: Arc<Mutex<Done>>,
    input: Input,
    paths: Paths,
    disk: Arc<dyn Disk>,
    _spooled: Option<Spooled>,
}

impl FilesJournal {
    /// Starts building a journal whose items are the lines of `input`, and whose answers go to
    /// `output`. `executor` runs its background tasks. A run with another `identity`, such as that
    /// of another model, is not resumed; see [`Identity::of`].
    pub fn builder(
        executor: Arc<dyn Executor>,
        identity: Identity,
        input: impl Into<PathBuf>,
        output: impl Into<PathBuf>,
    ) -> FilesBuilder {
        FilesBuilder::new(
            executor,
            identity,
            Source::File(input.into()),
            output.into(),
        )
    }

    /// Like [`builder`](Self::builder), but reads the items from a pipe. The whole pipe is read and
    /// copied to a file beside the output before anything is sent. To resume, provide the same
    /// input again.
    pub fn from_pipe(
        executor: Arc<dyn Executor>,
        identity: Identity,
        pipe: impl Read + Send + 'static,
        output: impl Into<PathBuf>,
    ) -> FilesBuilder {
        FilesBuilder::new(
            executor,
            identity,
            Source::Pipe(Box::new(pipe)),
            output.into(),
        )
    }

    /// What the check of the input found.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The path of the file of answers.
    pub fn output_path(&self) -> &Path {
        &self.paths.output
    }

    /// The path of the file of errors.
    pub fn errors_path(&self) -> &Path {
        &self.paths.errors
    }

    /// The progress of the run, like [`progress`](Journal::progress) but not async.
    pub fn counts(&self) -> Counts {
        self.done().counts
    }

    /// Sorts the answers and the errors into the order of the input, while no other process can run
    /// this batch. Nothing can be recorded afterwards; the run can be opened again. Takes 24 bytes of
    /// memory for each line. Each file is replaced atomically.
    ///
    /// # Errors
    /// [`Journal`](chatcore::ErrorKind::Journal) if a file cannot be read or written. It is then unchanged.
    pub async fn sort(&self) -> Result<(), Error> {
        self.writer.seal().await?;
        let (disk, paths) = (Arc::clone(&self.disk), self.paths.clone());
        // The lock is held until the files are sorted, even if this future is dropped.
        let outputs = self.writer.outputs();
        run_blocking(disk.blocks(), move || {
            let results = [&paths.output, &paths.errors].into_iter();
            let sorted = results
                .filter(|path| disk.exists(path))
                .try_for_each(|path| {
                    sort::sort(&*disk, path)
                        .map_err(|error| builder::refused(path, "sorted", &error))
                });
            drop(outputs);
            sorted
        })
        .await
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a result to be written. `None` if the item already has a result.
    fn queue(&self, lease: &Lease, outcome: &Outcome) -> Result<Option<Queued>, Error> {
        let tag = Tag::of(outcome);
        if !self.done().add(tag, outcome.result.is_ok()) {
            return Ok(None);
        }
        self.supply.ended(lease);
        let to = match outcome.result {
            Ok(_) => To::Answers,
            Err(_) => To::Errors,
        };
        let queued = self.writer.queue(to, |buffer| {
            result::write(buffer, tag, outcome, now());
        })?;
        Ok(Some(queued))
    }
}

/// Syncs the written results in the background.
impl Drop for FilesJournal {
    fn drop(&mut self) {
        self.writer.close();
    }
}

fn read_all(disk: &dyn Disk, path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    disk.read(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

impl Journal for FilesJournal {
    /// Waits if other claims hold the remaining items.
    fn claim(&self, _want: usize) -> BoxFuture<'_, Result<Claim, Error>> {
        let dead = async { Err(self.writer.failed().await) };
        // No items are handed out after a write has failed, because their results could not be
        // written.
        Box::pin(futures_lite::future::or(dead, self.supply.claim()))
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<Recorded, Error>> {
        Box::pin(async move {
            match self.queue(lease, outcome)? {
                Some(queued) => {
                    self.writer.recorded(queued).await?;
                    Ok(Recorded::First)
                }
                None => Ok(Recorded::Already),
            }
        })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Error>> {
        self.supply.release(lease);
        Box::pin(std::future::ready(Ok(())))
    }

    fn sync(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.writer.sync())
    }

    fn progress(&self) -> BoxFuture<'_, Result<Counts, Error>> {
        Box::pin(std::future::ready(Ok(self.counts())))
    }
}

/// The copy of a pipe's content. The file is deleted when this is dropped.
#[derive(Debug)]
struct Spooled {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Spooled {
    fn new(disk: &Arc<dyn Disk>, path: PathBuf) -> Self {
        let disk = Arc::clone(disk);
        Self { path, disk }
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // A file that cannot be deleted stays beside the output.
        let _ = self.disk.remove(&self.path);
    }
}

/// Runs `work` on a blocking thread, or in place if `blocks` is false.
async fn run_blocking<T: Send + 'static>(
    blocks: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    match blocks {
        true => blocking::unblock(work).await,
        false => work(),
    }
}

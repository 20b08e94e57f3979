//! The record of the batches that a run has at its provider, in a file beside the output.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatcore::provider_batch::{BatchStore, Records};
use chatcore::{BoxFuture, Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::builder::refused;
use super::disk::{Disk, StdDisk};
use super::{read_all, run_blocking};
use crate::journal::jsonl::Identity;

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// The version of this format.
    chatcore_batches: u32,
    /// The account and the settings with which the batches were created.
    identity: Identity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    records: Records,
}

const VERSION: u32 = 1;

/// Keeps the [`Records`] of a run beside its output, in `out.jsonl.batches` for `out.jsonl`. The
/// file is replaced as a whole, and is deleted when no batch is left.
///
/// The lock of the [`FilesJournal`](super::FilesJournal) protects it: open the journal first,
/// with [`via_provider`](super::FilesBuilder::via_provider). Without that setting a run whose items
/// are at the provider is refused.
///
/// ```
/// # use std::sync::Arc;
/// use chatcore::provider_batch::ProviderRun;
/// use chatcore_adapters::journal::files::{BatchFile, FilesJournal, Identity};
///
/// # async fn example(config: chatcore::Config, client: chatcore::LlmClient)
/// #     -> Result<(), chatcore::Error> {
/// let identity = Identity::of(&config.provider);
/// let store = BatchFile::beside("out.jsonl", identity.clone());
/// let executor = Arc::clone(client.executor());
/// let journal = FilesJournal::builder(executor, identity, "in.jsonl", "out.jsonl");
/// let journal = Arc::new(journal.via_provider(true).open().await?);
/// let mut run = ProviderRun::new(client.provider_batches()?, journal, Arc::new(store));
/// while let Some(event) = run.next().await {
///     event?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BatchFile {
    path: PathBuf,
    identity: Identity,
    note: Option<String>,
    disk: Arc<dyn Disk>,
}

impl BatchFile {
    /// The record beside `output`, for a run with this identity.
    pub fn beside(output: impl AsRef<Path>, identity: Identity) -> Self {
        Self {
            path: path(output.as_ref()),
            identity,
            note: None,
            disk: Arc::new(StdDisk),
        }
    }

    /// Sets a note that is stored with the batches, for example how a program goes on with them. It
    /// must hold no secret. Default: none.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The note that is stored with the batches. `None` if there is no record, or no note in it.
    ///
    /// # Errors
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read.
    pub fn note(&self) -> Result<Option<String>, Error> {
        Ok(self.read()?.and_then(|stored| stored.note))
    }

    /// Sets the file system. Default: that of the operating system.
    #[must_use]
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }

    /// How many batches are recorded, of all processes together. 0 if there is no record.
    ///
    /// # Errors
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read.
    pub fn batches(&self) -> Result<usize, Error> {
        let stored = self.read()?;
        Ok(stored.map_or(0, |stored| stored.records.batches.len()))
    }

    /// Refuses a record of batches that were created with another identity.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) with the code `another_run`, or
    /// [`Journal`](ErrorKind::Journal) if the file cannot be read.
    pub fn check(&self) -> Result<(), Error> {
        self.load_now().map(drop)
    }

    fn read(&self) -> Result<Option<Stored>, Error> {
        let bytes = match read_all(&*self.disk, &self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(&self.path, "read", &error)),
        };
        let stored: Option<Stored> = serde_json::from_slice(&bytes).ok();
        match stored.filter(|stored| stored.chatcore_batches == VERSION) {
            Some(stored) => Ok(Some(stored)),
            None => {
                let why = format!(
                    "{} is damaged or has another version: the batches in it cannot be found again; \
                     look for them at the provider, then delete the file",
                    self.path.display()
                );
                Err(Error::new(ErrorKind::Journal, why))
            }
        }
    }

    fn load_now(&self) -> Result<Records, Error> {
        let Some(stored) = self.read()? else {
            // No two runs have the same number, because each process hashes with other keys.
            let number = RandomState::new().hash_one(&self.path);
            return Ok(Records::new(&format!("{:08x}", number >> 32)));
        };
        if stored.identity != self.identity && !stored.records.batches.is_empty() {
            let why = format!(
                "{} records batches at the provider that were created with another key, base URL or \
                 model, or with other options: restore them, or delete the file to send the items of \
                 these batches again",
                self.path.display()
            );
            return Err(
                Error::new(ErrorKind::Config, why).with_code(Some("another_run".to_owned()))
            );
        }
        Ok(stored.records)
    }

    fn save_now(&self, records: Records) -> Result<(), Error> {
        let fail = |error: io::Error| refused(&self.path, "written", &error);
        if records.batches.is_empty() && records.attempts.is_empty() {
            return match self.disk.exists(&self.path) {
                true => self.disk.remove(&self.path).map_err(fail),
                false => Ok(()),
            };
        }
        let stored = Stored {
            chatcore_batches: VERSION,
            identity: self.identity.clone(),
            note: self.note.clone(),
            records,
        };
        let json = serde_json::to_vec(&stored)
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
        self.disk.replace(&self.path, &json).map_err(fail)
    }
}

/// The path of the record beside an output.
pub(super) fn path(output: &Path) -> PathBuf {
    let mut path = output.as_os_str().to_owned();
    path.push(".batches");
    path.into()
}

impl BatchStore for BatchFile {
    fn load(&self) -> BoxFuture<'_, Result<Records, Error>> {
        let store = self.clone();
        Box::pin(run_blocking(self.disk.blocks(), move || store.load_now()))
    }

    fn save(&self, records: Records) -> BoxFuture<'_, Result<(), Error>> {
        let store = self.clone();
        let blocks = self.disk.blocks();
        Box::pin(run_blocking(blocks, move || store.save_now(records)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_another_account_is_refused() {
        let folder = std::env::temp_dir().join(format!("chatcore-batches-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let output = folder.join("out.jsonl");
        let store = BatchFile::beside(&output, Identity::new().with("key", "a"));
        let mut records = store.load_now().unwrap();
        assert_eq!((records.run.len(), store.batches().unwrap()), (8, 0));
        records.batches.push(Default::default());
        records.attempts.insert(7, 1);
        store.save_now(records.clone()).unwrap();
        assert_eq!(store.load_now().unwrap(), records);
        assert_eq!((store.batches().unwrap(), store.note().unwrap()), (1, None));
        let noted = store.clone().with_note("in.jsonl");
        noted.save_now(records.clone()).unwrap();
        assert_eq!(store.note().unwrap().as_deref(), Some("in.jsonl"));

        let other = BatchFile::beside(&output, Identity::new().with("key", "b"));
        assert!(store.check().is_ok());
        let error = other.check().unwrap_err();
        assert_eq!(error.code(), Some("another_run"));
        // What is left to repeat belongs to no account.
        records.batches.clear();
        store.save_now(records.clone()).unwrap();
        assert_eq!(other.load_now().unwrap(), records);
        records.attempts.clear();
        store.save_now(records).unwrap();
        assert!(!path(&output).exists());

        std::fs::write(path(&output), "{\"chatcore_batches\": 1").unwrap();
        let error = store.load_now().unwrap_err();
        assert!(error.message().contains("damaged"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

//! What a run must remember about its batches when its process ends.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::places::Places;
use crate::error::{Error, ErrorKind};
use crate::executor::BoxFuture;

/// The most items that a stored batch may have. A file that says more is damaged.
const MOST: u64 = 10_000_000;

/// What a run remembers about its batches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Records {
    /// The beginning of the names of this run's batches: letters and digits that no other run has.
    pub run: String,
    /// The number in the name of the next batch.
    pub next: u64,
    /// The batches that are at the provider, or may be.
    pub batches: Vec<Record>,
    /// How often an item without a result was sent already.
    #[serde(default)]
    pub attempts: BTreeMap<u64, u32>,
}

/// One batch that is at the provider, or may be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// Its name.
    pub name: String,
    /// The path of its requests.
    pub path: String,
    /// Its items.
    pub items: Places,
    /// The provider's id of the file with its requests.
    #[serde(default)]
    pub file: Option<String>,
    /// The provider's id of the batch. `None` until the provider has answered its creation.
    #[serde(default)]
    pub id: Option<String>,
    /// Whether [`id`](Self::id) may belong to another batch, which only its results can tell.
    #[serde(default)]
    pub is_guess: bool,
    /// The newest batch before the creation, if the provider keeps no names; empty if there was
    /// none.
    #[serde(default)]
    pub newest: Option<String>,
    /// Batches that turned out to be others.
    #[serde(default)]
    pub others: Vec<String>,
    /// An estimate of the tokens of its prompts.
    #[serde(default)]
    pub input_tokens: u64,
    /// An estimate of the tokens of its answers.
    #[serde(default)]
    pub output_tokens: u64,
}

impl Records {
    /// The records of a run that has no batches yet. `run` is up to 16 letters and digits that no
    /// other run has; other characters are left out.
    pub fn new(run: &str) -> Self {
        let run = run.chars().filter(char::is_ascii_alphanumeric).take(16);
        Self {
            run: run.collect(),
            ..Self::default()
        }
    }

    /// # Errors
    /// `Journal` for what no run has stored.
    pub(super) fn check(&self) -> Result<(), Error> {
        let has_sense = |record: &Record| record.items.len() <= MOST;
        match !self.run.is_empty() && self.batches.iter().all(has_sense) {
            true => Ok(()),
            false => {
                let why = "the record of the batches at the provider is damaged";
                Err(Error::new(ErrorKind::Journal, why))
            }
        }
    }
}

/// Keeps the [`Records`] of a run, so that its batches are found again after a crash. The crate
/// `chatcore-adapters` has one in a file (`provider-batches`).
///
/// No example: a store in memory is a `Mutex<Records>`.
///
/// # Errors
/// An error of either method ends the run. Its kind is [`Journal`](crate::ErrorKind::Journal).
pub trait BatchStore: Debug + Send + Sync + 'static {
    /// What was stored last, or [`Records::new`] if nothing was.
    fn load(&self) -> BoxFuture<'_, Result<Records, Error>>;

    /// Replaces what is stored, and completes when that survives a power loss. After a crash before
    /// that, the old records or the new ones are there, whole.
    fn save(&self, records: Records) -> BoxFuture<'_, Result<(), Error>>;
}

//! How an input is submitted.

use std::path::PathBuf;

use super::limits::RunLimits;
use super::reader::BLOCK_ITEMS;
use crate::journal::jsonl::{BadLines, Format};

/// How an input is read. The default decides by its first line, and records bad lines as errors.
#[derive(Clone, Debug)]
#[must_use]
pub struct Submission {
    pub(super) format: Format,
    pub(super) bad_lines: BadLines,
    pub(super) chunk: usize,
    pub(super) temporary: PathBuf,
    pub(super) limits: RunLimits,
}

impl Default for Submission {
    fn default() -> Self {
        Self {
            format: Format::default(),
            bad_lines: BadLines::default(),
            chunk: Self::DEFAULT_CHUNK,
            temporary: std::env::temp_dir(),
            limits: RunLimits::default(),
        }
    }
}

impl Submission {
    /// The default of [`chunk`](Self::chunk).
    pub const DEFAULT_CHUNK: usize = BLOCK_ITEMS;

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

    /// Sets how many items are leased together at most, from 1 to 1,000. Default: 1,000. Towards
    /// the end of the input, chunks are smaller.
    pub fn chunk(mut self, items: usize) -> Self {
        self.chunk = items.clamp(1, BLOCK_ITEMS);
        self
    }

    /// Sets limits of the whole run, over all its workers. Workers keep those per minute if their
    /// clients have [`Database::shared_limits`](super::Database::shared_limits). Default: none.
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the folder for a temporary file of 16 bytes for each item, if there are more than 8,192
    /// items. Default: the system's.
    pub fn temporary_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.temporary = folder.into();
        self
    }
}

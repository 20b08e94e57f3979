//! Finds the line of the input that has changed since it got its result, so that an error can name
//! it.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::ops::RangeInclusive;
use std::path::Path;

use super::disk::Disk;
use crate::journal::jsonl::Items;
use crate::journal::jsonl::tag::Tag;

/// A line that has changed since it got its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChangedLine {
    pub(super) number: u64,
    /// Whether its result is an error.
    pub(super) is_error: bool,
}

/// The first of these lines whose digest is not that of its result. Reads the files of results again,
/// which takes as long as opening the run. `errors` is `None` if errors do not count as results.
pub(super) fn first_changed(
    disk: &dyn Disk,
    answers: &Path,
    errors: Option<&Path>,
    mut input: Items,
    lines: RangeInclusive<u64>,
) -> io::Result<Option<ChangedLine>> {
    let mut results = HashMap::new();
    let files = [(Some(answers), false), (errors, true)];
    for (path, is_error) in files {
        let Some(path) = path.filter(|path| disk.exists(path)) else {
            continue;
        };
        let mut file = BufReader::with_capacity(1 << 20, disk.read(path)?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            if let Some(tag) = Tag::read(&line).filter(|tag| lines.contains(&tag.place)) {
                results.entry(tag.place).or_insert((tag.digest, is_error));
            }
            line.clear();
        }
    }
    while let Some(head) = input.head(|_| true)? {
        if head.number > *lines.end() {
            break;
        }
        if let Some((digest, is_error)) = results.get(&head.number)
            && *digest != head.digest
        {
            return Ok(Some(ChangedLine {
                number: head.number,
                is_error: *is_error,
            }));
        }
    }
    Ok(None)
}

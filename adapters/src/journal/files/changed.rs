//! Finds the line of the input that has changed since it got its result, so that an error can name
//! it.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::ops::RangeInclusive;
use std::path::Path;

use super::disk::Disk;
use crate::journal::jsonl::Items;
use crate::journal::jsonl::tag::Tag;

/// The first of these lines whose digest is not that of its result. Reads the files of results again,
/// which takes as long as opening the run.
pub(super) fn first_changed(
    disk: &dyn Disk,
    results: &[&Path],
    mut input: Items,
    lines: RangeInclusive<u64>,
) -> io::Result<Option<u64>> {
    let mut digests = HashMap::new();
    for path in results.iter().filter(|path| disk.exists(path)) {
        let mut file = BufReader::with_capacity(1 << 20, disk.read(path)?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            if let Some(tag) = Tag::read(&line).filter(|tag| lines.contains(&tag.place)) {
                digests.entry(tag.place).or_insert(tag.digest);
            }
            line.clear();
        }
    }
    while let Some(head) = input.head(|_| true)? {
        if head.number > *lines.end() {
            break;
        }
        if digests
            .get(&head.number)
            .is_some_and(|digest| *digest != head.digest)
        {
            return Ok(Some(head.number));
        }
    }
    Ok(None)
}

//! Checks the input before anything is sent: counts its items, checks that their names are unique,
//! and compares the input with the existing results.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use chatcore::{Error, ErrorKind};

use super::changed::ChangedLine;
use super::done::{BLOCK, Done, sum};
use crate::journal::jsonl::duplicates::Names;
use crate::journal::jsonl::input::{Input, TOLD, unreadable};
use crate::journal::jsonl::items::Items;
use crate::journal::jsonl::line::own_name;
use crate::journal::jsonl::tag::digest;

/// What is added if the changed line has an error.
const OF_ERROR: &str = ", which is an error: if only lines with an error changed, run them again \
                        with --retry-errors (FilesBuilder::retry_errors)";

/// What is added if the changed line is unknown, and some of the lines near it have an error.
const OF_ERRORS: &str = "; some lines there have an error, which counts as a result: if only such \
                         lines changed, run them again with --retry-errors \
                         (FilesBuilder::retry_errors)";

/// How many repeated names are looked for.
const PAIRS: usize = 1_000;

/// Reads the whole input. `open` opens it, messages call it `name`, and a temporary file may be
/// created at `temporary`. `first_changed` finds the first of some lines that differs from its result.
pub(super) fn check(
    open: impl Fn() -> io::Result<Items>,
    name: &str,
    temporary: PathBuf,
    done: &Done,
    first_changed: impl Fn(RangeInclusive<u64>) -> Option<ChangedLine>,
) -> Result<Input, Error> {
    let changed = |Changed { lines, has_errors }: Changed| {
        let how = match first_changed(lines.clone()) {
            Some(ChangedLine { number, is_error }) => {
                let advice = if is_error { OF_ERROR } else { "" };
                format!("line {number} has changed since it got its result{advice}")
            }
            None => {
                let (first, last) = lines.into_inner();
                let advice = if has_errors { OF_ERRORS } else { "" };
                format!("it changed between line {first} and line {last}{advice}")
            }
        };
        another_input(name, &how)
    };
    let unreadable = |error: io::Error| unreadable(name, &error);
    let mut items = open().map_err(unreadable)?;
    let mut names = Names::new(temporary);
    let mut input = Input::default();
    let mut block = Block::default();
    let mut have_names = false;
    let mut last = 0;
    while let Some(head) = items.head(|line| done.has(line)).map_err(unreadable)? {
        input.items += 1;
        last = head.number;
        block
            .go_on(head.number, done, head.number)
            .map_err(changed)?;
        if done.has(head.number) {
            block.sum = block.sum.wrapping_add(sum(head.number, head.digest));
        }
        match head.name {
            Ok(own) => {
                have_names |= own.is_some();
                let own = own.unwrap_or_else(|| digest(own_name(head.number).as_bytes()));
                names
                    .add(own, head.number)
                    .map_err(|error| cannot_check(&error))?;
            }
            Err(error) => {
                input.bad_lines += 1;
                if input.first_bad.len() < TOLD {
                    input.first_bad.push(error);
                }
            }
        }
    }
    // Checked before the sums, because a damaged result may have any line number.
    if done.last() > last {
        let how = format!(
            "it ends at line {last}, and line {} has a result",
            done.last()
        );
        return Err(another_input(name, &how));
    }
    block.go_on(u64::MAX, done, last).map_err(changed)?;
    // If no line has a `custom_id`, all names are default names, which are unique.
    if have_names {
        let pairs = names.pairs(PAIRS).map_err(|error| cannot_check(&error))?;
        if !pairs.is_empty() {
            refuse_equal(open().map_err(unreadable)?, &pairs, name)?;
        }
    }
    Ok(input)
}

/// Lines among which one or more have changed.
struct Changed {
    lines: RangeInclusive<u64>,
    /// Whether the result of any of them is an error.
    has_errors: bool,
}

/// The block of lines being read.
#[derive(Default)]
struct Block {
    number: u64,
    sum: u64,
}

impl Block {
    /// Moves on to the block of `line`, and checks the sums of the blocks before it against the
    /// results. The input has been read up to the line `read`.
    fn go_on(&mut self, line: u64, done: &Done, read: u64) -> Result<(), Changed> {
        let to = line / BLOCK;
        let end = to.min(done.last() / BLOCK + 1);
        while self.number < end {
            if self.sum != done.sum_of(self.number) {
                let first = (self.number * BLOCK).max(1);
                let last = ((self.number + 1) * BLOCK - 1).min(read);
                return Err(Changed {
                    lines: first..=last,
                    has_errors: done.has_errors(self.number),
                });
            }
            self.number += 1;
            self.sum = 0;
        }
        self.number = self.number.max(to);
        Ok(())
    }
}

/// Checks whether names with equal digests really are equal, and refuses those that are.
fn refuse_equal(mut items: Items, pairs: &[(u64, u64)], input: &str) -> Result<(), Error> {
    let of_pairs = pairs.iter().flat_map(|&(one, other)| [one, other]);
    let mut names: HashMap<u64, String> = of_pairs.map(|line| (line, String::new())).collect();
    let lines: HashSet<u64> = names.keys().copied().collect();
    let next = |items: &mut Items| items.next_wanted(|line| lines.contains(&line));
    while let Some((item, _)) = next(&mut items).map_err(|error| unreadable(input, &error))? {
        names.insert(item.place, item.id);
    }
    let mut equal = pairs
        .iter()
        .filter(|(one, other)| names[one] == names[other]);
    let Some(&(one, other)) = equal.next() else {
        return Ok(());
    };
    let more = match equal.count() {
        0 => String::new(),
        more => format!(", and {more} more are repeated"),
    };
    let why = format!(
        "{input} has the custom_id {:?} on line {one} and on line {other}{more}: results are \
         matched by custom_id, so give each line its own",
        names[&one]
    );
    Err(Error::new(ErrorKind::InvalidInput, why).with_code(Some("duplicate_custom_id".to_owned())))
}

fn another_input(name: &str, how: &str) -> Error {
    let why = format!(
        "{name} is not the input that the output was made from: {how}; restore the input, or choose \
         another output"
    );
    Error::new(ErrorKind::Config, why).with_code(Some("another_input".to_owned()))
}

fn cannot_check(error: &io::Error) -> Error {
    let why = format!(
        "the names of the items could not be checked, because that needs a file beside the output: \
         {error}"
    );
    Error::new(ErrorKind::Journal, why)
}

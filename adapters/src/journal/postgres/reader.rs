//! Reads an input in blocks.

use std::io::{self, Read};
use std::path::PathBuf;

use chatcore::{Error, ErrorKind};

use crate::journal::jsonl::duplicates::Names;
use crate::journal::jsonl::input::{Input, TOLD, unreadable};
use crate::journal::jsonl::items::Items;
use crate::journal::jsonl::line::{Format, own_name};
use crate::journal::jsonl::tag::digest;

/// The size of a block, in lines and in bytes.
pub(super) const BLOCK_ITEMS: usize = 1_000;
const BLOCK_BYTES: usize = 4 << 20;

/// How many repeated names are looked for.
const PAIRS: usize = 1_000;

/// Some lines of the input with their numbers.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) places: Vec<i64>,
    pub(super) lines: Vec<Vec<u8>>,
}

/// Reads blocks, and collects the names of the items.
pub(super) struct Reader {
    items: Items,
    names: Names,
    have_names: bool,
    /// What was found so far.
    pub(super) found: Input,
}

impl Reader {
    pub(super) fn new(
        input: impl Read + Send + 'static,
        format: Format,
        temporary: PathBuf,
    ) -> Result<Self, Error> {
        Ok(Self {
            items: Items::new(input, format).map_err(|error| unreadable(INPUT, &error))?,
            names: Names::new(temporary),
            have_names: false,
            found: Input::default(),
        })
    }

    /// Whether the lines are JSON, as the first one decides.
    pub(super) fn is_json(&self) -> bool {
        self.items.format() != Format::Text
    }

    /// The next block; empty at the end.
    pub(super) fn block(&mut self) -> Result<Block, Error> {
        let mut block = Block::default();
        let mut bytes = 0;
        while block.places.len() < BLOCK_ITEMS && bytes < BLOCK_BYTES {
            let next = self.items.head_and_line();
            let Some((head, line)) = next.map_err(|error| unreadable(INPUT, &error))? else {
                break;
            };
            self.found.items += 1;
            bytes += line.len();
            block.places.push(head.number.cast_signed());
            block.lines.push(line.to_vec());
            match head.name {
                Ok(own) => {
                    self.have_names |= own.is_some();
                    let own = own.unwrap_or_else(|| digest(own_name(head.number).as_bytes()));
                    let added = self.names.add(own, head.number);
                    added.map_err(|error| cannot_check(&error))?;
                }
                Err(error) => {
                    self.found.bad_lines += 1;
                    if self.found.first_bad.len() < TOLD {
                        self.found.first_bad.push(error);
                    }
                }
            }
        }
        Ok(block)
    }

    /// Pairs of lines whose names may be equal, and what was found.
    pub(super) fn end(self) -> Result<(Vec<(u64, u64)>, Input), Error> {
        // If no line has a `custom_id`, all names are default names, which are unique.
        let pairs = match self.have_names {
            true => self.names.pairs(PAIRS),
            false => Ok(Vec::new()),
        };
        Ok((pairs.map_err(|error| cannot_check(&error))?, self.found))
    }
}

/// The input's name in messages.
const INPUT: &str = "the input";

fn cannot_check(error: &io::Error) -> Error {
    let why = format!(
        "the names of the items could not be checked, because that needs a temporary file: {error}"
    );
    Error::new(ErrorKind::Journal, why)
}

//! Finds names that occur on several lines, in constant memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How many names are held in memory; more are sorted in runs on disk.
const HELD: usize = 8 * 1024;

/// How much of each run is read at once, in entries.
const WINDOW: usize = 64;

/// The digest of a name, and the number of its line.
type Entry = (u64, u64);

const ENTRY: usize = 16;

/// Collects the digests of names and finds repeated ones.
pub(in crate::journal) struct Names {
    held: Vec<Entry>,
    /// The path of the file of runs.
    path: PathBuf,
    file: Option<File>,
    /// How many entries each run has.
    runs: Vec<usize>,
    capacity: usize,
}

impl Names {
    /// A temporary file may be created at `path` during the check.
    pub(in crate::journal) fn new(path: PathBuf) -> Self {
        Self::with_capacity(path, HELD)
    }

    fn with_capacity(path: PathBuf, capacity: usize) -> Self {
        Self {
            held: Vec::new(),
            path,
            file: None,
            runs: Vec::new(),
            capacity,
        }
    }

    /// Adds the name of a line.
    pub(in crate::journal) fn add(&mut self, digest: u64, line: u64) -> io::Result<()> {
        if self.held.len() == self.capacity {
            self.spill()?;
        }
        self.held.push((digest, line));
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(temporary(&self.path)?),
        };
        let mut bytes = Vec::with_capacity(self.held.len() * ENTRY);
        for (digest, line) in self.held.drain(..) {
            bytes.extend_from_slice(&digest.to_le_bytes());
            bytes.extend_from_slice(&line.to_le_bytes());
        }
        file.write_all(&bytes)?;
        self.runs.push(bytes.len() / ENTRY);
        Ok(())
    }

    /// Pairs of lines with equal digests, the first line with that digest before the later one; at
    /// most `most` pairs. Different names may have equal digests, so the caller must compare the
    /// names.
    pub(in crate::journal) fn pairs(mut self, most: usize) -> io::Result<Vec<(u64, u64)>> {
        self.held.sort_unstable();
        let Some(mut file) = self.file.take() else {
            let mut pairs = Pairs::new(most);
            self.held.iter().for_each(|&entry| pairs.next(entry));
            return Ok(pairs.found);
        };
        let mut at = 0;
        let mut runs = Vec::new();
        for &entries in &self.runs {
            let end = at + (entries * ENTRY) as u64;
            runs.push(Run::new(at, end));
            at = end;
        }
        let mut heap = std::collections::BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            if let Some(entry) = run.next(&mut file)? {
                heap.push(std::cmp::Reverse((entry, number)));
            }
        }
        let mut held = std::mem::take(&mut self.held).into_iter().peekable();
        let mut pairs = Pairs::new(most);
        while let Some(&std::cmp::Reverse((entry, number))) = heap.peek() {
            while let Some(first) = held.next_if(|held| *held < entry) {
                pairs.next(first);
            }
            heap.pop();
            pairs.next(entry);
            if let Some(entry) = runs[number].next(&mut file)? {
                heap.push(std::cmp::Reverse((entry, number)));
            }
        }
        held.for_each(|entry| pairs.next(entry));
        Ok(pairs.found)
    }
}

/// Finds equal neighbours in sorted entries.
struct Pairs {
    before: Option<Entry>,
    found: Vec<(u64, u64)>,
    most: usize,
}

impl Pairs {
    fn new(most: usize) -> Self {
        Self {
            before: None,
            found: Vec::new(),
            most,
        }
    }

    fn next(&mut self, entry: Entry) {
        if let Some((digest, line)) = self.before
            && digest == entry.0
        {
            if self.found.len() < self.most {
                self.found.push((line, entry.1));
            }
            // All repeated lines are paired with the first one.
            return;
        }
        self.before = Some(entry);
    }
}

/// One sorted part of the file.
struct Run {
    at: u64,
    end: u64,
    window: Vec<u8>,
    read: usize,
}

impl Run {
    fn new(at: u64, end: u64) -> Self {
        Self {
            at,
            end,
            window: Vec::new(),
            read: 0,
        }
    }

    fn next(&mut self, file: &mut File) -> io::Result<Option<Entry>> {
        if self.read == self.window.len() {
            let more = (self.end - self.at).min((WINDOW * ENTRY) as u64) as usize;
            if more == 0 {
                return Ok(None);
            }
            self.window.resize(more, 0);
            file.seek(SeekFrom::Start(self.at))?;
            file.read_exact(&mut self.window)?;
            self.at += more as u64;
            self.read = 0;
        }
        let number = |from: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&self.window[from..from + 8]);
            u64::from_le_bytes(bytes)
        };
        let entry = (number(self.read), number(self.read + 8));
        self.read += ENTRY;
        Ok(Some(entry))
    }
}

/// Creates a temporary file. On Unix it is already unlinked, so it disappears when it is closed.
fn temporary(path: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    if cfg!(unix) {
        std::fs::remove_file(path)?;
    }
    Ok(file)
}

/// On other systems the temporary file is deleted here, after it was closed.
impl Drop for Names {
    fn drop(&mut self) {
        self.file = None;
        if cfg!(not(unix)) && !self.runs.is_empty() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(capacity: usize, names: &[u64], most: usize) -> Vec<(u64, u64)> {
        let unique = format!(
            "chatcore-names-{}-{capacity}-{}",
            std::process::id(),
            names.len()
        );
        let mut all = Names::with_capacity(std::env::temp_dir().join(unique), capacity);
        for (line, &name) in names.iter().enumerate() {
            // Multiplied, so that the order is random, like that of digests.
            all.add(name.wrapping_mul(0x9e37_79b9_7f4a_7c15), line as u64 + 1)
                .unwrap();
        }
        let mut pairs = all.pairs(most).unwrap();
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn each_repeated_name_is_told_with_its_first_line() {
        let mut names: Vec<u64> = (0..5_000).collect();
        names[4_000] = 7;
        names[4_999] = 7;
        names[100] = 99;
        for capacity in [10_000, 5_000, 999, 300] {
            assert_eq!(
                pairs(capacity, &names, 10),
                [(8, 4_001), (8, 5_000), (100, 101)],
                "{capacity}"
            );
            assert_eq!(pairs(capacity, &names, 2).len(), 2);
        }
        assert!(pairs(10, &(0..1_000).collect::<Vec<_>>(), 10).is_empty());
        assert!(pairs(10, &[], 10).is_empty());
    }
}

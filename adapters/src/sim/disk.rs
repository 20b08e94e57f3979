//! An in-memory file system that a simulation can crash.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::SimExecutor;
use crate::journal::files::{AppendFile, Disk, Lock, ReadSeek};

/// An in-memory file system for the journal of files. Written bytes survive the death of the
/// process ([`kill`](Self::kill)); bytes that were not synced are torn by a power loss
/// ([`lose_power`](Self::lose_power)). Clones are the same disk.
///
/// Handles and locks from before a crash are dead: writing through such a handle fails.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// How many bytes reach the disk together. Less than in reality, so that short files have several.
const PAGE: usize = 64;

#[derive(Default)]
struct State {
    files: BTreeMap<PathBuf, Content>,
    locks: BTreeSet<PathBuf>,
    /// The number of crashes.
    crashes: u64,
    /// How many more bytes may be written; `None` for no limit.
    room: Option<usize>,
    is_read_only: bool,
    /// If set, the process dies during the next write. This number, modulo the write's length, says
    /// how many of its bytes are written.
    tear: Option<u64>,
    writes: u64,
    syncs: u64,
}

#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    /// How many of the bytes survive a power loss.
    safe: usize,
    /// Tells files with the same name apart, after one was removed.
    number: u64,
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file on the disk that survives any crash.
    pub fn put(&self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        let mut state = self.lock();
        let number = state.writes;
        state.writes += 1;
        let safe = bytes.len();
        let content = Content {
            bytes,
            safe,
            number,
        };
        state.files.insert(path.into(), content);
    }

    /// The content of a file; empty if there is no such file.
    pub fn get(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let state = self.lock();
        let file = state.files.get(path.as_ref());
        file.map(|file| file.bytes.clone()).unwrap_or_default()
    }

    /// Deletes a file. Open handles still write, but their bytes are lost.
    pub fn remove(&self, path: impl AsRef<Path>) {
        self.lock().files.remove(path.as_ref());
    }

    /// Kills the process, as `kill -9` does: written bytes stay, and its locks are released.
    pub fn kill(&self) {
        let mut state = self.lock();
        state.crashes += 1;
        state.locks.clear();
    }

    /// Cuts the machine's power: each file keeps its synced bytes and a random part of the others.
    /// In place of the rest there are sometimes zeros, at the file's end or between what was kept,
    /// because a system writes the pages of a file in any order.
    pub fn lose_power(&self, sim: &SimExecutor) {
        self.kill();
        let mut state = self.lock();
        for file in state.files.values_mut() {
            let unsafe_bytes = (file.bytes.len() - file.safe) as u64;
            let kept = file.safe + sim.random_below(unsafe_bytes + 1) as usize;
            let whole = file.bytes.len();
            file.bytes.truncate(kept);
            if sim.random_chance(0.2) {
                // The file's length reached the disk, but its content did not.
                file.bytes.resize(whole, 0);
            }
            if sim.random_chance(0.5) {
                for block in file.bytes[file.safe..].chunks_mut(PAGE) {
                    if sim.random_chance(0.2) {
                        block.fill(0);
                    }
                }
            }
            file.safe = file.bytes.len();
        }
    }

    /// Like [`kill`](Self::kill), but during the next write: a random part of its bytes is written.
    pub fn kill_in_next_write(&self, sim: &SimExecutor) {
        self.lock().tear = Some(sim.random());
    }

    /// The number of crashes.
    pub fn crashes(&self) -> u64 {
        self.lock().crashes
    }

    /// Sets how many more bytes may be written before the disk is full; `None` for no limit.
    pub fn set_room(&self, room: Option<usize>) {
        self.lock().room = room;
    }

    /// Sets whether writes are refused.
    pub fn set_read_only(&self, is_read_only: bool) {
        self.lock().is_read_only = is_read_only;
    }

    /// How many times bytes were appended, and how many times a file was synced.
    pub fn writes_and_syncs(&self) -> (u64, u64) {
        let state = self.lock();
        (state.writes, state.syncs)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_write(&self, crashes: u64) -> io::Result<()> {
        if self.crashes != crashes {
            return Err(io::Error::other("the simulated process is dead"));
        }
        match self.is_read_only {
            true => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            false => Ok(()),
        }
    }
}

impl Disk for SimDisk {
    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek + Send>> {
        match self.lock().files.get(path) {
            Some(file) => Ok(Box::new(Cursor::new(file.bytes.clone()))),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn append(&self, path: &Path, length: u64) -> io::Result<Arc<dyn AppendFile>> {
        let mut state = self.lock();
        state.may_write(state.crashes)?;
        let crashes = state.crashes;
        let number = state.writes;
        state.writes += 1;
        let file = state.files.entry(path.to_owned()).or_insert(Content {
            number,
            ..Content::default()
        });
        file.bytes.truncate(length as usize);
        file.safe = file.bytes.len();
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            path: path.to_owned(),
            number: file.number,
            crashes,
        }))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        {
            let state = self.lock();
            state.may_write(state.crashes)?;
        }
        self.put(path, content);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.may_write(state.crashes)?;
        let file = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        self.lock().files.contains_key(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = SimDisk::lock(self);
        state.may_write(state.crashes)?;
        let removed = state.files.remove(path);
        removed.map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let mut state = SimDisk::lock(self);
        state.may_write(state.crashes)?;
        let crashes = state.crashes;
        match state.locks.insert(path.to_owned()) {
            true => Ok(Box::new(SimLock {
                disk: self.clone(),
                path: path.to_owned(),
                crashes,
            })),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn blocks(&self) -> bool {
        false
    }
}

struct SimLock {
    disk: SimDisk,
    path: PathBuf,
    crashes: u64,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.lock();
        if state.crashes == self.crashes {
            state.locks.remove(&self.path);
        }
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    path: PathBuf,
    number: u64,
    crashes: u64,
}

impl AppendFile for SimFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.may_write(self.crashes)?;
        let mut room = state.room.unwrap_or(usize::MAX);
        if let Some(place) = state.tear.take() {
            room = room.min((place % bytes.len().max(1) as u64) as usize);
            state.crashes += 1;
            state.locks.clear();
        }
        let written = &bytes[..bytes.len().min(room)];
        state.room = state.room.map(|room| room - written.len());
        state.writes += 1;
        if let Some(file) = state.files.get_mut(&self.path)
            && file.number == self.number
        {
            file.bytes.extend_from_slice(written);
        }
        match written.len() == bytes.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.may_write(self.crashes)?;
        state.syncs += 1;
        match state.files.get_mut(&self.path) {
            Some(file) if file.number == self.number => {
                file.safe = file.bytes.len();
                Ok(())
            }
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let files = state.files.iter();
        let sizes: BTreeMap<_, _> = files.map(|(path, file)| (path, file.bytes.len())).collect();
        f.debug_struct("SimDisk")
            .field("files", &sizes)
            .field("crashes", &state.crashes)
            .finish_non_exhaustive()
    }
}

//! What the journal asks of a file system.

use std::any::Any;
use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is only ever added to.
pub trait AppendFile: Debug + Send + Sync + 'static {
    /// Adds bytes at the end. When this returns, a `kill -9` can no longer undo it.
    ///
    /// # Errors
    /// Some of the bytes may then be there.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything that was added outlives a loss of power.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) also where the file was deleted or replaced meanwhile.
    fn sync(&self) -> io::Result<()>;
}

/// A lock that is held as long as this value lives, and no longer than the process.
pub type Lock = Box<dyn Any + Send + Sync>;

/// What the journal asks of a file system. [`StdDisk`] is the operating system's; `sim::SimDisk`
/// tears writes and crashes.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Opens a file to read it from its beginning.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) where there is none.
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// Opens a file to add to it, and makes it where there is none. What is in it beyond `length`
    /// bytes is cut off, and the file's name outlives a loss of power when this returns.
    ///
    /// # Errors
    /// As the operating system says.
    fn append(&self, path: &Path, length: u64) -> io::Result<Arc<dyn AppendFile>>;

    /// Makes a file with this content, or replaces one, all at once.
    ///
    /// # Errors
    /// As the operating system says; the old file is then still there.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// Gives a file another name.
    ///
    /// # Errors
    /// As the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Whether there is such a file.
    fn exists(&self, path: &Path) -> bool;

    /// Deletes a file.
    ///
    /// # Errors
    /// As the operating system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Whether both paths lead to the same file, or to the same name if there is no file yet.
    fn is_same(&self, one: &Path, other: &Path) -> bool {
        one == other
    }

    /// Whether the file gives its content only once, as a pipe does. The journal reads its input
    /// twice, so it copies such an input first.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    fn is_pipe(&self, path: &Path) -> io::Result<bool> {
        let _ = path;
        Ok(false)
    }

    /// Locks a file against other processes, and makes it where there is none.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) where another one has the lock.
    fn lock(&self, path: &Path) -> io::Result<Lock>;

    /// Whether its calls may block the thread for longer than a moment, so that they run on threads
    /// of their own.
    fn blocks(&self) -> bool {
        true
    }
}

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdDisk;

impl Disk for StdDisk {
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "it is a folder",
            ));
        }
        Ok(Box::new(file))
    }

    fn append(&self, path: &Path, length: u64) -> io::Result<Arc<dyn AppendFile>> {
        // Windows does not cut a file through a handle that may only append.
        let whole = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if whole.metadata()?.len() > length {
            whole.set_len(length)?;
        }
        whole.sync_all()?;
        drop(whole);
        let file = StdFile::open_append(path)?;
        sync_folder(path)?;
        Ok(Arc::new(file))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let mut file = File::create(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        sync_folder(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)?;
        sync_folder(to)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn is_same(&self, one: &Path, other: &Path) -> bool {
        let is_linked = match (std::fs::metadata(one), std::fs::metadata(other)) {
            (Ok(one), Ok(other)) => cfg!(unix) && is_same(&one, &other),
            _ => false,
        };
        is_linked || canonical(one) == canonical(other)
    }

    fn is_pipe(&self, path: &Path) -> io::Result<bool> {
        let metadata = std::fs::metadata(path)?;
        // `/dev/stdin` may be a file that is read from where another process left it.
        let is_descriptor = path.starts_with("/dev") || path.starts_with("/proc");
        Ok(!metadata.is_dir() && (!metadata.is_file() || is_descriptor))
    }

    #[expect(
        clippy::incompatible_msrv,
        reason = "the feature needs Rust 1.89, as its documentation says"
    )]
    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The path without links and detours. The file need not exist, but its folder must.
fn canonical(path: &Path) -> PathBuf {
    let of_folder = || {
        let folder = path.parent()?;
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    let whole = path.canonicalize().ok().or_else(of_folder);
    whole.unwrap_or_else(|| path.to_owned())
}

/// Makes the names in a file's folder outlive a loss of power, where the system can.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[derive(Debug)]
pub(super) struct StdFile {
    path: PathBuf,
    file: File,
}

impl StdFile {
    pub(super) fn open_append(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }
}

impl AppendFile for StdFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()?;
        // Writes to a file that was deleted succeed, and are lost.
        let there = std::fs::metadata(&self.path)?;
        match is_same(&there, &self.file.metadata()?) {
            true => Ok(()),
            false => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "another file now has its name",
            )),
        }
    }
}

#[cfg(unix)]
fn is_same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere a file that is open cannot be deleted.
#[cfg(not(unix))]
fn is_same(_one: &std::fs::Metadata, _other: &std::fs::Metadata) -> bool {
    true
}

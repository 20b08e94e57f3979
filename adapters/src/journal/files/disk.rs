//! The file system as the journal uses it.

use std::any::Any;
use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is only appended to.
pub trait AppendFile: Debug + Send + Sync + 'static {
    /// Appends bytes. When this returns, a `kill -9` can no longer undo the write.
    ///
    /// # Errors
    /// Some of the bytes may have been written.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all appended bytes survive a power loss.
    ///
    /// # Errors
    /// Also [`NotFound`](io::ErrorKind::NotFound) if the file was deleted or replaced in the
    /// meantime.
    fn sync(&self) -> io::Result<()>;
}

/// A lock that is held as long as this value lives, and no longer than the process.
pub type Lock = Box<dyn Any + Send + Sync>;

/// A file that is read, from any position.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// The file system operations that the journal needs. [`StdDisk`] is the operating system's file
/// system; `sim::SimDisk` simulates torn writes and crashes.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Opens a file to read it from its beginning. Only files of results are read from other positions.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) if there is no such file.
    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek + Send>>;

    /// Opens a file for appending, or creates it. Truncates it to `length` bytes if it is longer.
    /// When this returns, the file's name survives a power loss.
    ///
    /// # Errors
    /// As the operating system says.
    fn append(&self, path: &Path, length: u64) -> io::Result<Arc<dyn AppendFile>>;

    /// Atomically creates or replaces a file with this content.
    ///
    /// # Errors
    /// Errors of the operating system. The old file is then unchanged.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// Renames a file.
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

    /// Whether both paths refer to the same file, or to the same name if there is no file yet.
    fn is_same(&self, one: &Path, other: &Path) -> bool {
        one == other
    }

    /// Whether the file can be read only once, like a pipe. The journal reads its input twice, so
    /// it copies such an input first.
    ///
    /// # Errors
    /// The errors of [`read`](Self::read).
    fn is_pipe(&self, path: &Path) -> io::Result<bool> {
        let _ = path;
        Ok(false)
    }

    /// Locks a file against other processes, and creates it if needed.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if another process has the lock.
    fn lock(&self, path: &Path) -> io::Result<Lock>;

    /// Whether calls may block, so that the journal must make them on blocking threads.
    fn blocks(&self) -> bool {
        true
    }
}

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdDisk;

impl Disk for StdDisk {
    fn read(&self, path: &Path) -> io::Result<Box<dyn ReadSeek + Send>> {
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
        // Windows does not truncate a file through an append-only handle.
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
        // `/dev/stdin` may be a file whose read position another process has moved.
        let is_descriptor = path.starts_with("/dev") || path.starts_with("/proc");
        Ok(!metadata.is_dir() && (!metadata.is_file() || is_descriptor))
    }

    #[expect(
        clippy::incompatible_msrv,
        reason = "the feature needs Rust 1.89, as its documentation says"
    )]
    fn lock(&self, path: &Path) -> io::Result<Lock> {
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
            // The file may have been deleted by its last owner since it was opened here; then another
            // process can lock a new file of this name.
            match std::fs::metadata(path) {
                Ok(there) if is_same(&there, &file.metadata()?) => {
                    let path = path.to_owned();
                    return Ok(Box::new(StdLock { path, _file: file }));
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
}

/// A lock on a file. Dropping it deletes the file, then frees the lock.
struct StdLock {
    path: PathBuf,
    _file: File,
}

impl Drop for StdLock {
    fn drop(&mut self) {
        // A file that cannot be deleted stays beside the output; its lock is free all the same.
        // On Windows another process may have opened it by now, and would get no lock for a while.
        if cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The path without symbolic links, `.` and `..`. The file need not exist, but its folder must.
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

/// Syncs the folder of a file, so that the file's name survives a power loss. Unix only.
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
        // Writes to a deleted file succeed, but are lost.
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

/// On other systems an open file cannot be deleted.
#[cfg(not(unix))]
fn is_same(_one: &std::fs::Metadata, _other: &std::fs::Metadata) -> bool {
    true
}

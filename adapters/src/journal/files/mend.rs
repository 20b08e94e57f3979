//! Removes damaged lines from a file of results.

use std::io::{self, Read};
use std::path::Path;

use super::disk::{AppendFile, Disk};
use super::scan::Scanned;

/// How many bytes are copied at once.
const BUFFER: u64 = 256 * 1024;

/// Atomically replaces a file with a copy without the damaged lines. The original is unchanged
/// until then. Afterwards `scanned` describes the copy.
pub(super) fn mend(disk: &dyn Disk, path: &Path, scanned: &mut Scanned) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".mended");
    let name = Path::new(&name);
    let copy = disk.append(name, 0)?;
    let mut file = disk.read(path)?;
    let (mut at, mut length) = (0, 0);
    let damaged = std::mem::take(&mut scanned.damaged);
    let end = std::iter::once(scanned.length..scanned.length);
    for range in damaged.into_iter().chain(end) {
        pass(&mut *file, range.start - at, Some(&*copy))?;
        pass(&mut *file, range.end - range.start, None)?;
        length += range.start - at;
        at = range.end;
    }
    copy.sync()?;
    drop(copy);
    disk.rename(name, path)?;
    scanned.length = length;
    Ok(())
}

/// Reads `length` bytes and appends them to `to`, if given.
fn pass(from: &mut dyn Read, length: u64, to: Option<&dyn AppendFile>) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut left = length;
    while left > 0 {
        buffer.clear();
        let read = from.take(left.min(BUFFER)).read_to_end(&mut buffer)?;
        if read == 0 {
            let why = "the file has become shorter while it was read";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        left -= read as u64;
        if let Some(to) = to {
            to.append(&buffer)?;
        }
    }
    Ok(())
}

//! Sorts a finished output into the order of the input.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::disk::{AppendFile, Disk, ReadSeek};
use crate::journal::jsonl::tag::Tag;

/// How many bytes are read or written at once.
const BUFFER: usize = 1 << 20;

type Reader = BufReader<Box<dyn ReadSeek + Send>>;

/// Sorts the lines of a file of results into the order of the input. The file is replaced atomically,
/// and the run can still be resumed. Takes 24 bytes of memory for each line. Nothing may be written
/// to the file meanwhile.
pub(super) fn sort(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, disk.read(path)?);
    let (mut lines, mut line, mut at) = (Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            break;
        }
        let tag = Tag::read(&line).filter(|_| line.ends_with(b"\n"));
        let tag = tag.ok_or_else(|| {
            let why = format!("line {} is not a complete result", lines.len() + 1);
            io::Error::new(io::ErrorKind::InvalidData, why)
        })?;
        lines.push((tag.place, at, length));
        at += length;
    }
    if lines.is_sorted() {
        return Ok(());
    }
    lines.sort_unstable();
    let mut name = path.as_os_str().to_owned();
    name.push(".sorted");
    let name = Path::new(&name);
    let sorted = disk.append(name, 0)?;
    let result = write(&mut reader, &lines, &*sorted).and_then(|()| disk.rename(name, path));
    if result.is_err() {
        // An error here is ignored in favour of the first one.
        let _ = disk.remove(name);
    }
    result
}

fn write(from: &mut Reader, lines: &[(u64, u64, u64)], to: &dyn AppendFile) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER);
    for &(_, at, length) in lines {
        from.seek(SeekFrom::Start(at))?;
        from.by_ref().take(length).read_to_end(&mut buffer)?;
        if buffer.len() >= BUFFER {
            to.append(&buffer)?;
            buffer.clear();
        }
    }
    to.append(&buffer)?;
    to.sync()
}

#[cfg(test)]
mod tests {
    use super::super::disk::StdDisk;
    use super::*;

    #[test]
    fn lines_come_into_the_order_of_the_input() {
        let path = std::env::temp_dir().join(format!("chatcore-sort-{}", std::process::id()));
        let line = |place: u64| {
            let mut line = Vec::new();
            let tag = Tag {
                place,
                ..Tag::default()
            };
            tag.write(&mut line);
            line.extend(format!(",\"a\":{place}}}\n").bytes());
            line
        };
        let places: Vec<u64> = (1..500).map(|n| n * 7 % 500).collect();
        std::fs::write(
            &path,
            places.iter().flat_map(|&n| line(n)).collect::<Vec<_>>(),
        )
        .unwrap();
        sort(&StdDisk, &path).unwrap();
        let expected: Vec<u8> = (1..500).flat_map(line).collect();
        assert!(std::fs::read(&path).unwrap() == expected);
        std::fs::write(&path, "other\n").unwrap();
        assert_eq!(
            sort(&StdDisk, &path).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"other\n");
        std::fs::remove_file(&path).unwrap();
    }
}

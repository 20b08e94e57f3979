//! Sorts a finished output into the order of the input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::journal::jsonl::tag::Tag;

/// Sorts the lines of a file of results into the order of the input. The file is replaced
/// atomically, and the run can still be resumed. Sorting takes 24 bytes of memory for each line. No
/// run may have the file open.
///
/// # Errors
/// Errors of the file system, and [`InvalidData`](io::ErrorKind::InvalidData) for a line that is
/// not a result. The file is then unchanged.
pub fn sort(path: &Path) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
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
    let result = write(&mut reader, &lines, name).and_then(|()| std::fs::rename(name, path));
    if result.is_err() {
        // An error here is ignored in favour of the first one.
        let _ = std::fs::remove_file(name);
    }
    result
}

fn write(from: &mut BufReader<File>, lines: &[(u64, u64, u64)], to: &Path) -> io::Result<()> {
    let mut sorted = BufWriter::with_capacity(1 << 20, File::create(to)?);
    for &(_, at, length) in lines {
        from.seek(SeekFrom::Start(at))?;
        io::copy(&mut from.by_ref().take(length), &mut sorted)?;
    }
    sorted.flush()?;
    sorted.get_ref().sync_all()
}

#[cfg(test)]
mod tests {
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
        sort(&path).unwrap();
        let expected: Vec<u8> = (1..500).flat_map(line).collect();
        assert!(std::fs::read(&path).unwrap() == expected);
        std::fs::write(&path, "other\n").unwrap();
        assert_eq!(sort(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(std::fs::read(&path).unwrap(), b"other\n");
        std::fs::remove_file(&path).unwrap();
    }
}

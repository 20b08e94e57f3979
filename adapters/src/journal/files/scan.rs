//! Scans a file of results: which lines of the input have a result, and where the file is damaged.

use std::io::{self, Read};
use std::ops::Range;

use super::done::Done;
use crate::journal::jsonl::tag::Tag;

/// How many bytes are read at once.
const BUFFER: usize = 1 << 20;

/// The maximum length of a line of results.
const LONGEST: usize = 1 << 30;

/// The result of scanning a file of results.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    /// The length of the file up to the end of its last whole line.
    pub(super) length: u64,
    /// The number of results.
    pub(super) lines: u64,
    /// The byte ranges of the damaged lines before `length`. They arise if a power loss happens
    /// after later pages of the file reached the disk, but before earlier ones did.
    pub(super) damaged: Vec<Range<u64>>,
}

/// Why a run cannot continue with a file of results.
#[derive(Debug)]
pub(super) enum ScanError {
    Io(io::Error),
    /// The line with this number was not written by the journal.
    Foreign(u64),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Records every result of a file in `done`.
///
/// Only two things count as damage: zeros, which a power loss leaves in place of unwritten pages,
/// and a last line without a line end that begins like the journal's lines. Any other line that is
/// not a result is an error, because the file may belong to another program.
pub(super) fn scan(
    mut file: impl Read,
    is_answer: bool,
    done: &mut Done,
) -> Result<Scanned, ScanError> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    let mut scanned = Scanned::default();
    // The buffer's offset in the file, the number of its first line, and whether it contains zeros.
    let (mut offset, mut number, mut has_zeros) = (0, 1, false);
    loop {
        let read = match file.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if read == 0 {
            if !may_be_cut(&buffer[..filled]) {
                return Err(ScanError::Foreign(number));
            }
            let length = scanned.length;
            scanned.damaged.retain(|damaged| damaged.start < length);
            return Ok(scanned);
        }
        let seen = filled;
        filled += read;
        has_zeros |= memchr::memchr(0, &buffer[seen..filled]).is_some();
        let mut at = 0;
        for end in memchr::memchr_iter(b'\n', &buffer[seen..filled]) {
            let end = seen + end;
            let range = offset + at as u64..offset + end as u64 + 1;
            match line(&buffer[at..end], has_zeros) {
                Some(Line::Result(tag)) => {
                    done.add(tag, is_answer);
                    scanned.lines += 1;
                    scanned.length = range.end;
                }
                Some(Line::Blank) => scanned.length = range.end,
                Some(Line::Damaged) => scanned.damaged.push(range),
                None => return Err(ScanError::Foreign(number)),
            }
            number += 1;
            at = end + 1;
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
        offset += at as u64;
        has_zeros &= memchr::memchr(0, &buffer[..filled]).is_some();
        if filled == buffer.len() {
            if filled >= LONGEST {
                return Err(ScanError::Foreign(number));
            }
            buffer.resize(2 * filled, 0);
        }
    }
}

/// A line that a file of results may contain.
enum Line {
    Result(Tag),
    /// An empty line, left by an editor.
    Blank,
    Damaged,
}

/// Reads a line without its line end; `None` if the journal cannot have written it.
fn line(line: &[u8], may_have_zeros: bool) -> Option<Line> {
    // An editor or a file transfer may have changed the line ends.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if may_have_zeros && line.contains(&0) {
        return is_damaged(line).then_some(Line::Damaged);
    }
    match Tag::read(line).filter(|_| line.ends_with(b"}")) {
        Some(tag) => Some(Line::Result(tag)),
        None => line.trim_ascii().is_empty().then_some(Line::Blank),
    }
}

/// Whether a line with zeros is the remains of a line of the journal: it begins like the journal's
/// lines, and has no control characters, because JSON escapes them.
fn is_damaged(line: &[u8]) -> bool {
    let Some(zero) = memchr::memchr(0, line) else {
        return false;
    };
    let (begin, rest) = line.split_at(zero);
    Tag::is_begun(begin) && rest.iter().all(|&byte| byte == 0 || byte >= b' ')
}

/// Whether the bytes after the last line end may be truncated.
fn may_be_cut(rest: &[u8]) -> bool {
    Tag::is_begun(rest) && !rest.contains(&0) || is_damaged(rest) || rest.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: u64) -> Vec<u8> {
        let mut file = Vec::new();
        for place in 1..=lines {
            let tag = Tag {
                place,
                ..Tag::default()
            };
            tag.write(&mut file);
            let text = "x".repeat(place as usize % 3_000);
            file.extend_from_slice(format!(",\"a\":\"{text}\"}}\n").as_bytes());
        }
        file
    }

    fn scanned(bytes: &[u8]) -> (Result<Scanned, ScanError>, Done) {
        let mut done = Done::default();
        let result = scan(bytes, true, &mut done);
        (result, done)
    }

    #[test]
    fn every_whole_line_counts() {
        // Longer than one buffer.
        let bytes = file(2_000);
        assert!(bytes.len() > 2 * BUFFER);
        let (result, done) = scanned(&bytes);
        let scanned = result.unwrap();
        assert_eq!((scanned.lines, scanned.length), (2_000, bytes.len() as u64));
        assert!((1..=2_000).all(|place| done.has(place)));
        assert_eq!(done.counts.done, 2_000);
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_read() {
        let mut bytes = file(1);
        let long = format!(
            "{{\"id\":\"batch_req_2_0_0_0\",\"a\":\"{}\"}}\n",
            "x".repeat(3 * BUFFER)
        );
        bytes.extend_from_slice(long.as_bytes());
        bytes.extend_from_slice(&file(1));
        let (result, done) = scanned(&bytes);
        assert_eq!(result.unwrap().lines, 3);
        assert!(done.has(2));
    }

    #[test]
    fn a_torn_end_is_left_out_wherever_it_was_torn() {
        let bytes = file(3);
        let second = file(2).len();
        for cut in second..bytes.len() {
            let (result, done) = scanned(&bytes[..cut]);
            assert_eq!(result.unwrap().length, second as u64, "{cut}");
            assert!(!done.has(3));
        }
        // A power loss may leave zeros followed by the rest of the same write.
        let mut zeros = bytes.clone();
        zeros.extend_from_slice(&[0; 4096]);
        zeros.extend_from_slice(b"\":1}\n\0\0");
        let scanned = scanned(&zeros).0.unwrap();
        assert_eq!(scanned.length, bytes.len() as u64);
        assert!(scanned.damaged.is_empty());
    }

    #[test]
    fn whole_lines_after_a_hole_count_wherever_the_hole_is() {
        let bytes = file(4);
        let ends: Vec<_> = memchr::memchr_iter(b'\n', &bytes).collect();
        for from in 0..bytes.len() {
            for length in [1, 40, 80] {
                let mut bytes = bytes.clone();
                let to = bytes.len().min(from + length);
                bytes[from..to].fill(0);
                let (result, done) = scanned(&bytes);
                let scanned = result.unwrap();
                let mut begin = 0;
                for (place, end) in (1..).zip(&ends) {
                    // A line also needs the line end before it.
                    let is_whole = to < begin || from > *end;
                    assert_eq!(done.has(place), is_whole, "{place} of {from}..{to}");
                    begin = end + 1;
                }
                let damaged = scanned.damaged.iter();
                assert!(damaged.clone().all(|range| range.end <= scanned.length));
                let hole = from as u64..to.min(scanned.length as usize) as u64;
                assert!(
                    hole.is_empty()
                        || damaged
                            .clone()
                            .any(|d| d.start <= hole.start && hole.end <= d.end),
                    "{hole:?} is in none of {:?}",
                    scanned.damaged
                );
            }
        }
    }

    #[test]
    fn line_ends_and_blank_lines_may_be_an_editors() {
        let text = String::from_utf8(file(3)).unwrap();
        let bytes = format!("\n{}\r\n", text.replace('\n', "\r\n"));
        let (result, done) = scanned(bytes.as_bytes());
        let scanned = result.unwrap();
        assert_eq!((scanned.lines, scanned.length), (3, bytes.len() as u64));
        assert!(done.has(3));
    }

    #[test]
    fn another_programs_file_is_refused() {
        let own = String::from_utf8(file(2)).unwrap();
        for (text, line) in [
            (format!("{{\"custom_id\":\"a\"}}\n{own}"), 1),
            (format!("{own}{{\"custom_id\":\"a\"}}\n"), 3),
            (format!("{own}more"), 3),
            ("a log\n".to_owned(), 1),
            ("a log".to_owned(), 1),
            ("[1, 2]\n".to_owned(), 1),
            // The journal's lines as rewritten by Python's json.dumps.
            (own.replace(':', ": "), 1),
            // An incomplete line that is not the last one.
            (format!("{}\n{own}", &own[..30]), 1),
            // Lines with zeros that are not the journal's.
            ("log\0\0\0\n".to_owned(), 1),
            ("\0\0\0\x18ftypmp42\n".to_owned(), 1),
            ("\0\0\x01".to_owned(), 1),
        ] {
            let result = scanned(text.as_bytes()).0;
            assert!(
                matches!(result, Err(ScanError::Foreign(number)) if number == line),
                "{text:?}: {result:?}"
            );
        }
    }
}

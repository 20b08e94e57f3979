//! A file of results, read again: which lines of the input it has, and where it is whole.

use std::io::{self, Read};

use super::done::Done;
use super::tag::Tag;

/// How much is read at once.
const BUFFER: usize = 1 << 20;

/// The longest line of results that is read.
const LONGEST: usize = 1 << 30;

/// What a file of results says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    /// How long it is up to the end of its last whole line.
    pub(super) length: u64,
    /// How many lines it has up to there.
    pub(super) lines: u64,
}

/// Why a file of results cannot be gone on with.
#[derive(Debug)]
pub(super) enum ScanError {
    Io(io::Error),
    /// This line is none that the journal wrote, and others follow that are.
    Foreign(u64),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Notes every result of a file in `done`.
///
/// A last line that is torn is left out of the length, and so is what a loss of power leaves at a
/// file's end: lines of zeros, and pieces of lines.
pub(super) fn scan(
    mut file: impl Read,
    is_answer: bool,
    done: &mut Done,
) -> Result<Scanned, ScanError> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    let mut whole = Scanned {
        length: 0,
        lines: 0,
    };
    // Where the buffer begins in the file, and what is broken since the last whole line.
    let (mut offset, mut broken) = (0, 0);
    loop {
        let read = match file.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if read == 0 {
            return Ok(whole);
        }
        let seen = filled;
        filled += read;
        let mut at = 0;
        for end in memchr::memchr_iter(b'\n', &buffer[seen..filled]) {
            let end = seen + end;
            match result(&buffer[at..end]) {
                Some(_) if broken > 0 => return Err(ScanError::Foreign(whole.lines + 1)),
                Some(tag) => {
                    done.add(tag, is_answer);
                    whole.lines += 1;
                    whole.length = offset + end as u64 + 1;
                }
                None => broken += 1,
            }
            at = end + 1;
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
        offset += at as u64;
        if filled == buffer.len() {
            if filled >= LONGEST {
                return Err(ScanError::Foreign(whole.lines + 1));
            }
            buffer.resize(2 * filled, 0);
        }
    }
}

/// The tag of a line that is whole.
fn result(line: &[u8]) -> Option<Tag> {
    Tag::read(line).filter(|_| line.ends_with(b"}"))
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
        // More than one buffer.
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
        // A loss of power may leave zeros, and what follows them in the same write.
        let mut zeros = bytes.clone();
        zeros.extend_from_slice(&[0; 4096]);
        zeros.extend_from_slice(b"\":1}\n\0\0");
        let (result, _) = scanned(&zeros);
        assert_eq!(result.unwrap().length, bytes.len() as u64);
    }

    #[test]
    fn another_programs_line_is_no_torn_end() {
        let mut bytes = b"{\"custom_id\":\"a\"}\n".to_vec();
        bytes.extend_from_slice(&file(1));
        assert!(matches!(scanned(&bytes).0, Err(ScanError::Foreign(1))));
    }
}

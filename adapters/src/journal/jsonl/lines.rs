//! Reads the lines of an input, plain, gzip or zstd, in constant memory.

use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

/// How many bytes are read at once.
const BUFFER: usize = 256 * 1024;

/// The maximum length of a line, in bytes; providers accept less.
pub(in crate::journal) const LONGEST_LINE: usize = 64 << 20;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reads the lines of a file with their numbers.
pub(in crate::journal) struct Lines {
    from: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u64,
}

/// One line.
pub(in crate::journal) struct Line<'a> {
    /// The line number, from 1.
    pub(in crate::journal) number: u64,
    /// The line without its line end and surrounding white space.
    pub(in crate::journal) bytes: &'a [u8],
    /// Whether the line was longer than [`LONGEST_LINE`]; `bytes` is then its beginning.
    pub(in crate::journal) is_cut: bool,
}

impl Lines {
    /// Reads lines from `from`. Its first bytes show whether it is compressed.
    pub(in crate::journal) fn new(from: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut from = BufReader::with_capacity(BUFFER, from);
        let mut start = Vec::with_capacity(ZSTD.len());
        from.by_ref()
            .take(ZSTD.len() as u64)
            .read_to_end(&mut start)?;
        let is_gzip = start.starts_with(&GZIP);
        let is_zstd = start == ZSTD;
        let whole = io::Cursor::new(start).chain(from);
        let from: Box<dyn BufRead + Send> = match (is_gzip, is_zstd) {
            (true, _) => buffered(MultiGzDecoder::new(whole)),
            (_, true) => buffered(Zstd::new(Box::new(whole))),
            _ => Box::new(whole),
        };
        Ok(Self {
            from,
            line: Vec::new(),
            number: 0,
        })
    }

    /// The next line that is not blank; `None` at the end.
    pub(in crate::journal) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            self.line.clear();
            let is_cut = read_line(&mut *self.from, &mut self.line)?;
            let Some(is_cut) = is_cut else {
                return Ok(None);
            };
            self.number += 1;
            if self.number == 1 && self.line.starts_with("\u{feff}".as_bytes()) {
                self.line.drain(..3);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(Line {
                    number: self.number,
                    bytes: self.line.trim_ascii(),
                    is_cut,
                }));
            }
        }
    }
}

fn buffered(from: impl Read + Send + 'static) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, from))
}

/// Reads to the end of a line. `None` at the end of the input; otherwise whether the line was cut.
fn read_line(from: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    let mut is_cut = false;
    let mut is_begun = false;
    loop {
        let there = match from.fill_buf() {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if there.is_empty() {
            return Ok(is_begun.then_some(is_cut));
        }
        is_begun = true;
        let end = memchr::memchr(b'\n', there);
        let taken = &there[..end.unwrap_or(there.len())];
        let room = LONGEST_LINE - line.len();
        is_cut |= taken.len() > room;
        line.extend_from_slice(&taken[..taken.len().min(room)]);
        let used = end.map_or(there.len(), |end| end + 1);
        from.consume(used);
        if end.is_some() {
            return Ok(Some(is_cut));
        }
    }
}

/// Decodes the frames of a zstd file one after another.
struct Zstd {
    frame: Option<Box<Frame>>,
    next: Option<Box<dyn BufRead + Send>>,
}

type Frame = StreamingDecoder<Box<dyn BufRead + Send>, ruzstd::decoding::FrameDecoder>;

impl Zstd {
    fn new(from: Box<dyn BufRead + Send>) -> Self {
        Self {
            frame: None,
            next: Some(from),
        }
    }
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let read = frame.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
            }
            if let Some(frame) = self.frame.take() {
                self.next = Some(frame.into_inner());
            }
            let Some(mut from) = self.next.take() else {
                return Ok(0);
            };
            if from.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let frame = StreamingDecoder::new(from).map_err(io::Error::other)?;
            self.frame = Some(Box::new(frame));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn all(bytes: Vec<u8>) -> Vec<(u64, String)> {
        let mut lines = Lines::new(Box::new(io::Cursor::new(bytes))).unwrap();
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            assert!(!line.is_cut);
            found.push((line.number, String::from_utf8(line.bytes.to_vec()).unwrap()));
        }
        found
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        to.write_all(text.as_bytes()).unwrap();
        to.finish().unwrap()
    }

    fn zstd(text: &str) -> Vec<u8> {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
    }

    #[test]
    fn lines_have_their_numbers_however_they_are_stored() {
        let text = "\u{feff}one\r\n\n  two \nthree";
        let expected = [(1, "one"), (3, "two"), (4, "three")].map(|(n, s)| (n, s.to_owned()));
        for bytes in [text.as_bytes().to_vec(), gzip(text), zstd(text)] {
            assert_eq!(all(bytes), expected);
        }
        assert!(all(Vec::new()).is_empty());
        assert_eq!(all(b"a".to_vec()), [(1, "a".to_owned())]);
    }

    #[test]
    fn files_that_were_joined_are_read_to_their_end() {
        let joined = |pack: fn(&str) -> Vec<u8>| [pack("a\nb\n"), pack("c\n")].concat();
        let expected = [(1, "a"), (2, "b"), (3, "c")].map(|(n, s)| (n, s.to_owned()));
        assert_eq!(all(joined(gzip)), expected);
        assert_eq!(all(joined(zstd)), expected);
    }

    #[test]
    fn what_is_broken_is_an_error_and_not_an_end() {
        for whole in [gzip("some text\n"), zstd("some text\n")] {
            let cut = whole[..whole.len() - 6].to_vec();
            let mut lines = Lines::new(Box::new(io::Cursor::new(cut))).unwrap();
            let mut last = lines.next().map(|line| line.is_some());
            if matches!(last, Ok(true)) {
                last = lines.next().map(|line| line.is_some());
            }
            assert!(last.is_err(), "{last:?}");
        }
    }
}

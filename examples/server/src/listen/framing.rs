//! Finds where a request's head and body end, so that the HTTP parser never gets bytes of the next
//! request.
//!
//! ```text
//!  Head ── empty line ─► Body::Length ─┬─► Head …
//!                        Body::Chunked ┘
//! ```
//!
//! The web framework's parser reads as far ahead as it can: beyond the body into the next request,
//! and while an answer is being made, for as long as the client sends. A chunk of 2⁶⁴ - 1 bytes
//! also makes it panic (in release builds it loses its position in the stream). So it only gets the
//! bytes that this file lets through.

use std::io;

/// Finds the end of a head, which is an empty line.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// How many bytes of `\r\n\r\n` the input currently ends with.
    matched: usize,
}

impl Head {
    /// How many of `bytes` belong to the head: all of them if the head does not end here.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        for (place, byte) in bytes.iter().enumerate() {
            self.matched = match (byte, self.matched) {
                (b'\r', 0 | 2) | (b'\n', 1 | 3) => self.matched + 1,
                (b'\r', _) => 1,
                _ => 0,
            };
            if self.matched == 4 {
                self.matched = 0;
                return place + 1;
            }
        }
        bytes.len()
    }
}

/// Follows a request's body to its end.
#[derive(Debug)]
pub(super) enum Body {
    /// How many bytes are left.
    Length(u64),
    Chunked(Chunks),
}

impl Body {
    /// A chunked body of at most `limit` bytes.
    pub(super) fn chunked(limit: usize) -> Self {
        Self::Chunked(Chunks {
            state: State::Size { digits: 0, size: 0 },
            left: u64::try_from(limit).unwrap_or(u64::MAX),
            framing: 0,
        })
    }

    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.state == State::End,
        }
    }

    /// How many of `bytes` belong to the body: all of them if the body does not end here.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData) if the chunks are malformed,
    /// [`FileTooLarge`](io::ErrorKind::FileTooLarge) if their sizes exceed the limit.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Length(left) => {
                let count = bytes
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                Ok(count)
            }
            Self::Chunked(chunks) => chunks.take(bytes),
        }
    }
}

/// The maximum size of all extensions and trailers of a body together. They are ignored.
const MAX_FRAMING: usize = 4 << 10;

#[derive(Debug)]
pub(super) struct Chunks {
    state: State,
    /// How many bytes the remaining chunks may have.
    left: u64,
    /// The size of the extensions and trailers so far.
    framing: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `1f`
    Size {
        digits: u8,
        size: u64,
    },
    /// `;name=value`
    Extension {
        size: u64,
    },
    /// The line feed after a size.
    SizeEnd {
        size: u64,
    },
    Data {
        left: u64,
    },
    /// The two bytes after a chunk's data.
    DataReturn,
    DataFeed,
    /// A line of the trailers; an empty line ends the body.
    Trailer {
        is_empty: bool,
    },
    TrailerFeed {
        is_empty: bool,
    },
    End,
}

impl Chunks {
    fn take(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut place = 0;
        while place < bytes.len() && self.state != State::End {
            if let State::Data { left } = self.state {
                let rest = bytes.len() - place;
                let count = rest.min(usize::try_from(left).unwrap_or(usize::MAX));
                self.state = match left - count as u64 {
                    0 => State::DataReturn,
                    left => State::Data { left },
                };
                place += count;
            } else {
                self.state = self.step(bytes[place])?;
                place += 1;
            }
        }
        Ok(place)
    }

    fn step(&mut self, byte: u8) -> io::Result<State> {
        Ok(match (self.state, byte) {
            (State::Size { digits, size }, _) if byte.is_ascii_hexdigit() => {
                // Fifteen digits cannot overflow.
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                let size = size << 4 | u64::from(digit);
                if digits == 15 || size > self.left {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                State::Size {
                    digits: digits + 1,
                    size,
                }
            }
            (State::Size { digits: 1.., size }, b'\r') => State::SizeEnd { size },
            (State::Size { digits: 1.., size }, b';') => State::Extension { size },
            (State::Extension { size }, b'\r') => State::SizeEnd { size },
            (State::Extension { size }, _) if !matches!(byte, b'\n' | 0) => {
                self.more_framing()?;
                State::Extension { size }
            }
            (State::SizeEnd { size: 0 }, b'\n') => State::Trailer { is_empty: true },
            (State::SizeEnd { size }, b'\n') => {
                self.left -= size;
                State::Data { left: size }
            }
            (State::DataReturn, b'\r') => State::DataFeed,
            (State::DataFeed, b'\n') => State::Size { digits: 0, size: 0 },
            (State::Trailer { is_empty }, b'\r') => State::TrailerFeed { is_empty },
            (State::Trailer { .. }, _) if !matches!(byte, b'\n' | 0) => {
                self.more_framing()?;
                State::Trailer { is_empty: false }
            }
            (State::TrailerFeed { is_empty: true }, b'\n') => State::End,
            (State::TrailerFeed { is_empty: false }, b'\n') => State::Trailer { is_empty: true },
            _ => return Err(io::ErrorKind::InvalidData.into()),
        })
    }

    fn more_framing(&mut self) -> io::Result<()> {
        self.framing += 1;
        match self.framing > MAX_FRAMING {
            true => Err(io::ErrorKind::InvalidData.into()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `bytes` belong to the body, and whether it is complete, when read in pieces of
    /// `size`.
    fn taken(bytes: &[u8], size: usize) -> Result<(usize, bool), io::ErrorKind> {
        let mut body = Body::chunked(1000);
        let mut all = 0;
        for piece in bytes.chunks(size) {
            let count = body.take(piece).map_err(|error| error.kind())?;
            all += count;
            if count < piece.len() {
                break;
            }
        }
        Ok((all, body.is_whole()))
    }

    #[test]
    fn a_head_ends_with_its_empty_line() {
        for (bytes, end) in [
            (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET"[..], Some(27)),
            (b"a\r\n\r\r\n\r\nrest", Some(8)),
            (b"a\n\n\r\n\rb", None),
            (b"\r\n\r\n", Some(4)),
        ] {
            let end = end.unwrap_or(bytes.len());
            for size in 1..=bytes.len() {
                let mut head = Head::default();
                let mut all = 0;
                for piece in bytes.chunks(size) {
                    let count = head.take(piece);
                    all += count;
                    if count < piece.len() {
                        break;
                    }
                    if all == end {
                        break;
                    }
                }
                assert_eq!(all, end, "{size} of {}", String::from_utf8_lossy(bytes));
            }
        }
    }

    #[test]
    fn a_body_of_a_length_ends_with_it() {
        let mut body = Body::Length(5);
        assert_eq!(body.take(b"abc").unwrap(), 3);
        assert!(!body.is_whole());
        assert_eq!(body.take(b"deGET").unwrap(), 2);
        assert!(body.is_whole());
        assert_eq!(body.take(b"GET").unwrap(), 0);
    }

    #[test]
    fn a_chunked_body_ends_with_its_trailer_however_it_is_split() {
        for (bytes, end) in [
            (&b"5\r\nhello\r\n0\r\n\r\nGET"[..], 15),
            (b"003;a=\"b\";c\r\n\r\n\r\r\n0\r\n\r\n0\r\n\r\n", 23),
            (b"a\r\n0123456789\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\nGET", 36),
            (b"0\r\n\r\n", 5),
        ] {
            for size in 1..=bytes.len() {
                let text = String::from_utf8_lossy(bytes);
                assert_eq!(taken(bytes, size), Ok((end, true)), "{size} of {text}");
            }
        }
        assert_eq!(taken(b"5\r\nhel", 2), Ok((6, false)));
    }

    #[test]
    fn what_is_no_chunk_is_refused_however_it_is_split() {
        use io::ErrorKind::{FileTooLarge, InvalidData};
        for (bytes, kind) in [
            (&b"ffffffffffffffff\r\nx"[..], FileTooLarge),
            (b"fffffffffffffffe\r\nx", FileTooLarge),
            (b"0000000000000000\r\n\r\n", FileTooLarge),
            (b"3e9\r\n", FileTooLarge),
            (b"12c\r\n", InvalidData),
            (b"\r\n", InvalidData),
            (b"-1\r\n", InvalidData),
            (b"0x1\r\n", InvalidData),
            (b" 1\r\n", InvalidData),
            (b"1\nx", InvalidData),
            (b"1;a\nb\r\nx", InvalidData),
            (b"2\r\nxyz\r\n", InvalidData),
            (b"0\r\n\n", InvalidData),
        ] {
            // The first chunk is valid, to test that the next one is checked too.
            let bytes = match bytes {
                b"12c\r\n" => [b"12c\r\n", &[b'x'; 300][..], b"\r\r"].concat(),
                _ => bytes.to_vec(),
            };
            for size in 1..=bytes.len() {
                let text = String::from_utf8_lossy(&bytes);
                assert_eq!(taken(&bytes, size), Err(kind), "{size} of {text}");
            }
        }
        let together = [b"258\r\n", &[b'x'; 600][..], b"\r\n191\r\n"].concat();
        assert_eq!(taken(&together, 7), Err(FileTooLarge));
        let long = [b"1;".to_vec(), vec![b'x'; MAX_FRAMING + 1]].concat();
        assert_eq!(taken(&long, 100), Err(InvalidData));
    }
}

//! Reads strings with their escapes, and characters that a server cut in two.

use std::borrow::Cow;

use super::read::{Reader, Result};
use super::scan;

/// A string that may be a piece of a longer one.
///
/// JSON writes a character such as 😀 as two escapes, a surrogate pair. A server that cuts its text
/// between the two sends the halves in two strings. A [`Joiner`] puts them together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece<'a> {
    /// The text without the halves at its ends, borrowed if it has no escapes. A half anywhere else
    /// is U+FFFD.
    pub text: Cow<'a, str>,
    /// The second half of a pair that the piece begins with.
    pub low: Option<u16>,
    /// The first half of a pair that the piece ends with.
    pub high: Option<u16>,
}

impl<'a> Piece<'a> {
    /// The text, with a half at either end replaced by U+FFFD.
    pub fn into_text(self) -> Cow<'a, str> {
        if self.low.is_none() && self.high.is_none() {
            return self.text;
        }
        let mut joiner = Joiner::default();
        let mut text = joiner.join(self).into_owned();
        text.extend(joiner.rest());
        Cow::Owned(text)
    }

    /// Whether the piece is empty and has no half at its ends.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.low.is_none() && self.high.is_none()
    }

    /// The piece with an owned text.
    #[cfg(test)]
    pub(crate) fn into_owned(self) -> Piece<'static> {
        Piece {
            text: Cow::Owned(self.text.into_owned()),
            low: self.low,
            high: self.high,
        }
    }

    /// Appends the piece that follows this one.
    pub(crate) fn append(&mut self, next: Piece<'_>) {
        if next.is_empty() {
            return;
        }
        let mut joiner = Joiner {
            high: self.high.take(),
        };
        let next = joiner.join(next);
        self.high = joiner.high;
        self.text.to_mut().push_str(&next);
    }
}

impl<'a> From<&'a str> for Piece<'a> {
    fn from(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            ..Self::default()
        }
    }
}

/// Joins the [`Piece`]s of one text, including the characters that were cut in two between them.
///
/// ```
/// use chatcore::json::{Joiner, Reader};
///
/// let mut joiner = Joiner::default();
/// let first = Reader::new(r#""a\ud83d""#).piece()?;
/// assert_eq!(joiner.join(first), "a");
/// let second = Reader::new(r#""\ude00b""#).piece()?;
/// assert_eq!(joiner.join(second), "😀b");
/// assert_eq!(joiner.rest(), None);
/// # Ok::<(), chatcore::json::JsonError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joiner {
    high: Option<u16>,
}

impl Joiner {
    /// The text of the next piece. A half at its end is kept until the next piece brings the other
    /// half.
    pub fn join<'a>(&mut self, piece: Piece<'a>) -> Cow<'a, str> {
        if piece.is_empty() {
            return piece.text;
        }
        let before = std::mem::replace(&mut self.high, piece.high);
        let first = match (before, piece.low) {
            (None, None) => return piece.text,
            (Some(high), Some(low)) => pair(high, low),
            // A half whose other half is missing.
            _ => char::REPLACEMENT_CHARACTER,
        };
        let mut text = String::with_capacity(piece.text.len() + first.len_utf8());
        text.push(first);
        text.push_str(&piece.text);
        Cow::Owned(text)
    }

    /// Whether a half is kept until its other half comes.
    pub fn is_waiting(&self) -> bool {
        self.high.is_some()
    }

    /// Ends the text. If a half is kept, returns U+FFFD for it.
    pub fn rest(&mut self) -> Option<char> {
        self.high.take().map(|_| char::REPLACEMENT_CHARACTER)
    }
}

/// The character of a surrogate pair.
fn pair(high: u16, low: u16) -> char {
    let units = char::decode_utf16([high, low]).next();
    units
        .and_then(std::result::Result::ok)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The result of an escape.
enum Escaped {
    Char(char),
    /// Half of a surrogate pair without the other half beside it.
    Half(u16),
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

impl<'a> Reader<'a> {
    /// Reads a string, borrowed if it has no escapes. Half of a surrogate pair becomes U+FFFD.
    ///
    /// # Errors
    /// If the next value is no string.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        self.piece().map(Piece::into_text)
    }

    /// Reads a string that may be a piece of a longer one.
    ///
    /// # Errors
    /// If the next value is no string.
    pub fn piece(&mut self) -> Result<Piece<'a>> {
        self.expect(b'"')?;
        let start = self.at;
        let end = self.run()?;
        if self.text.as_bytes()[end] == b'"' {
            self.at = end + 1;
            return Ok(Piece::from(&self.text[start..end]));
        }
        self.escaped(start, end)
    }

    /// Reads the rest of a string that begins at `start` and has its first escape at `stop`.
    fn escaped(&mut self, start: usize, mut stop: usize) -> Result<Piece<'a>> {
        let mut text = String::with_capacity(stop - start + 32);
        let (mut low, mut high) = (None, None::<u16>);
        let mut from = start;
        loop {
            if stop > from {
                text.extend(high.take().map(|_| char::REPLACEMENT_CHARACTER));
                text.push_str(&self.text[from..stop]);
            }
            self.at = stop + 1;
            if self.text.as_bytes()[stop] == b'"' {
                let text = Cow::Owned(text);
                return Ok(Piece { text, low, high });
            }
            let is_first = text.is_empty() && low.is_none() && high.is_none();
            let escaped = self.escape()?;
            text.extend(high.take().map(|_| char::REPLACEMENT_CHARACTER));
            match escaped {
                Escaped::Char(char) => text.push(char),
                Escaped::Half(unit) if is_high(unit) => high = Some(unit),
                Escaped::Half(unit) if is_first => low = Some(unit),
                Escaped::Half(_) => text.push(char::REPLACEMENT_CHARACTER),
            }
            from = self.at;
            stop = self.run()?;
        }
    }

    /// The end of a run without escapes: the place of a quote or a backslash.
    fn run(&self) -> Result<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = scan::length(rest);
        match rest.get(length) {
            Some(b'"' | b'\\') => Ok(self.at + length),
            Some(_) => Err(self.wrong()),
            None => Err(self.cut()),
        }
    }

    /// Reads the escape after a backslash.
    fn escape(&mut self) -> Result<Escaped> {
        let Some(byte) = self.text.as_bytes().get(self.at).copied() else {
            return Err(self.cut());
        };
        self.at += 1;
        Ok(Escaped::Char(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unit(),
            _ => return Err(self.wrong()),
        }))
    }

    /// Reads the escape after `\u`: a character, or half of one.
    fn unit(&mut self) -> Result<Escaped> {
        let unit = self.hex()?;
        if let Some(char) = char::from_u32(unit.into()) {
            return Ok(Escaped::Char(char));
        }
        if is_high(unit) && self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hex()?;
            if is_low(low) {
                return Ok(Escaped::Char(pair(unit, low)));
            }
            self.at = before;
        }
        Ok(Escaped::Half(unit))
    }

    fn hex(&mut self) -> Result<u16> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(byte) = self.text.as_bytes().get(self.at) else {
                return Err(self.cut());
            };
            let Some(digit) = char::from(*byte).to_digit(16) else {
                return Err(self.wrong());
            };
            code = code << 4 | digit as u16;
            self.at += 1;
        }
        Ok(code)
    }

    pub(super) fn skip_string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            self.at = self.run()? + 1;
            if self.text.as_bytes()[self.at - 1] == b'"' {
                return Ok(());
            }
            self.escape()?;
        }
    }
}

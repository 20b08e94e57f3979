//! Reading: a cursor over the text.

use std::borrow::Cow;
use std::fmt;

use super::plain;

/// Why a text is no JSON, or not the JSON that was asked for. It never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonError {
    /// Whether the text ends before its value does.
    pub is_cut: bool,
    /// Where, in bytes from the start.
    pub at: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_cut {
            true => write!(
                f,
                "the JSON ends after {} bytes, before it is complete",
                self.at
            ),
            false => write!(f, "the JSON is not as expected at byte {}", self.at),
        }
    }
}

impl std::error::Error for JsonError {}

/// How far the members of an object, or the items of an array, were read.
#[derive(Debug)]
pub struct Members {
    is_first: bool,
}

/// Reads JSON text from its start to its end, without copying what needs no copy.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

type Result<T> = std::result::Result<T, JsonError>;

impl<'a> Reader<'a> {
    /// Reads `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The first byte of the next value, which stays where it is.
    ///
    /// # Errors
    /// Where there is none.
    pub fn peek(&mut self) -> Result<u8> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Ok(*byte),
            _ => self.peek_after_space(),
        }
    }

    #[cold]
    fn peek_after_space(&mut self) -> Result<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Ok(*byte),
            }
        }
        Err(self.cut())
    }

    /// Goes into an object.
    ///
    /// # Errors
    /// Where there is none.
    pub fn object(&mut self) -> Result<Members> {
        self.expect(b'{')?;
        Ok(Members { is_first: true })
    }

    /// The name of the next member, whose value must be read next; `None` at the object's end.
    ///
    /// # Errors
    /// Where the object is none.
    pub fn name(&mut self, members: &mut Members) -> Result<Option<Cow<'a, str>>> {
        if let Some(name) = self.compact_name(members) {
            return Ok(Some(Cow::Borrowed(name)));
        }
        if !self.go_on(members, b'}')? {
            return Ok(None);
        }
        let name = self.string()?;
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// The name of the next member, where it needs no escape and no white space is around it, as most
    /// servers write it; else all stays where it is.
    fn compact_name(&mut self, members: &mut Members) -> Option<&'a str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let start = match (members.is_first, rest) {
            (true, [b'"', ..]) => 1,
            (false, [b',', b'"', ..]) => 2,
            _ => return None,
        };
        let end = start + plain::length(&rest[start..]);
        if !rest[end..].starts_with(b"\":") {
            return None;
        }
        let name = self.text.get(self.at + start..self.at + end)?;
        members.is_first = false;
        self.at += end + 2;
        Some(name)
    }

    /// Goes into an array.
    ///
    /// # Errors
    /// Where there is none.
    pub fn array(&mut self) -> Result<Members> {
        self.expect(b'[')?;
        Ok(Members { is_first: true })
    }

    /// Whether there is another item, which must be read next; `false` at the array's end.
    ///
    /// # Errors
    /// Where the array is none.
    pub fn item(&mut self, members: &mut Members) -> Result<bool> {
        self.go_on(members, b']')
    }

    /// A string; borrowed, where it has no escapes. Half a surrogate pair becomes U+FFFD.
    ///
    /// # Errors
    /// Where there is none.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        self.expect(b'"')?;
        let start = self.at;
        let end = self.run()?;
        if self.text.as_bytes()[end] == b'"' {
            self.at = end + 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        let mut owned = String::with_capacity(end - start + 32);
        let mut from = start;
        loop {
            let stop = self.run()?;
            owned.push_str(&self.text[from..stop]);
            self.at = stop + 1;
            if self.text.as_bytes()[stop] == b'"' {
                return Ok(Cow::Owned(owned));
            }
            owned.push(self.escape()?);
            from = self.at;
        }
    }

    /// Passes over the next value, and gives its text.
    ///
    /// # Errors
    /// Where there is none.
    pub fn raw(&mut self) -> Result<&'a str> {
        self.peek()?;
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// Whether the next value is null, which is read then.
    ///
    /// # Errors
    /// Where there is no value.
    pub fn null(&mut self) -> Result<bool> {
        let is_null = self.peek()? == b'n';
        if is_null {
            self.word("null")?;
        }
        Ok(is_null)
    }

    /// Checks that nothing follows.
    ///
    /// # Errors
    /// Where something does.
    pub fn end(&mut self) -> Result<()> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.wrong()),
        }
    }

    /// The next value, where it is a whole number in plain digits; else it stays where it is.
    pub(crate) fn digits(&mut self) -> Option<u64> {
        self.peek().ok()?;
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // Nineteen digits fit in any case; what another one, a fraction or an exponent means is told
        // by the long way, and so is a zero too many.
        let is_plain = matches!(rest.get(length), Some(b',' | b'}' | b']'));
        if !is_plain || !(1..20).contains(&length) || (rest[0] == b'0' && length > 1) {
            return None;
        }
        self.at += length;
        let digits = rest[..length].iter();
        Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }

    /// The number that begins here, as it is written.
    pub(super) fn number(&mut self) -> Result<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let digits = |at: &mut usize| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            *at > from
        };
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let whole = at;
        let mut good = digits(&mut at) && (bytes[whole] != b'0' || at == whole + 1);
        if good && bytes.get(at) == Some(&b'.') {
            at += 1;
            good = digits(&mut at);
        }
        if good && matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
            good = digits(&mut at);
        }
        self.at = at;
        match good {
            true => Ok(&self.text[start..at]),
            false if at == bytes.len() => Err(self.cut()),
            false => Err(self.wrong()),
        }
    }

    pub(super) fn word(&mut self, word: &str) -> Result<()> {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        match word.as_bytes().starts_with(rest) {
            true => Err(self.cut()),
            false => Err(self.wrong()),
        }
    }

    /// The error that this is not what was asked for.
    pub(crate) fn wrong(&self) -> JsonError {
        JsonError {
            is_cut: false,
            at: self.at,
        }
    }

    fn cut(&self) -> JsonError {
        JsonError {
            is_cut: true,
            at: self.text.len(),
        }
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        match self.peek()? == byte {
            true => {
                self.at += 1;
                Ok(())
            }
            false => Err(self.wrong()),
        }
    }

    /// Whether the object or the array goes on; what separates its members is read.
    fn go_on(&mut self, members: &mut Members, close: u8) -> Result<bool> {
        let byte = self.peek()?;
        let is_first = std::mem::replace(&mut members.is_first, false);
        if byte == close {
            self.at += 1;
            return Ok(false);
        }
        if !is_first {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// Where the plain run of a string ends: at a quote or a backslash.
    fn run(&self) -> Result<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = plain::length(rest);
        match rest.get(length) {
            Some(b'"' | b'\\') => Ok(self.at + length),
            Some(_) => Err(self.wrong()),
            None => Err(self.cut()),
        }
    }

    /// The character after a backslash.
    fn escape(&mut self) -> Result<char> {
        let Some(byte) = self.text.as_bytes().get(self.at).copied() else {
            return Err(self.cut());
        };
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                let pair = self.text.as_bytes()[self.at..].starts_with(b"\\u");
                if (0xd800..0xdc00).contains(&high) && pair {
                    let before = self.at;
                    self.at += 2;
                    let low = self.hex()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = before;
                }
                char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.wrong()),
        })
    }

    fn hex(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(byte) = self.text.as_bytes().get(self.at) else {
                return Err(self.cut());
            };
            let Some(digit) = char::from(*byte).to_digit(16) else {
                return Err(self.wrong());
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn skip_string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            self.at = self.run()? + 1;
            if self.text.as_bytes()[self.at - 1] == b'"' {
                return Ok(());
            }
            self.escape()?;
        }
    }

    /// Passes over a value, however deep it is.
    fn skip(&mut self) -> Result<()> {
        // One bit for each level: whether it is an object.
        let mut levels: Vec<bool> = Vec::new();
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'-' | b'0'..=b'9' => drop(self.number()?),
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                byte @ (b'{' | b'[') => {
                    self.at += 1;
                    let close = if byte == b'{' { b'}' } else { b']' };
                    if self.peek()? == close {
                        self.at += 1;
                    } else {
                        levels.push(byte == b'{');
                        self.skip_name(byte == b'{')?;
                        continue;
                    }
                }
                _ => return Err(self.wrong()),
            }
            loop {
                let Some(is_object) = levels.last().copied() else {
                    return Ok(());
                };
                match (self.peek()?, is_object) {
                    (b',', _) => {
                        self.at += 1;
                        self.skip_name(is_object)?;
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        self.at += 1;
                        levels.pop();
                    }
                    _ => return Err(self.wrong()),
                }
            }
        }
    }

    fn skip_name(&mut self, is_object: bool) -> Result<()> {
        if is_object {
            if self.peek()? != b'"' {
                return Err(self.wrong());
            }
            self.skip_string()?;
            self.expect(b':')?;
        }
        Ok(())
    }
}

//! The reader: a cursor over JSON text.

use std::borrow::Cow;
use std::fmt;

use super::scan;

/// The maximum nesting of arrays and objects.
pub(super) const MAX_DEPTH: u8 = 128;

/// Why a text is not JSON, or not the JSON that the caller asked for. It never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonError {
    /// Whether the text ends before its value does.
    pub is_cut: bool,
    /// Whether the text is nested more than 128 deep.
    pub is_too_deep: bool,
    /// The position of the error, in bytes from the start.
    pub at: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        if self.is_cut {
            write!(f, "the JSON ends after {at} bytes, before it is complete")
        } else if self.is_too_deep {
            write!(
                f,
                "the JSON is nested more than {MAX_DEPTH} deep at byte {at}"
            )
        } else {
            write!(f, "the JSON is not as expected at byte {at}")
        }
    }
}

impl std::error::Error for JsonError {}

/// The state of reading an object's members or an array's items.
#[derive(Debug)]
pub struct Members {
    is_first: bool,
}

/// Reads JSON text from start to end, and copies only what needs a copy.
///
/// Arrays and objects may be nested 128 deep. Deeper nesting is an error, because code that
/// recurses over it could overflow the stack.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// How many arrays and objects are open.
    pub(super) depth: u8,
}

pub(super) type Result<T> = std::result::Result<T, JsonError>;

impl<'a> Reader<'a> {
    /// Creates a reader of `text`.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// The first byte of the next value, without reading it.
    ///
    /// # Errors
    /// If there is no value.
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

    /// Enters an object.
    ///
    /// # Errors
    /// If the next value is no object, or is nested more than 128 deep.
    pub fn object(&mut self) -> Result<Members> {
        self.enter(b'{')
    }

    /// The name of the next member; `None` at the object's end. The caller must then read the
    /// member's value.
    ///
    /// # Errors
    /// If the object is not valid JSON.
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

    /// The name of the next member, if it has no escape and no white space around it, which is how
    /// most servers write it. Otherwise reads nothing.
    fn compact_name(&mut self, members: &mut Members) -> Option<&'a str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let start = match (members.is_first, rest) {
            (true, [b'"', ..]) => 1,
            (false, [b',', b'"', ..]) => 2,
            _ => return None,
        };
        let end = start + scan::length(&rest[start..]);
        if !rest[end..].starts_with(b"\":") {
            return None;
        }
        let name = self.text.get(self.at + start..self.at + end)?;
        members.is_first = false;
        self.at += end + 2;
        Some(name)
    }

    /// Enters an array.
    ///
    /// # Errors
    /// If the next value is no array, or is nested more than 128 deep.
    pub fn array(&mut self) -> Result<Members> {
        self.enter(b'[')
    }

    /// Whether there is another item; `false` at the array's end. The caller must then read the
    /// item.
    ///
    /// # Errors
    /// If the array is not valid JSON.
    pub fn item(&mut self, members: &mut Members) -> Result<bool> {
        self.go_on(members, b']')
    }

    /// Skips the next value, and returns its text.
    ///
    /// # Errors
    /// If there is no value, or it is nested more than 128 deep.
    pub fn raw(&mut self) -> Result<&'a str> {
        self.peek()?;
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// Reads an array of numbers, and appends them to `floats`, each rounded to the nearest 32-bit
    /// float.
    ///
    /// ```
    /// let mut floats = Vec::new();
    /// chatcore::json::Reader::new("[0.25, -1e-3]").floats(&mut floats)?;
    /// assert_eq!(floats, [0.25, -0.001]);
    /// # Ok::<_, chatcore::json::JsonError>(())
    /// ```
    ///
    /// # Errors
    /// If the next value is no array of numbers, or a number is too large for a 32-bit float.
    pub fn floats(&mut self, floats: &mut Vec<f32>) -> Result<()> {
        let mut items = self.array()?;
        while self.item(&mut items)? {
            self.peek()?;
            let start = self.at;
            match self.number()?.parse::<f32>() {
                Ok(float) if float.is_finite() => floats.push(float),
                _ => {
                    self.at = start;
                    return Err(self.wrong());
                }
            }
        }
        Ok(())
    }

    /// The text that was not read yet.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Whether the next value is null. If so, reads it.
    ///
    /// # Errors
    /// If there is no value.
    pub fn null(&mut self) -> Result<bool> {
        let is_null = self.peek()? == b'n';
        if is_null {
            self.word("null")?;
        }
        Ok(is_null)
    }

    /// Checks that nothing but white space follows.
    ///
    /// # Errors
    /// If something follows.
    pub fn end(&mut self) -> Result<()> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.wrong()),
        }
    }

    /// Reads the next value if it is an integer in plain digits; otherwise reads nothing.
    pub(crate) fn digits(&mut self) -> Option<u64> {
        self.peek().ok()?;
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // Nineteen digits always fit. More digits, a fraction, an exponent or a leading zero are
        // left to the general path.
        let is_plain = matches!(rest.get(length), Some(b',' | b'}' | b']'));
        if !is_plain || !(1..20).contains(&length) || (rest[0] == b'0' && length > 1) {
            return None;
        }
        self.at += length;
        let digits = rest[..length].iter();
        Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }

    /// Reads a number, and returns its text.
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

    /// The error for a value that is not what the caller asked for.
    pub(crate) fn wrong(&self) -> JsonError {
        JsonError {
            is_cut: false,
            is_too_deep: false,
            at: self.at,
        }
    }

    pub(super) fn cut(&self) -> JsonError {
        JsonError {
            is_cut: true,
            is_too_deep: false,
            at: self.text.len(),
        }
    }

    #[cold]
    pub(super) fn too_deep(&self) -> JsonError {
        JsonError {
            is_too_deep: true,
            ..self.wrong()
        }
    }

    fn enter(&mut self, bracket: u8) -> Result<Members> {
        self.expect(bracket)?;
        if self.depth == MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        Ok(Members { is_first: true })
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        match self.peek()? == byte {
            true => {
                self.at += 1;
                Ok(())
            }
            false => Err(self.wrong()),
        }
    }

    /// Whether the object or the array goes on. Reads the comma between its members.
    fn go_on(&mut self, members: &mut Members, close: u8) -> Result<bool> {
        let byte = self.peek()?;
        let is_first = std::mem::replace(&mut members.is_first, false);
        if byte == close {
            self.at += 1;
            self.depth = self.depth.saturating_sub(1);
            return Ok(false);
        }
        if !is_first {
            self.expect(b',')?;
        }
        Ok(true)
    }
}

//! Unescapes a text, and maps each byte of the result to its place in the original.

use std::borrow::Cow;

use memchr::memchr3;

/// The marks of a text that was cut off.
const ELLIPSES: [&[u8]; 2] = ["…".as_bytes(), b"..."];

/// The longest HTML character reference, without `&` and the semicolon.
const MAX_REFERENCE: usize = 8;

/// A text after some levels of unescaping.
pub(super) struct Reading<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// Where each byte begins in the original text, and the original's length at the end. Empty for
    /// the original text itself.
    starts: Vec<usize>,
}

impl<'a> Reading<'a> {
    /// The original text.
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self {
            bytes: Cow::Borrowed(text),
            starts: Vec::new(),
        }
    }

    /// Where the byte `place` begins in the original text.
    pub(super) fn origin(&self, place: usize) -> usize {
        self.starts.get(place).copied().unwrap_or(place)
    }

    /// Whether the text is cut off before the byte `place`: it ends there or goes on with an
    /// ellipsis.
    pub(super) fn is_cut_at(&self, place: usize) -> bool {
        let rest = self.bytes.get(place..).unwrap_or_default();
        rest.is_empty() || ELLIPSES.iter().any(|dots| rest.starts_with(dots))
    }

    /// The text with one level of escapes read; `None` if it has no escapes. An escape that is cut
    /// off is left out.
    pub(super) fn unescaped(&self) -> Option<Reading<'static>> {
        memchr3(b'%', b'\\', b'&', &self.bytes)?;
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut starts = Vec::with_capacity(self.bytes.len() + 1);
        let mut place = 0;
        while let Some(&byte) = self.bytes.get(place) {
            let (character, length) = match byte {
                b'%' | b'\\' | b'&' => match self.escape(place) {
                    Escape::Of(character, length) => (character, length),
                    Escape::Cut(length) => {
                        place += length;
                        continue;
                    }
                    Escape::None => (Character::Byte(byte), 1),
                },
                _ => (Character::Byte(byte), 1),
            };
            let mut buffer = [0; 4];
            let read: &[u8] = match character {
                Character::Byte(byte) => {
                    buffer[0] = byte;
                    &buffer[..1]
                }
                Character::Char(char) => char.encode_utf8(&mut buffer).as_bytes(),
            };
            bytes.extend_from_slice(read);
            starts.extend(read.iter().map(|_| self.origin(place)));
            place += length;
        }
        starts.push(self.origin(self.bytes.len()));
        let has_escapes = bytes.len() < self.bytes.len();
        let bytes = Cow::Owned(bytes);
        has_escapes.then_some(Reading { bytes, starts })
    }

    /// Reads the escape at `place`.
    fn escape(&self, place: usize) -> Escape {
        let rest = &self.bytes[place..];
        match rest {
            [b'%', ..] => self.hex(place, 1, 2).map(Character::byte),
            [b'\\', b'x', ..] => self.hex(place, 2, 2).map(Character::char),
            [b'\\', b'u', ..] => self.hex(place, 2, 4).map(Character::char),
            [b'\\', byte @ (b'"' | b'\'' | b'\\' | b'/'), ..] => {
                Escape::Of(Character::Byte(*byte), 2)
            }
            [b'\\', ..] if self.is_cut_at(place + 1) => Escape::Cut(1),
            [b'&', ..] => self.reference(place),
            _ => Escape::None,
        }
    }

    /// Reads `digits` hexadecimal digits, `skip` bytes after `place`.
    fn hex(&self, place: usize, skip: usize, digits: usize) -> HexEscape {
        let mut number = 0_u32;
        for digit in 0..digits {
            let at = place + skip + digit;
            if self.is_cut_at(at) {
                return HexEscape::Cut(skip + digit);
            }
            let value = self.bytes.get(at).copied().map(char::from);
            match value.and_then(|value| value.to_digit(16)) {
                Some(value) => number = number * 16 + value,
                None => return HexEscape::None,
            }
        }
        HexEscape::Of(number, skip + digits)
    }

    /// Reads an HTML character reference, such as `&#x2F;` or `&amp;`.
    fn reference(&self, place: usize) -> Escape {
        let rest = &self.bytes[place + 1..];
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'#';
        let length = rest.iter().take(MAX_REFERENCE).take_while(is_name).count();
        let name = &rest[..length];
        if rest.get(length) != Some(&b';') {
            return match self.is_cut_at(place + 1 + length) {
                true => Escape::Cut(1 + length),
                false => Escape::None,
            };
        }
        let number = |digits: &[u8], radix| {
            let digits = std::str::from_utf8(digits).ok()?;
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)
        };
        let character = match name {
            b"amp" => Some('&'),
            b"lt" => Some('<'),
            b"gt" => Some('>'),
            b"quot" => Some('"'),
            b"apos" => Some('\''),
            b"sol" => Some('/'),
            b"equals" => Some('='),
            b"plus" => Some('+'),
            [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
            [b'#', digits @ ..] => number(digits, 10),
            _ => None,
        };
        character.map_or(Escape::None, |char| {
            Escape::Of(Character::Char(char), length + 2)
        })
    }
}

/// The result of an escape.
enum Character {
    /// A byte, which may be part of a longer character.
    Byte(u8),
    Char(char),
}

impl Character {
    fn byte(number: u32) -> Option<Self> {
        u8::try_from(number).ok().map(Self::Byte)
    }

    fn char(number: u32) -> Option<Self> {
        char::from_u32(number).map(Self::Char)
    }
}

enum Escape {
    None,
    /// A character, and the length of its escape in bytes.
    Of(Character, usize),
    /// The length in bytes of an escape that is cut off.
    Cut(usize),
}

enum HexEscape {
    None,
    Of(u32, usize),
    Cut(usize),
}

impl HexEscape {
    fn map(self, character: impl FnOnce(u32) -> Option<Character>) -> Escape {
        match self {
            Self::None => Escape::None,
            Self::Cut(length) => Escape::Cut(length),
            Self::Of(number, length) => match character(number) {
                Some(character) => Escape::Of(character, length),
                None => Escape::None,
            },
        }
    }
}

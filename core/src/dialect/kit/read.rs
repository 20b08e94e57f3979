//! Objects as they come over the wire, borrowed from the frame.
//!
//! They are read field by field: what the decoder knows goes into its place, what it does not is
//! kept as raw JSON and parsed only when it is needed. A null counts as absent, and so does a field
//! of an unexpected type: it costs no more than itself.

use std::borrow::Cow;

use serde_json::Value;

use super::decoder::Output;
use crate::chat::{ChatEvent, Extra};
use crate::error::{Error, ErrorKind};
use crate::json::{self, JsonError, Piece, Reader};

/// The most items that one list of an event may have, such as tool calls: more would take far more
/// memory than their text.
pub const MAX_ITEMS: usize = 2048;

/// The most unknown fields of an object that are kept.
pub const MAX_UNKNOWN: usize = 1024;

/// The text of a value that is read later.
pub type Raw<'a> = &'a str;

/// The fields that were not known, by name.
pub type Unknown<'a> = Vec<(Cow<'a, str>, Raw<'a>)>;

/// An object whose known fields make a `T`.
#[derive(Debug, Default)]
pub struct Object<'a, T> {
    /// The known fields.
    pub known: T,
    /// The others.
    pub unknown: Unknown<'a>,
}

/// The known fields of an object.
pub trait Fields<'a> {
    /// Where the value of `name` goes, if that is a known field.
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>>;
}

/// What can be read into its place. What was there before is replaced.
///
/// Places are handed around as `dyn`, so that one loop reads the objects of all types.
pub trait Read<'a> {
    /// Reads the next value.
    ///
    /// # Errors
    /// Where the text is no JSON.
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError>;
}

impl<'a, T: Fields<'a>> Read<'a> for Object<'a, T> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        read_fields(reader, &mut self.known, &mut self.unknown)
    }
}

/// Reads the fields of an object; any other value has none.
fn read_fields<'a>(
    reader: &mut Reader<'a>,
    known: &mut dyn Fields<'a>,
    unknown: &mut Unknown<'a>,
) -> Result<(), JsonError> {
    if reader.peek()? != b'{' {
        return reader.raw().map(drop);
    }
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        if reader.null()? {
            continue;
        }
        match known.field(&name) {
            Some(field) => field.read(reader)?,
            None => {
                let value = reader.raw()?;
                if unknown.len() < MAX_UNKNOWN {
                    unknown.push((name, value));
                }
            }
        }
    }
    Ok(())
}

impl<'a, T: Read<'a> + Default> Read<'a> for Option<T> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        self.insert(T::default()).read(reader)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Box<T> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        (**self).read(reader)
    }
}

/// A list of objects; what else is in it is passed over. An object in the place of a list is a
/// list of one.
#[derive(Debug)]
pub struct List<T> {
    /// The objects.
    pub items: Vec<T>,
    /// Whether there were more items than are allowed.
    pub is_over: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            is_over: false,
        }
    }
}

impl<T> List<T> {
    /// Fails where there were more items than are allowed.
    ///
    /// # Errors
    /// [`ResponseTooLarge`](ErrorKind::ResponseTooLarge), which names `what` the items are.
    pub fn check(&self, what: &str) -> Result<(), Error> {
        match self.is_over {
            true => Err(too_many(what)),
            false => Ok(()),
        }
    }
}

/// The error for more of `what` than an event may have.
pub(crate) fn too_many(what: &str) -> Error {
    let why = format!("the answer has more than {MAX_ITEMS} {what}");
    Error::new(ErrorKind::ResponseTooLarge, why)
}

impl<'a, T: Read<'a> + Default> Read<'a> for List<T> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        *self = Self::default();
        let mut read = |reader: &mut Reader<'a>| match reader.peek()? {
            b'{' if self.items.len() < MAX_ITEMS => {
                let mut item = T::default();
                item.read(reader)?;
                self.items.push(item);
                Ok(())
            }
            byte => {
                self.is_over |= byte == b'{';
                reader.raw().map(drop)
            }
        };
        if reader.peek()? != b'[' {
            return read(reader);
        }
        let mut items = reader.array()?;
        while reader.item(&mut items)? {
            read(reader)?;
        }
        Ok(())
    }
}

impl<'a> Read<'a> for Raw<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        *self = reader.raw()?;
        Ok(())
    }
}

/// A value that is of no interest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ignored;

impl<'a> Read<'a> for Ignored {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.raw().map(drop)
    }
}

/// A whole number; what is none counts as absent. Some servers write `9.0` or `"9"`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count(pub Option<u64>);

impl<'a> Read<'a> for Count {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        self.0 = reader.digits();
        if self.0.is_none() {
            self.0 = match reader.peek()? {
                b'"' => count(&reader.string()?),
                _ => count(reader.raw()?),
            };
        }
        Ok(())
    }
}

/// The whole number that a text is, or begins with where it has a fraction.
fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let number = json::decimal(text)?;
        (number.is_finite() && number >= 0.0).then_some(number as u64)
    })
}

/// The whole number that a value is, as [`Count`] reads it.
#[cfg(feature = "anthropic")]
pub(crate) fn count_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| count(&number.to_string())),
        Value::String(text) => count(text),
        _ => None,
    }
}

/// A text; a number or a truth value is its own text, an object and an array are none.
#[derive(Debug, Default)]
pub struct Text<'a>(pub Piece<'a>);

impl<'a> Text<'a> {
    /// Takes the text, unless it is empty.
    pub fn take(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.0).into_text();
        (!text.is_empty()).then(|| text.into_owned())
    }
}

impl<'a> Read<'a> for Text<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        self.0 = match reader.peek()? {
            b'"' => reader.piece()?,
            byte => {
                let raw = reader.raw()?;
                match byte {
                    b'{' | b'[' => Piece::default(),
                    _ => Piece::from(raw),
                }
            }
        };
        Ok(())
    }
}

/// A word that means something by itself, such as a type. What is no string is none.
#[derive(Debug, Default)]
pub struct Word<'a>(pub Cow<'a, str>);

impl Word<'_> {
    /// Takes a reason for which the model stopped, if it is one: some servers write a null as
    /// the word of their programming language.
    pub fn take_reason(&mut self) -> Option<String> {
        let word = std::mem::take(&mut self.0);
        match word.trim() {
            "" | "null" | "None" | "none" | "nil" | "undefined" => None,
            _ => Some(word.into_owned()),
        }
    }
}

impl<'a> Read<'a> for Word<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        self.0 = match reader.peek()? {
            b'"' => reader.string()?,
            _ => {
                reader.raw()?;
                Cow::default()
            }
        };
        Ok(())
    }
}

/// One field without a name of ours.
pub fn extra_of(name: &str, value: Value) -> Extra {
    let mut extra = Extra::with_capacity(1);
    extra.insert(name.to_owned(), value);
    extra
}

/// Hands over fields that were not known, if there are any.
pub fn push_extra(unknown: Unknown<'_>, event: impl FnOnce(Extra) -> ChatEvent, out: &mut Output) {
    if !unknown.is_empty() {
        let extra = to_extra(unknown, out);
        out.push(event(extra));
    }
}

/// Fields that were not known, parsed.
pub fn to_extra(unknown: Unknown<'_>, out: &mut Output) -> Extra {
    if unknown.len() == MAX_UNKNOWN {
        // There may have been more.
        out.skip(1);
    }
    let mut extra = Extra::with_capacity(unknown.len());
    for (name, value) in unknown {
        extra.insert(name.into_owned(), out.value(value));
    }
    extra
}

/// Reads one JSON value; nothing else may follow it.
///
/// # Errors
/// Where the text is no JSON, or something follows.
pub fn read<'a, T: Read<'a> + Default>(data: &'a str) -> Result<T, JsonError> {
    let mut value = T::default();
    read_all(data, &mut value)?;
    Ok(value)
}

fn read_all<'a>(data: &'a str, into: &mut dyn Read<'a>) -> Result<(), JsonError> {
    let mut reader = Reader::new(data);
    into.read(&mut reader)?;
    reader.end()
}

/// Reads the first JSON value of an event's data, and gives its text. What follows it is another
/// event: some servers put several into one.
///
/// # Errors
/// As [`parse`].
pub fn parse_event<'a, T: Read<'a> + Default>(
    dialect: &str,
    data: &'a str,
    out: &mut Output,
) -> Result<(T, &'a str), Error> {
    let mut value = T::default();
    let data = parse_event_into(dialect, data, &mut value, out)?;
    Ok((value, data))
}

/// As [`parse_event`], into `value`, which holds after an error what was read before it.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_event_into<'a>(
    dialect: &str,
    data: &'a str,
    value: &mut dyn Read<'a>,
    out: &mut Output,
) -> Result<&'a str, Error> {
    match read_first(data, value) {
        Ok(unread) => {
            out.unread = unread;
            Ok(&data[..data.len() - unread])
        }
        Err(error) => Err(not_of(dialect, data, error)),
    }
}

fn read_first<'a>(data: &'a str, into: &mut dyn Read<'a>) -> Result<usize, JsonError> {
    let mut reader = Reader::new(data);
    into.read(&mut reader)?;
    Ok(reader.rest().trim_ascii_start().len())
}

/// Reads one JSON value of `dialect`.
///
/// # Errors
/// [`Truncated`](ErrorKind::Truncated) where it ends too soon, [`Protocol`](ErrorKind::Protocol)
/// where it is no JSON.
pub fn parse<'a, T: Read<'a> + Default>(dialect: &str, data: &'a str) -> Result<T, Error> {
    let mut value = T::default();
    parse_into(dialect, data, &mut value)?;
    Ok(value)
}

/// As [`parse`], into `value`: what a dialect reads may be large, and is not moved then.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_into<'a>(
    dialect: &str,
    data: &'a str,
    value: &mut dyn Read<'a>,
) -> Result<(), Error> {
    read_all(data, value).map_err(|error| not_of(dialect, data, error))
}

/// The error of data that is not of `dialect`.
pub(super) fn not_of(dialect: &str, data: &str, error: JsonError) -> Error {
    if error.is_cut {
        let why = "the answer's JSON ends before it is complete";
        return Error::new(ErrorKind::Truncated, why).with_body(data.as_bytes());
    }
    let why = format!("the answer is not of the dialect {dialect}: {error}");
    Error::new(ErrorKind::Protocol, why).with_body(data.as_bytes())
}

/// A string's text, which may be a piece of a longer one; other values as they are written.
pub fn piece_of(raw: Raw<'_>) -> Piece<'_> {
    match raw.starts_with('"') {
        true => Reader::new(raw).piece().unwrap_or_else(|_| raw.into()),
        false => raw.into(),
    }
}

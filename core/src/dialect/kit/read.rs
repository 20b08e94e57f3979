//! Reads JSON objects. The values borrow from the frame.
//!
//! An object is read field by field. A known field is read into its place. An unknown field is kept
//! as raw JSON and parsed only when it is needed. A null counts as absent. A field of an unexpected
//! type counts as absent too, and the rest of the object is still read.

use std::borrow::Cow;

use serde_json::Value;

use super::decoder::Output;
use crate::chat::{ChatEvent, Extra};
use crate::error::{Error, ErrorKind};
use crate::json::{self, JsonError, Piece, Reader};

/// The most items that one list of an event, such as tool calls, may have. More items would take
/// far more memory than their text.
pub const MAX_ITEMS: usize = 2048;

/// The most unknown fields that are kept for each object.
pub const MAX_UNKNOWN: usize = 1024;

/// The raw JSON of a value that is parsed later.
pub type Raw<'a> = &'a str;

/// The unknown fields with their names.
pub type Unknown<'a> = Vec<(Cow<'a, str>, Raw<'a>)>;

/// An object with its known fields read into a `T`.
#[derive(Debug, Default)]
pub struct Object<'a, T> {
    /// The known fields.
    pub known: T,
    /// The unknown fields.
    pub unknown: Unknown<'a>,
}

/// The fields that a type knows.
pub trait Fields<'a> {
    /// The place for the value of the field `name`, or `None` if the field is unknown.
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>>;
}

/// A place that a JSON value can be read into. The previous value is replaced.
///
/// Places are passed as `dyn`, so that the loops that read objects are compiled once, not for each
/// type.
pub trait Read<'a> {
    /// Reads the next value.
    ///
    /// # Errors
    /// If the text is not JSON.
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError>;
}

impl<'a, T: Fields<'a>> Read<'a> for Object<'a, T> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        read_fields(reader, &mut self.known, &mut self.unknown)
    }
}

/// Reads the fields of an object. Any other value is skipped.
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

/// A list of objects. Other items are skipped. An object instead of a list counts as a list of one.
#[derive(Debug)]
pub struct List<T> {
    /// The objects.
    pub items: Vec<T>,
    /// Whether there were more than [`MAX_ITEMS`] objects.
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
    /// Fails if there were more than [`MAX_ITEMS`] objects.
    ///
    /// # Errors
    /// [`ResponseTooLarge`](ErrorKind::ResponseTooLarge). `what` names the items in the message.
    pub fn check(&self, what: &str) -> Result<(), Error> {
        match self.is_over {
            true => Err(too_many(what)),
            false => Ok(()),
        }
    }
}

/// The error for more than [`MAX_ITEMS`] of `what` in one event.
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

/// A value that is skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ignored;

impl<'a> Read<'a> for Ignored {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.raw().map(drop)
    }
}

/// A whole number. Any other value counts as absent. Some servers write `9.0` or `"9"`.
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

/// Parses a whole number, and drops a fraction.
fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let number = json::decimal(text)?;
        (number.is_finite() && number >= 0.0).then_some(number as u64)
    })
}

/// The whole number of a parsed value, by the rules of [`Count`].
#[cfg(feature = "anthropic")]
pub(crate) fn count_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| count(&number.to_string())),
        Value::String(text) => count(text),
        _ => None,
    }
}

/// A text. A number or a boolean is read as its JSON text; an object or an array counts as empty.
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

/// A keyword, such as a type. A value that is not a string counts as empty.
#[derive(Debug, Default)]
pub struct Word<'a>(pub Cow<'a, str>);

impl Word<'_> {
    /// Takes the reason for which the model stopped. `None` if there is none: some servers write a
    /// null as a word of their programming language.
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

/// An [`Extra`] with one field.
pub fn extra_of(name: &str, value: Value) -> Extra {
    let mut extra = Extra::with_capacity(1);
    extra.insert(name.to_owned(), value);
    extra
}

/// Adds an event with the unknown fields, if there are any.
pub fn push_extra(unknown: Unknown<'_>, event: impl FnOnce(Extra) -> ChatEvent, out: &mut Output) {
    if !unknown.is_empty() {
        let extra = to_extra(unknown, out);
        out.push(event(extra));
    }
}

/// Parses the unknown fields.
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

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// If the text is not JSON, or if more text follows the value.
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

/// Reads the first JSON value of an event's data, and returns its text. Text after the value is
/// another event, because some servers put several values into one event.
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

/// Like [`parse_event`], but reads into `value`. After an error, `value` holds the fields that were
/// read before it.
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

/// Reads one JSON value in the format of `dialect`.
///
/// # Errors
/// [`Truncated`](ErrorKind::Truncated) if the JSON ends too soon, [`Protocol`](ErrorKind::Protocol)
/// if it is not JSON.
pub fn parse<'a, T: Read<'a> + Default>(dialect: &str, data: &'a str) -> Result<T, Error> {
    let mut value = T::default();
    parse_into(dialect, data, &mut value)?;
    Ok(value)
}

/// Like [`parse`], but reads into `value`, so that a large value is not moved.
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

/// The error for data that `dialect` cannot read.
pub(super) fn not_of(dialect: &str, data: &str, error: JsonError) -> Error {
    if error.is_cut {
        let why = "the answer's JSON ends before it is complete";
        return Error::new(ErrorKind::Truncated, why).with_body(data.as_bytes());
    }
    let why = format!("the answer does not match the dialect {dialect}: {error}");
    Error::new(ErrorKind::Protocol, why).with_body(data.as_bytes())
}

/// The text of a string, which may be a piece of a longer text. Other values as raw JSON.
pub fn piece_of(raw: Raw<'_>) -> Piece<'_> {
    match raw.starts_with('"') {
        true => Reader::new(raw).piece().unwrap_or_else(|_| raw.into()),
        false => raw.into(),
    }
}

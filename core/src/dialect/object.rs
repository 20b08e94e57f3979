//! Objects as they come over the wire, borrowed from the frame.
//!
//! They are read field by field: what the decoder knows goes into its place, what it does not is
//! kept as raw JSON and parsed only when someone asks. A null counts as absent.

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::Extra;
use crate::error::{Error, ErrorKind};
use crate::json::{self, JsonError, Reader};

/// The text of a value that is read later, or by someone else.
pub(super) type Raw<'a> = &'a str;

/// The fields that were not known, by name.
pub(super) type Unknown<'a> = Vec<(Cow<'a, str>, Raw<'a>)>;

/// An object whose known fields make a `T`.
#[derive(Debug, Default)]
pub(super) struct Object<'a, T> {
    pub(super) known: T,
    pub(super) unknown: Unknown<'a>,
}

/// The known fields of an object.
pub(super) trait Fields<'a>: Default {
    /// Reads the value of `name`, if that is a known field; else says so.
    fn field(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<bool, JsonError>;
}

/// What can be read.
pub(super) trait Read<'a>: Sized {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError>;
}

impl<'a, T: Fields<'a>> Read<'a> for Object<'a, T> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        let mut object = Self {
            known: T::default(),
            unknown: Vec::new(),
        };
        let Self { known, unknown } = &mut object;
        read_fields(reader, unknown, &mut |name, reader| {
            known.field(name, reader)
        })?;
        Ok(object)
    }
}

/// Reads the fields of an object, or of none where there is a null.
fn read_fields<'a>(
    reader: &mut Reader<'a>,
    unknown: &mut Unknown<'a>,
    field: &mut dyn FnMut(&str, &mut Reader<'a>) -> Result<bool, JsonError>,
) -> Result<(), JsonError> {
    if reader.null()? {
        return Ok(());
    }
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        if field(&name, reader)? {
            continue;
        }
        let value = reader.raw()?;
        if value != "null" {
            unknown.push((name, value));
        }
    }
    Ok(())
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        match reader.null()? {
            true => Ok(None),
            false => T::read(reader).map(Some),
        }
    }
}

impl<'a, T: Read<'a>> Read<'a> for Box<T> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        T::read(reader).map(Self::new)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        let mut list = Self::new();
        let mut items = reader.array()?;
        while reader.item(&mut items)? {
            list.push(T::read(reader)?);
        }
        Ok(list)
    }
}

impl<'a> Read<'a> for Raw<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        reader.raw()
    }
}

/// A whole number; what is none counts as absent. Some servers write `9.0`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count(pub(super) Option<u64>);

impl<'a> Read<'a> for Count {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        let number = reader.raw()?;
        let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
        Ok(Self(whole.parse().ok()))
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'a> Read<'a> for Text<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        reader.string().map(Self)
    }
}

/// Fields that were not known, parsed.
pub(super) fn to_extra(unknown: Unknown<'_>) -> Extra {
    let mut extra = Extra::new();
    for (name, value) in unknown {
        if let Ok(value) = json::parse(value) {
            extra.insert(name.into_owned(), value);
        }
    }
    extra
}

/// Reads one JSON value; nothing else may follow it.
pub(super) fn read<'a, T: Read<'a>>(data: &'a str) -> Result<T, JsonError> {
    let mut reader = Reader::new(data);
    let value = T::read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads one JSON value of `dialect`.
pub(super) fn parse<'a, T: Read<'a>>(dialect: &str, data: &'a str) -> Result<T, Error> {
    read(data).map_err(|error| not_of(dialect, data, error))
}

fn not_of(dialect: &str, data: &str, error: JsonError) -> Error {
    if error.is_cut {
        let why = "the answer's JSON ends before it is complete";
        return Error::new(ErrorKind::Truncated, why).with_body(data.as_bytes());
    }
    let why = format!("the answer is not of the dialect {dialect}: {error}");
    Error::new(ErrorKind::Protocol, why).with_body(data.as_bytes())
}

/// A string's text; other values as they are written.
pub(super) fn text_of(raw: Raw<'_>) -> Cow<'_, str> {
    read::<Text<'_>>(raw).map_or(Cow::Borrowed(raw), |text| text.0)
}

/// Any JSON, or else its text.
pub(super) fn to_value(data: &str) -> Value {
    json::parse(data).unwrap_or_else(|_| Value::String(data.to_owned()))
}

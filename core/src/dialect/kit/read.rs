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
pub(crate) type Raw<'a> = &'a str;

/// The fields that were not known, by name.
pub(crate) type Unknown<'a> = Vec<(Cow<'a, str>, Raw<'a>)>;

/// An object whose known fields make a `T`.
#[derive(Debug, Default)]
pub(crate) struct Object<'a, T> {
    pub(crate) known: T,
    pub(crate) unknown: Unknown<'a>,
}

/// The known fields of an object.
pub(crate) trait Fields<'a> {
    /// Where the value of `name` goes, if that is a known field.
    fn field(&mut self, name: &str) -> Option<&mut dyn Read<'a>>;
}

/// What can be read into its place. What was there before is replaced.
///
/// Places are handed around as `dyn`, so that one loop reads the objects of all types.
pub(crate) trait Read<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError>;
}

impl<'a, T: Fields<'a>> Read<'a> for Object<'a, T> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        read_fields(reader, &mut self.known, &mut self.unknown)
    }
}

/// Reads the fields of an object, or of none where there is a null.
fn read_fields<'a>(
    reader: &mut Reader<'a>,
    known: &mut dyn Fields<'a>,
    unknown: &mut Unknown<'a>,
) -> Result<(), JsonError> {
    if reader.null()? {
        return Ok(());
    }
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        if reader.null()? {
            continue;
        }
        match known.field(&name) {
            Some(field) => field.read(reader)?,
            None => unknown.push((name, reader.raw()?)),
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

impl<'a, T: Read<'a> + Default> Read<'a> for Vec<T> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        self.clear();
        let mut items = reader.array()?;
        while reader.item(&mut items)? {
            let mut item = T::default();
            item.read(reader)?;
            self.push(item);
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
#[derive(Debug, Default)]
pub(crate) struct Ignored;

impl<'a> Read<'a> for Ignored {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.raw().map(drop)
    }
}

/// A whole number; what is none counts as absent. Some servers write `9.0`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count(pub(crate) Option<u64>);

impl<'a> Read<'a> for Count {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        self.0 = reader.digits();
        if self.0.is_some() {
            return Ok(());
        }
        let number = reader.raw()?;
        let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
        self.0 = whole.parse().ok();
        Ok(())
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'a> Read<'a> for Text<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        self.0 = reader.string()?;
        Ok(())
    }
}

/// One field without a name of ours.
pub(crate) fn extra_of(name: &str, value: Value) -> Extra {
    let mut extra = Extra::new();
    extra.insert(name.to_owned(), value);
    extra
}

/// Fields that were not known, parsed.
pub(crate) fn to_extra(unknown: Unknown<'_>) -> Extra {
    let mut extra = Extra::new();
    for (name, value) in unknown {
        if let Ok(value) = json::parse(value) {
            extra.insert(name.into_owned(), value);
        }
    }
    extra
}

/// Reads one JSON value; nothing else may follow it.
pub(crate) fn read<'a, T: Read<'a> + Default>(data: &'a str) -> Result<T, JsonError> {
    let mut value = T::default();
    read_all(data, &mut value)?;
    Ok(value)
}

fn read_all<'a>(data: &'a str, into: &mut dyn Read<'a>) -> Result<(), JsonError> {
    let mut reader = Reader::new(data);
    into.read(&mut reader)?;
    reader.end()
}

/// Reads one JSON value of `dialect`.
pub(crate) fn parse<'a, T: Read<'a> + Default>(dialect: &str, data: &'a str) -> Result<T, Error> {
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
pub(crate) fn text_of(raw: Raw<'_>) -> Cow<'_, str> {
    read::<Text<'_>>(raw).map_or(Cow::Borrowed(raw), |text| text.0)
}

/// Any JSON, or else its text.
pub(crate) fn to_value(data: &str) -> Value {
    json::parse(data).unwrap_or_else(|_| Value::String(data.to_owned()))
}

//! Reads into a [`Value`], for fields that chatcore does not know.

use std::slice::Iter;

use serde_json::{Map, Number, Value};

use super::float;
use super::read::{JsonError, Reader};
use super::weight::Weight;
use super::write::Writer;

/// Reads one JSON text. Objects keep the order of their members.
///
/// # Errors
/// If the text is not JSON, is nested more than 128 deep, or is followed by something.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    parse_sized(text, &[])
}

/// Reads one JSON text from a server, unless it would take more than `room` bytes of memory.
/// Subtracts what it takes from `room`. `None` if there is not enough room.
///
/// A [`Value`] may take 36 times as many bytes as its text.
pub(crate) fn parse_within(text: &str, room: &mut usize) -> Result<Option<Value>, JsonError> {
    let weight = Weight::of(text);
    let Some(left) = room.checked_sub(weight.bytes) else {
        return Ok(None);
    };
    *room = left;
    parse_sized(text, &weight.sizes).map(Some)
}

/// `sizes` are the numbers of items of each array and object, in the order in which they begin. If
/// they are given, nothing is reallocated.
fn parse_sized(text: &str, sizes: &[u32]) -> Result<Value, JsonError> {
    let mut reader = Reader::new(text);
    let value = reader.sized(&mut sizes.iter())?;
    reader.end()?;
    Ok(value)
}

/// A value as JSON text, as its `Display` writes it.
pub(crate) fn text_of(value: &Value) -> String {
    let mut writer = Writer::default();
    writer.value(value);
    writer.into_text()
}

impl Reader<'_> {
    /// Reads the next value of any type.
    ///
    /// # Errors
    /// If there is no value, or it is nested more than 128 deep.
    pub fn value(&mut self) -> Result<Value, JsonError> {
        self.sized(&mut [].iter())
    }

    fn sized(&mut self, sizes: &mut Iter<'_, u32>) -> Result<Value, JsonError> {
        let mut size = || sizes.next().map_or(0, |size| *size as usize);
        Ok(match self.peek()? {
            b'"' => Value::String(self.string()?.into_owned()),
            b'-' | b'0'..=b'9' => {
                let text = self.number()?;
                Value::Number(number(text).ok_or_else(|| self.wrong())?)
            }
            b't' => {
                self.word("true")?;
                Value::Bool(true)
            }
            b'f' => {
                self.word("false")?;
                Value::Bool(false)
            }
            b'n' => {
                self.word("null")?;
                Value::Null
            }
            b'{' => {
                let mut members = self.object()?;
                let mut map = Map::with_capacity(size());
                while let Some(name) = self.name(&mut members)? {
                    let value = self.sized(sizes)?;
                    map.insert(name.into_owned(), value);
                }
                Value::Object(map)
            }
            b'[' => {
                let mut members = self.array()?;
                let mut list = Vec::with_capacity(size());
                while self.item(&mut members)? {
                    list.push(self.sized(sizes)?);
                }
                Value::Array(list)
            }
            _ => return Err(self.wrong()),
        })
    }
}

/// Reads a number; `None` if it is too large for a float.
pub(super) fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.parse::<u64>() {
        Ok(number) if digits.len() == text.len() => Some(number.into()),
        // Without zero, because `-0` is negative only as a float.
        Ok(number @ 1..=0x8000_0000_0000_0000) => Some((number as i64).wrapping_neg().into()),
        _ => Number::from_f64(float::decimal(text)?),
    }
}

//! Reading into a [`Value`], for what has no name of ours.

use std::slice::Iter;

use serde_json::{Map, Number, Value};

use super::float;
use super::read::{JsonError, Reader};
use super::weight::Weight;

/// Reads one JSON text. Objects keep the order of their members.
///
/// # Errors
/// Where it is none, where it is nested more than 128 deep, or where something follows it.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    parse_sized(text, &[])
}

/// Reads one JSON text of a server's, unless it would take more memory than there is `room` for, in
/// bytes; what it takes is taken from the room.
///
/// A [`Value`] may need 36 times as many bytes as its text.
pub(crate) fn parse_within(text: &str, room: &mut usize) -> Result<Option<Value>, JsonError> {
    let weight = Weight::of(text);
    let Some(left) = room.checked_sub(weight.bytes) else {
        return Ok(None);
    };
    *room = left;
    parse_sized(text, &weight.sizes).map(Some)
}

/// `sizes`: how many items each array and object has, in the order in which they begin. Where they
/// are known, nothing is allocated twice.
fn parse_sized(text: &str, sizes: &[u32]) -> Result<Value, JsonError> {
    let mut reader = Reader::new(text);
    let value = reader.sized(&mut sizes.iter())?;
    reader.end()?;
    Ok(value)
}

impl Reader<'_> {
    /// The next value, whatever it is.
    ///
    /// # Errors
    /// Where there is none, or it is nested more than 128 deep.
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

/// A number as it is written; none where it is too large for a float.
pub(super) fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.parse::<u64>() {
        Ok(number) if digits.len() == text.len() => Some(number.into()),
        // Not zero, which is negative only as a float.
        Ok(number @ 1..=0x8000_0000_0000_0000) => Some((number as i64).wrapping_neg().into()),
        _ => Number::from_f64(float::decimal(text)?),
    }
}

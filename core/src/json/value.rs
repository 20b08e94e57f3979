//! Reading into a [`Value`], for what has no name of ours.

use serde_json::{Map, Number, Value};

use super::float;
use super::read::{JsonError, Reader};

/// How deep a value may be nested.
const MAX_DEPTH: u8 = 127;

/// Reads one JSON text.
///
/// # Errors
/// Where it is none, where it is nested more than 127 deep, or where something follows it.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader::new(text);
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

impl Reader<'_> {
    /// The next value, whatever it is.
    ///
    /// # Errors
    /// Where there is none, or it is nested more than 127 deep.
    pub fn value(&mut self) -> Result<Value, JsonError> {
        self.value_at(0)
    }

    fn value_at(&mut self, depth: u8) -> Result<Value, JsonError> {
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
            b'{' | b'[' if depth == MAX_DEPTH => return Err(self.wrong()),
            b'{' => {
                let mut map = Map::new();
                let mut members = self.object()?;
                while let Some(name) = self.name(&mut members)? {
                    let value = self.value_at(depth + 1)?;
                    map.insert(name.into_owned(), value);
                }
                Value::Object(map)
            }
            b'[' => {
                let mut list = Vec::new();
                let mut members = self.array()?;
                while self.item(&mut members)? {
                    list.push(self.value_at(depth + 1)?);
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

//! Objects as they come over the wire, borrowed from the frame.
//!
//! They are read field by field: what the decoder knows goes into its place, what it does not is
//! kept as raw JSON and parsed only when someone asks. A null counts as absent.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chat::Extra;
use crate::error::{Error, ErrorKind};

/// The fields that were not known, by name.
pub(super) type Unknown<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// An object whose known fields make a `T`.
#[derive(Debug, Default)]
pub(super) struct Object<'a, T> {
    pub(super) known: T,
    pub(super) unknown: Unknown<'a>,
}

/// The known fields of an object.
pub(super) trait Fields<'a>: Default {
    /// Reads the value of `name`, if that is a known field; else says so.
    fn field<A: MapAccess<'a>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;
}

impl<'a, T: Fields<'a>> Deserialize<'a> for Object<'a, T> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'a, T: Fields<'a>> Visitor<'a> for Reader<T> {
            type Value = Object<'a, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Object {
                    known: T::default(),
                    unknown: Vec::new(),
                })
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut known = T::default();
                let mut unknown = Vec::new();
                while let Some(Text(name)) = map.next_key()? {
                    if known.field(&name, &mut map)? {
                        continue;
                    }
                    let value: &RawValue = map.next_value()?;
                    if value.get() != "null" {
                        unknown.push((name, value));
                    }
                }
                Ok(Object { known, unknown })
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'a> Deserialize<'a> for Text<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'a> Visitor<'a> for Reader {
            type Value = Text<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'a str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Reader)
    }
}

/// Fields that were not known, parsed.
pub(super) fn to_extra(unknown: Unknown<'_>) -> Extra {
    let parsed = unknown.into_iter().filter_map(|(name, value)| {
        let value = serde_json::from_str(value.get()).ok()?;
        Some((name.into_owned(), value))
    });
    parsed.collect()
}

/// Reads one JSON value of `dialect`.
pub(super) fn parse<'a, T: Deserialize<'a>>(dialect: &str, data: &'a str) -> Result<T, Error> {
    serde_json::from_str(data).map_err(|error| {
        if error.is_eof() {
            let why = "the answer's JSON ends before it is complete";
            return Error::new(ErrorKind::Truncated, why).with_body(data.as_bytes());
        }
        // The error's own text may quote the answer; its place and kind are enough.
        let why = format!(
            "the answer is not of the dialect {dialect} ({:?} error at line {}, column {})",
            error.classify(),
            error.line(),
            error.column()
        );
        Error::new(ErrorKind::Protocol, why).with_body(data.as_bytes())
    })
}

/// Any JSON, or else its text.
pub(super) fn to_value(data: &str) -> Value {
    serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()))
}

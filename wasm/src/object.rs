//! Reads the members of JSON objects from the TypeScript layer.
//!
//! A member that is not as documented is noted in [`Faults`], and the reader goes on with a default
//! in its place. So the caller checks once, after everything was read: a check at each member would
//! be half of the code.

use std::cell::OnceCell;
use std::fmt::Display;

use chatcore::chat::Extra;
use chatcore::json::{self, JsonError};
use chatcore::{Error, ErrorKind};
use serde_json::Value;

/// The first fault in what the TypeScript layer passed.
#[derive(Default)]
pub(crate) struct Faults(OnceCell<Error>);

impl Faults {
    /// Notes an error, unless there is an earlier one.
    pub(crate) fn add(&self, error: Error) {
        let _ = self.0.set(error);
    }

    /// Notes that a value is not as documented.
    pub(crate) fn wrong(&self, place: &str, why: &str) {
        self.add(wrong(place, why));
    }

    /// The first error, if there was one.
    pub(crate) fn check(self) -> Result<(), Error> {
        self.0.into_inner().map_or(Ok(()), Err)
    }

    /// Reads a JSON object; an empty text is an object without members.
    pub(crate) fn object(&self, text: &str) -> Object<'_> {
        let parsed = match text {
            "" => Ok(Value::Object(Extra::new())),
            text => json::parse(text),
        };
        let value = parsed.unwrap_or_else(|error| {
            self.add(not_json(error));
            Value::Null
        });
        Object::new("it", value, self)
    }
}

/// The members of an object that were not read yet, and the object's place for error messages.
pub(crate) struct Object<'a> {
    place: &'static str,
    members: Extra,
    faults: &'a Faults,
}

impl<'a> Object<'a> {
    pub(crate) fn new(place: &'static str, value: Value, faults: &'a Faults) -> Self {
        let members = match value {
            Value::Object(members) => members,
            _ => {
                faults.wrong(place, "not an object");
                Extra::new()
            }
        };
        Self {
            place,
            members,
            faults,
        }
    }

    /// Where to note what is wrong.
    pub(crate) fn faults(&self) -> &'a Faults {
        self.faults
    }

    /// The member of this name, unless it is null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        // Leaves a null behind, because removing from the map would move its other members.
        let value = self.members.get_mut(name)?.take();
        Some(value).filter(|value| !value.is_null())
    }

    /// An object; one without members if the member is missing.
    pub(crate) fn object(&mut self, name: &'static str) -> Self {
        let value = self.take(name);
        let value = value.unwrap_or_else(|| Value::Object(Extra::new()));
        Self::new(name, value, self.faults)
    }

    /// A number, if the member exists.
    pub(crate) fn number(&mut self, name: &str) -> Option<f64> {
        let number = self.take(name)?.as_f64();
        if number.is_none() {
            self.not_this_number(name);
        }
        number
    }

    /// A whole number, if the member exists.
    pub(crate) fn whole(&mut self, name: &str) -> Option<i64> {
        let number = self.take(name)?.as_i64();
        if number.is_none() {
            self.not_this_number(name);
        }
        number
    }

    /// A whole number from 0, if the member exists.
    pub(crate) fn count(&mut self, name: &str) -> Option<u64> {
        let number = count(&self.take(name)?);
        if number.is_none() {
            self.not_this_number(name);
        }
        number
    }

    /// A whole number from 0 that has 32 bits, if the member exists.
    pub(crate) fn small_count(&mut self, name: &str) -> Option<u32> {
        let number = self.count(name)?.try_into().ok();
        if number.is_none() {
            self.not_this_number(name);
        }
        number
    }

    fn not_this_number(&self, name: &str) {
        self.faults.wrong(name, "not a valid number for this field");
    }

    /// A boolean, if it is given.
    pub(crate) fn switch(&mut self, name: &str) -> Option<bool> {
        self.take(name)?.as_bool()
    }

    pub(crate) fn is(&mut self, name: &str) -> bool {
        matches!(self.take(name), Some(Value::Bool(true)))
    }

    /// A required string.
    pub(crate) fn text(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.faults.wrong(self.place, &format!("without {name}"));
            String::new()
        })
    }

    /// A string, if the member exists.
    pub(crate) fn optional(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.faults.wrong(name, "not a string");
                None
            }
        }
    }

    /// The members that were not read yet.
    pub(crate) fn into_members(self) -> Extra {
        self.members
    }

    /// The members that were not read yet as JSON, without the braces.
    pub(crate) fn into_members_text(self) -> String {
        let mut writer = json::Writer::default();
        writer.members(&self.members);
        let text = writer.into_text();
        text[1..text.len() - 1].to_owned()
    }

    /// The items of an array; none if the member is missing.
    pub(crate) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                self.faults.wrong(name, "not an array");
                Vec::new()
            }
        }
    }

    /// Reads each item of an array of objects.
    pub(crate) fn each<T>(
        &mut self,
        name: &str,
        place: &'static str,
        read: fn(Object<'_>) -> T,
    ) -> Vec<T> {
        let object = |value| read(Object::new(place, value, self.faults));
        self.list(name).into_iter().map(object).collect()
    }

    /// The members of `extra`; `place` is its place for error messages.
    pub(crate) fn extra(&mut self, place: &'static str) -> Extra {
        match self.take("extra") {
            None => Extra::new(),
            Some(value) => Self::new(place, value, self.faults).members,
        }
    }
}

/// A JSON number as an integer, if it is whole.
fn count(value: &Value) -> Option<u64> {
    // All numbers of JavaScript are floats, and it may write one as 1e3.
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..1.9e19).contains(number);
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(whole).map(|number| number as u64))
}

pub(crate) fn wrong(place: &str, why: &str) -> Error {
    undocumented(format_args!("{place} is {why}"))
}

/// The error for invalid JSON from the TypeScript layer.
pub(crate) fn not_json(error: JsonError) -> Error {
    undocumented(error)
}

/// The error for a value that does not follow the package's documentation.
pub(crate) fn undocumented(why: impl Display) -> Error {
    Error::new(ErrorKind::InvalidInput, why.to_string())
}

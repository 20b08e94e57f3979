//! Reads a JSON object field by field. Errors name the field.

use serde_json::{Map, Value};

use crate::errors::ApiError;

/// The fields of an object that have not been read yet.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The object's path in the body, such as `messages[2].`; empty for the body itself.
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    /// The fields of `value`, which is at `path` in the body.
    pub(crate) fn of(value: Value, path: &str) -> Result<Self, ApiError> {
        match value {
            Value::Object(map) => Ok(Self {
                path: match path {
                    "" => String::new(),
                    path => format!("{path}."),
                },
                map,
            }),
            _ if path.is_empty() => Err(ApiError::new(
                400,
                "invalid_json",
                "the body must be a JSON object",
            )),
            other => Err(wrong(path, "an object", &other)),
        }
    }

    /// The path of the field in the body.
    pub(crate) fn place(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    /// Takes a value of any type. Null counts as missing.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        // `shift_remove` keeps the order of the other fields, which may be passed on in that order.
        self.map.shift_remove(name).filter(|value| !value.is_null())
    }

    /// A value, without taking it.
    pub(crate) fn peek(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        self.typed(name, "a string", |value| match value {
            Value::String(text) => Ok(text),
            other => Err(other),
        })
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, ApiError> {
        self.typed(name, "a number", |value| value.as_f64().ok_or(value))
    }

    /// An integer, which may be negative.
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        self.typed(name, "an integer", |value| value.as_i64().ok_or(value))
    }

    /// An integer of at least 1.
    pub(crate) fn count(&mut self, name: &str) -> Result<Option<u32>, ApiError> {
        self.typed(name, "an integer from 1", |value| {
            let count = value.as_u64().filter(|&count| count > 0);
            count
                .and_then(|count| u32::try_from(count).ok())
                .ok_or(value)
        })
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        self.typed(name, "true or false", |value| value.as_bool().ok_or(value))
    }

    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, ApiError> {
        self.typed(name, "an array", |value| match value {
            Value::Array(list) => Ok(list),
            other => Err(other),
        })
    }

    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Fields>, ApiError> {
        let path = self.place(name);
        self.value(name)
            .map(|value| Self::of(value, &path))
            .transpose()
    }

    /// An array of strings.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let place = self.place(name);
        let Some(list) = self.list(name)? else {
            return Ok(None);
        };
        let texts = list.into_iter().enumerate().map(|(n, value)| match value {
            Value::String(text) => Ok(text),
            other => Err(wrong(&format!("{place}[{n}]"), "a string", &other)),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// Takes all fields that were not read.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.map
    }

    /// Refuses any field that was not read, because a misspelt option would otherwise silently do
    /// nothing.
    pub(crate) fn end(self) -> Result<(), ApiError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(unknown(self.place(name))),
        }
    }

    fn typed<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(Value) -> Result<T, Value>,
    ) -> Result<Option<T>, ApiError> {
        let read = self.value(name).map(read).transpose();
        read.map_err(|found| wrong(&self.place(name), expected, &found))
    }
}

/// The error for a missing field.
pub(crate) fn missing(place: impl Into<String>) -> ApiError {
    let place = place.into();
    ApiError {
        code: "missing_field".to_owned(),
        ..ApiError::invalid(place.clone(), format!("the field {place} is missing"))
    }
}

/// The error for an unknown field.
pub(crate) fn unknown(place: impl Into<String>) -> ApiError {
    let place = place.into();
    ApiError {
        code: "unknown_field".to_owned(),
        ..ApiError::invalid(place.clone(), format!("the field {place} is unknown"))
    }
}

/// The error for a field of the wrong type. It shows the type of a string, an array or an object,
/// but not its content, because that may be a prompt.
pub(crate) fn wrong(place: &str, expected: &str, found: &Value) -> ApiError {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    let message = format!("the field {place} must be {expected}, but is {found}");
    ApiError {
        code: "invalid_type".to_owned(),
        ..ApiError::invalid(place, message)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_name_the_place() {
        let mut fields = Fields::of(json!({"a": 1, "b": ["x", 2], "n": 0}), "messages[1]").unwrap();
        let error = fields.text("a").unwrap_err();
        assert_eq!(error.param.as_deref(), Some("messages[1].a"));
        assert!(error.message.contains("must be a string, but is 1"));
        let error = fields.texts("b").unwrap_err();
        assert_eq!(error.param.as_deref(), Some("messages[1].b[1]"));
        assert_eq!(fields.count("n").unwrap_err().code, "invalid_type");
        assert!(fields.end().is_ok());
    }

    #[test]
    fn what_is_left_is_refused() {
        let fields = Fields::of(json!({"temprature": 1}), "").unwrap();
        assert_eq!(fields.end().unwrap_err().code, "unknown_field");
        assert_eq!(Fields::of(json!([]), "").unwrap_err().code, "invalid_json");
    }
}

//! The schema of a typed answer.

use serde_json::Value;

use crate::chat::ResponseFormat;
use crate::schema::{Prepared, prepare};

/// The requirements for a typed answer.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) prepared: Prepared,
    /// Whether an answer is checked against the schema. Otherwise it must only deserialize into the
    /// type.
    pub(crate) is_checked: bool,
}

impl Wanted {
    pub(crate) fn new(name: &str, schema: Value, is_checked: bool) -> Self {
        Self {
            name: permitted(name),
            prepared: prepare(schema),
            is_checked,
        }
    }

    /// The schema of a type. Its name is the schema's title.
    #[cfg(feature = "schema")]
    pub(crate) fn of<T: schemars::JsonSchema>() -> Self {
        Self::new(&T::schema_name(), schema_of::<T>(), false)
    }

    pub(crate) fn response_format(&self) -> ResponseFormat {
        ResponseFormat::JsonSchema {
            name: self.name.clone(),
            schema: self.prepared.schema.clone(),
            strict: true,
        }
    }
}

/// The schema of a type. The types that it uses are inlined, because some servers do not follow
/// references; only a type that contains itself stays a reference.
#[cfg(feature = "schema")]
pub(crate) fn schema_of<T: schemars::JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// Converts a name to the form that OpenAI requires: letters, digits, `_` and `-`, at most 64 of
/// them.
fn permitted(name: &str) -> String {
    let permitted = name.chars().map(|char| match char {
        char if char.is_ascii_alphanumeric() || char == '_' || char == '-' => char,
        _ => '_',
    });
    let name: String = permitted.take(64).collect();
    match name.is_empty() {
        true => "answer".to_owned(),
        false => name,
    }
}

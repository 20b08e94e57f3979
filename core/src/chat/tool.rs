//! Tools: what may be called, what was called, what came back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Extra, Part};

/// A function that the model may ask to be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does and when to use it: the model reads this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema of its arguments, an object.
    pub parameters: Value,
    /// Whether the provider must hold the model to the schema, where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Fields of the tool that chatcore has no name for, such as `cache_control`; they are sent as
    /// they are, beside its name.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Tool {
    /// A tool whose arguments obey the JSON Schema `parameters`.
    pub fn new(name: impl Into<String>, parameters: Value) -> Self {
        Self {
            name: name.into(),
            description: None,
            parameters,
            strict: None,
            extra: Extra::new(),
        }
    }

    /// Adds what the model reads to decide when to call it.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a field that chatcore has no name for, such as `cache_control`.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }
}

/// Whether and which tool the model must call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// As the model sees fit.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Tool(String),
}

/// A tool that the model asks to be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// The provider's id of the call; the [`ToolResult`] names it.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments as JSON text, just as the model wrote them; it may be invalid JSON.
    pub arguments: String,
    /// Fields of the call that must go back unchanged, such as thought signatures.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ToolCall {
    /// A call of the tool `name` with `arguments` as JSON text.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
            extra: Extra::new(),
        }
    }

    /// The arguments, parsed; no text at all counts as no arguments, `{}`.
    ///
    /// # Errors
    /// If the model did not write valid JSON.
    pub fn arguments_json(&self) -> Result<Value, serde_json::Error> {
        match self.arguments.trim() {
            "" => Ok(Value::Object(Extra::new())),
            text => serde_json::from_str(text),
        }
    }
}

/// What a tool that the model called gave back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolResult {
    /// The id of the [`ToolCall`].
    pub call_id: String,
    /// The result: text, and images where the provider takes them.
    pub content: Vec<Part>,
    /// Whether the tool failed; the content then says how.
    #[serde(default)]
    pub is_error: bool,
    /// Fields of the result that chatcore has no name for, such as `cache_control`.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ToolResult {
    /// A result in text.
    pub fn new(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            call_id: call_id.into(),
            content: vec![Part::text(text)],
            is_error: false,
            extra: Extra::new(),
        }
    }

    /// A failure, in text.
    pub fn error(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::new(call_id, text)
        }
    }
}

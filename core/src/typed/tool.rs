//! Tools and their arguments as types.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::read;
#[cfg(feature = "schema")]
use super::wanted::schema_of;
#[cfg(feature = "schema")]
use crate::chat::Tool;
use crate::chat::ToolCall;
use crate::error::Error;

#[cfg(feature = "schema")]
impl Tool {
    /// Creates a tool whose arguments have the type `A`. [`ToolCall::arguments`] reads them.
    ///
    /// ```
    /// use chatcore::schemars::{self, JsonSchema};
    /// use chatcore::{Tool, ToolCall};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Convert {
    ///     /// In degrees Fahrenheit.
    ///     degrees: f64,
    /// }
    ///
    /// let tool = Tool::of::<Convert>("to_celsius", "Converts degrees Fahrenheit to Celsius.");
    /// assert_eq!(tool.parameters["properties"]["degrees"]["type"], "number");
    ///
    /// let call = ToolCall::new("1", "to_celsius", r#"{"degrees":72}"#);
    /// assert_eq!(call.arguments::<Convert>()?.degrees, 72.0);
    /// # Ok::<(), chatcore::Error>(())
    /// ```
    pub fn of<A: schemars::JsonSchema>(
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self::new(name, schema_of::<A>()).description(description)
    }
}

impl ToolCall {
    /// Reads the arguments into a type. Empty arguments count as `{}`.
    ///
    /// # Errors
    /// [`InvalidOutput`](crate::ErrorKind::InvalidOutput) with a [`Mismatch`](crate::Mismatch) as
    /// its source. Send the message back to the model as the tool's result
    /// ([`ToolResult::error`](crate::chat::ToolResult::error)) to let it try again.
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = match self.arguments.trim() {
            "" => "{}",
            text => text,
        };
        read::json(text)
            .and_then(|json| read::typed(&json, text))
            .map_err(|mismatch| mismatch.into_error(&what(&self.name)))
    }
}

/// Reads the arguments for the tool `name` into a type.
///
/// # Errors
/// As [`ToolCall::arguments`].
pub(crate) fn arguments<T: DeserializeOwned>(name: &str, json: &Value) -> Result<T, Error> {
    read::typed(json, "").map_err(|mismatch| mismatch.into_error(&what(name)))
}

fn what(name: &str) -> String {
    format!("the JSON of the arguments for the tool {name}")
}

//! What a tool returns to the model: content, or an error.

use std::error::Error as StdError;
use std::fmt::{self, Display};

use serde::Serialize;
use serde_json::Value;

use crate::chat::{Part, Text};

/// The result of a tool's call. The model reads it.
///
/// ```
/// use chatcore::ToolOutput;
/// use chatcore::serde_json::json;
///
/// assert_eq!(ToolOutput::from("18 degrees").text(), "18 degrees");
/// assert_eq!(ToolOutput::from(json!({"celsius": 18})).text(), r#"{"celsius":18}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ToolOutput {
    /// Text, and images and files if the provider accepts them in results.
    pub content: Vec<Part>,
}

impl ToolOutput {
    /// A result of several parts.
    pub fn new(content: impl Into<Vec<Part>>) -> Self {
        Self {
            content: content.into(),
        }
    }

    /// A value as JSON text.
    ///
    /// # Errors
    /// If the value cannot be written as JSON, such as a map whose keys are not strings.
    pub fn json(value: &impl Serialize) -> Result<Self, ToolError> {
        let json = serde_json::to_string(value).map_err(|error| {
            ToolError::new(format!("the result cannot be written as JSON: {error}"))
        })?;
        Ok(json.into())
    }

    /// The text of the result: its text parts, joined.
    pub fn text(&self) -> String {
        text_of(&self.content)
    }
}

/// Why a tool's call has no result. The model reads it, and may try again.
///
/// It can be made from anything that can be displayed, and `?` makes it from every error. The text
/// is sent to the provider, so it must contain no secret.
///
/// ```
/// use chatcore::ToolError;
///
/// fn half(text: &str) -> Result<u8, ToolError> {
///     let number: u8 = text.parse()?;
///     match number % 2 {
///         0 => Ok(number / 2),
///         _ => Err(ToolError::new(format!("{number} is odd"))),
///     }
/// }
///
/// assert_eq!(half("many").unwrap_err().to_string(), "invalid digit found in string");
/// assert_eq!(half("7").unwrap_err().to_string(), "7 is odd");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolError {
    /// What the model reads.
    pub content: Vec<Part>,
}

impl ToolError {
    /// An error with the text of `why`.
    pub fn new(why: impl Display) -> Self {
        Self {
            content: vec![Part::text(why.to_string())],
        }
    }

    /// An error that consists of several parts.
    pub fn of_content(content: impl Into<Vec<Part>>) -> Self {
        Self {
            content: content.into(),
        }
    }
}

impl Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text_of(&self.content))
    }
}

/// So that `?` works in a tool. The text of the error is sent to the provider. A `ToolError` is
/// itself no [`std::error::Error`], because this conversion would then be ambiguous.
impl<E: StdError> From<E> for ToolError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

fn text_of(content: &[Part]) -> String {
    let texts = content.iter().filter_map(|part| match part {
        Part::Text(Text { text, .. }) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

impl From<String> for ToolOutput {
    fn from(text: String) -> Self {
        Self::new([Part::text(text)])
    }
}

impl From<&str> for ToolOutput {
    fn from(text: &str) -> Self {
        Self::new([Part::text(text)])
    }
}

impl From<Value> for ToolOutput {
    /// The value as JSON text.
    fn from(value: Value) -> Self {
        value.to_string().into()
    }
}

impl From<Part> for ToolOutput {
    fn from(part: Part) -> Self {
        Self::new([part])
    }
}

impl From<Vec<Part>> for ToolOutput {
    fn from(content: Vec<Part>) -> Self {
        Self { content }
    }
}

/// What the closure of a [`FunctionTool`](super::FunctionTool) may return: a text, a number, a truth
/// value, nothing, JSON, parts, or a `Result` of one of these and [`ToolError`]. Return
/// [`ToolOutput::json`] for a type of your own.
///
/// ```
/// use chatcore::{IntoToolOutput, ToolError};
///
/// assert!("18 degrees".into_tool_output().is_ok());
/// assert_eq!(18.5.into_tool_output()?.text(), "18.5");
/// let failed: Result<String, ToolError> = Err(ToolError::new("there is no such city"));
/// assert!(failed.into_tool_output().is_err());
/// # Ok::<(), ToolError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    note = "return `ToolOutput::json(&value)` for a type that is `Serialize`, \
            `value.to_string()` for a text, or a `Result` whose error is a `ToolError`"
)]
pub trait IntoToolOutput {
    /// The result or the error that the model reads.
    ///
    /// # Errors
    /// The value's own error.
    fn into_tool_output(self) -> Result<ToolOutput, ToolError>;
}

impl IntoToolOutput for ToolOutput {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        Ok(self)
    }
}

impl IntoToolOutput for String {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        Ok(self.into())
    }
}

impl IntoToolOutput for &str {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        Ok(self.into())
    }
}

impl IntoToolOutput for Value {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        Ok(self.into())
    }
}

impl IntoToolOutput for Part {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        Ok(self.into())
    }
}

impl IntoToolOutput for Vec<Part> {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        Ok(self.into())
    }
}

impl<T: IntoToolOutput> IntoToolOutput for Result<T, ToolError> {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        self?.into_tool_output()
    }
}

/// As JSON writes them.
macro_rules! as_json {
    ($($type:ty),*) => {$(
        impl IntoToolOutput for $type {
            fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
                ToolOutput::json(&self)
            }
        }
    )*};
}

as_json!(
    (),
    bool,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    isize,
    u8,
    u16,
    u32,
    u64,
    usize
);

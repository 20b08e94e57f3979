//! The trait of a tool that runs, and what it is told about a call.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::output::{ToolError, ToolOutput};
use crate::chat::Tool;
use crate::error::Error;
use crate::typed::{Mismatch, arguments};

/// A tool that runs its calls itself. [`FunctionTool`](super::FunctionTool) makes one from a
/// closure; implement the trait for a tool that has a state or comes from elsewhere, such as an MCP
/// server.
///
/// ```
/// use chatcore::serde_json::json;
/// use chatcore::{RunnableTool, Tool, ToolContext, ToolError, ToolOutput, Toolbox, async_trait};
///
/// /// Looks words up in a list.
/// #[derive(Debug)]
/// struct Glossary(Vec<(String, String)>);
///
/// #[async_trait]
/// impl RunnableTool for Glossary {
///     fn definition(&self) -> Tool {
///         let schema = json!({
///             "type": "object",
///             "properties": {"word": {"type": "string"}},
///             "required": ["word"],
///         });
///         Tool::new("glossary", schema).description("Explains a word of the trade.")
///     }
///
///     async fn run(&self, context: ToolContext) -> Result<ToolOutput, ToolError> {
///         let word = context.arguments["word"].as_str().unwrap_or_default();
///         match self.0.iter().find(|(known, _)| known == word) {
///             Some((_, meaning)) => Ok(meaning.as_str().into()),
///             None => Err(ToolError::new("the word is not in the glossary")),
///         }
///     }
/// }
///
/// let mut tools = Toolbox::new();
/// tools.add(Glossary(vec![("permit".into(), "the right to run".into())]))?;
/// # Ok::<(), chatcore::Error>(())
/// ```
#[async_trait]
pub trait RunnableTool: Debug + Send + Sync + 'static {
    /// The tool's name, description and schema, as they are sent to the model. It is read once,
    /// when the tool is added to a [`Toolbox`](super::Toolbox).
    fn definition(&self) -> Tool;

    /// Runs one call.
    ///
    /// The future is polled by the task that polls the loop, beside the futures of the turn's other
    /// calls. It is dropped when its time limit is reached, and when the loop is dropped; it must
    /// be cancel-safe. A future that blocks its thread delays the whole loop: move such work to a
    /// thread, and await its result.
    ///
    /// # Errors
    /// Why the call has no result. The model reads the text, and may try again. The loop goes on. A
    /// panic counts as an error, with a fixed text.
    async fn run(&self, context: ToolContext) -> Result<ToolOutput, ToolError>;

    /// The time limit for one call. Default: none of its own, so the loop's limit applies.
    fn timeout(&self) -> Option<Duration> {
        None
    }
}

#[async_trait]
impl<T: RunnableTool + ?Sized> RunnableTool for Arc<T> {
    fn definition(&self) -> Tool {
        (**self).definition()
    }

    async fn run(&self, context: ToolContext) -> Result<ToolOutput, ToolError> {
        (**self).run(context).await
    }

    fn timeout(&self) -> Option<Duration> {
        (**self).timeout()
    }
}

/// One call of a tool, as the tool sees it.
///
/// ```
/// use chatcore::ToolContext;
/// use chatcore::serde_json::json;
///
/// let context = ToolContext::new("call_1", "weather", json!({"cities": ["Lyon", "Rome"]}));
/// let cities: std::collections::BTreeMap<String, Vec<String>> = context.arguments_as()?;
/// assert_eq!(cities["cities"][1], "Rome");
/// # Ok::<(), chatcore::ToolError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolContext {
    /// The provider's id of the call. Empty if the provider gives calls no ids.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments. `{}` if the model wrote none.
    pub arguments: Value,
    /// The turn of the loop in which the model asked for the call, from 1.
    pub turn: u32,
}

impl ToolContext {
    /// A call in the first turn.
    pub fn new(call_id: impl Into<String>, name: impl Into<String>, arguments: Value) -> Self {
        Self {
            call_id: call_id.into(),
            name: name.into(),
            arguments,
            turn: 1,
        }
    }

    /// Sets the turn.
    #[must_use]
    pub fn turn(mut self, turn: u32) -> Self {
        self.turn = turn;
        self
    }

    /// Reads the arguments into a type.
    ///
    /// # Errors
    /// What does not fit and where, in words for the model.
    pub fn arguments_as<T: DeserializeOwned>(&self) -> Result<T, ToolError> {
        arguments(&self.name, &self.arguments).map_err(|error| misfit(&error))
    }
}

/// Tells the model why its arguments do not fit.
fn misfit(error: &Error) -> ToolError {
    match Mismatch::of(error) {
        Some(mismatch) => does_not_fit(mismatch.path(), mismatch.reason()),
        None => ToolError::new(error.message()),
    }
}

/// The error for arguments that do not fit at `path`.
pub(super) fn does_not_fit(path: &str, why: &str) -> ToolError {
    ToolError::new(format!(
        "the arguments do not fit the tool's schema: at {path}, {why}; call the tool again with \
         corrected arguments"
    ))
}

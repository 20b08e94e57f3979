//! A tool made of a closure.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use super::output::{IntoToolOutput, ToolError, ToolOutput};
use super::runnable::{RunnableTool, ToolContext, does_not_fit};
use crate::chat::Tool;
use crate::executor::BoxFuture;
use crate::schema::check;

/// A tool made of a closure: it takes the arguments, and returns a future of the result.
///
/// The result is anything that is [`IntoToolOutput`]: a text, JSON, parts, or a `Result` of one of
/// these. The model reads the error of a `Result`, and may try again.
///
/// ```
/// use chatcore::serde_json::{Value, json};
/// use chatcore::{FunctionTool, Tool, Toolbox};
///
/// let schema = json!({
///     "type": "object",
///     "properties": {"city": {"type": "string"}},
///     "required": ["city"],
/// });
/// let weather = Tool::new("weather", schema).description("The weather in a city, now.");
///
/// let mut tools = Toolbox::new();
/// tools.add(FunctionTool::new(weather, |arguments: Value| async move {
///     format!("18 degrees in {}", arguments["city"])
/// }))?;
/// # Ok::<(), chatcore::Error>(())
/// ```
pub struct FunctionTool {
    definition: Tool,
    function: Box<Function>,
    timeout: Option<Duration>,
}

type Function =
    dyn Fn(&ToolContext) -> BoxFuture<'static, Result<ToolOutput, ToolError>> + Send + Sync;

impl FunctionTool {
    /// A tool whose arguments are read into `A`; [`Value`](serde_json::Value) keeps them as JSON.
    /// Before that they are checked against the schema of `definition`: types, constants,
    /// properties, items, unions and bounds, but not `pattern` and `format`. The model is told
    /// what does not fit, and the closure does not run.
    pub fn new<A, F, R>(definition: Tool, function: F) -> Self
    where
        A: DeserializeOwned,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output: IntoToolOutput> + Send + 'static,
    {
        let schema = definition.parameters.clone();
        Self::checked(definition, move |context| {
            check(&context.arguments, &schema)
                .map_err(|fault| does_not_fit(&fault.path, &fault.why))?;
            Ok(function(context.arguments_as()?))
        })
    }

    /// A tool whose arguments have the type `A`. Its schema is that of `A`, and its description and
    /// those of the fields of `A` tell the model when to call it and with what.
    ///
    /// ```
    /// use chatcore::schemars::{self, JsonSchema};
    /// use chatcore::{FunctionTool, ToolError};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Divide {
    ///     dividend: i64,
    ///     /// Not 0.
    ///     divisor: i64,
    /// }
    ///
    /// let divide = FunctionTool::of("divide", "Divides whole numbers.", |args: Divide| async move {
    ///     let quotient = args.dividend.checked_div(args.divisor);
    ///     let quotient = quotient.ok_or_else(|| ToolError::new("the divisor is 0"))?;
    ///     Ok(quotient.to_string())
    /// });
    /// # let _ = divide;
    /// ```
    #[cfg(feature = "schema")]
    pub fn of<A, F, R>(name: impl Into<String>, description: impl Into<String>, function: F) -> Self
    where
        A: DeserializeOwned + schemars::JsonSchema,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output: IntoToolOutput> + Send + 'static,
    {
        Self::checked(Tool::of::<A>(name, description), move |context| {
            Ok(function(context.arguments_as()?))
        })
    }

    /// A tool whose `begin` returns the call's future, or the reason why it cannot begin.
    fn checked<R>(
        definition: Tool,
        begin: impl Fn(&ToolContext) -> Result<R, ToolError> + Send + Sync + 'static,
    ) -> Self
    where
        R: Future<Output: IntoToolOutput> + Send + 'static,
    {
        Self {
            definition,
            function: Box::new(move |context| {
                let begun = begin(context);
                Box::pin(async move { begun?.await.into_tool_output() })
            }),
            timeout: None,
        }
    }

    /// Sets the time limit for one call. Default: the loop's limit for a call.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

#[async_trait]
impl RunnableTool for FunctionTool {
    fn definition(&self) -> Tool {
        self.definition.clone()
    }

    async fn run(&self, context: ToolContext) -> Result<ToolOutput, ToolError> {
        (self.function)(&context).await
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

impl fmt::Debug for FunctionTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionTool")
            .field("definition", &self.definition)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

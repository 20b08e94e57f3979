//! Tools, calls of tools, and their results.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Extra, Part};

/// A function that the model may call.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::Tool;
/// use chatcore::serde_json::json;
///
/// let weather = Tool::new(
///     "weather",
///     json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
/// )
/// .description("The weather in a city, now.");
/// let answer = client.ask("Do I need an umbrella in Lyon?").tool(weather).await?;
/// for call in answer.tool_calls() {
///     println!("{} {}", call.name, call.arguments);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tool {
    /// The tool's name.
    pub name: String,
    /// What the tool does, and when to use it. The model reads this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema of the tool's arguments, an object.
    pub parameters: Value,
    /// Whether the provider must enforce the schema, if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Unknown fields of the tool, such as `cache_control`. They are sent as they are, beside the
    /// tool's name.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Tool {
    /// A tool whose arguments match the JSON Schema `parameters`.
    pub fn new(name: impl Into<String>, parameters: Value) -> Self {
        Self {
            name: name.into(),
            description: None,
            parameters,
            strict: None,
            extra: Extra::new(),
        }
    }

    /// Sets the description, which the model reads to decide when to call the tool.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets whether the provider must enforce the schema, if it can.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }

    /// Adds an unknown field, such as `cache_control`.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }
}

/// Whether the model must call a tool, and which one.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::ToolChoice;
/// # let weather = chatcore::Tool::new("weather", chatcore::serde_json::json!({}));
///
/// let call = client.ask("Is it raining?").tool(weather);
/// let answer = call.tool_choice(ToolChoice::Tool("weather".into())).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// The model must not call a tool.
    None,
    /// The model must call at least one tool.
    Required,
    /// The model must call the tool with this name.
    Tool(String),
}

/// A call of a tool, which the model asks for.
///
/// ```
/// use chatcore::{Message, ToolCall};
///
/// let call = ToolCall::new("call_1", "weather", r#"{"city": "Lyon"}"#);
/// assert_eq!(call.arguments_json()?["city"], "Lyon");
/// // What goes back to the model, after its own message.
/// let result = Message::tool_result(call.id, "18 degrees, dry");
/// # let _ = result;
/// # Ok::<(), chatcore::serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// The provider's id of the call. The [`ToolResult`] refers to it.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments as JSON text, exactly as the model wrote them. They may be invalid JSON.
    pub arguments: String,
    /// Fields of the call that must be sent back unchanged, such as thought signatures.
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

    /// Parses the arguments. Empty arguments count as `{}`.
    ///
    /// # Errors
    /// If the arguments are not valid JSON.
    pub fn arguments_json(&self) -> Result<Value, serde_json::Error> {
        match self.arguments.trim() {
            "" => Ok(Value::Object(Extra::new())),
            text => serde_json::from_str(text),
        }
    }
}

/// The result of a tool call.
///
/// ```
/// use chatcore::chat::ToolResult;
/// use chatcore::{Message, Role};
///
/// let message = Message::new(Role::Tool, [ToolResult::new("call_1", "18 degrees, dry").into()]);
/// assert_eq!(message, Message::tool_result("call_1", "18 degrees, dry"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolResult {
    /// The id of the [`ToolCall`].
    pub call_id: String,
    /// The result: text, and images if the provider accepts them.
    pub content: Vec<Part>,
    /// Whether the tool failed. The content describes the failure.
    #[serde(default)]
    pub is_error: bool,
    /// Unknown fields of the result, such as `cache_control`.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ToolResult {
    /// A text result.
    pub fn new(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            call_id: call_id.into(),
            content: vec![Part::text(text)],
            is_error: false,
            extra: Extra::new(),
        }
    }

    /// A failure, described by a text.
    pub fn error(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::new(call_id, text)
        }
    }
}

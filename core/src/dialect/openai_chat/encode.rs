//! Request → JSON, written straight from the model.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde_json::{Value, json};

use super::{MaxTokensField, Quirks, ReasoningField};
use crate::chat::{
    ChatRequest, Image, ImageSource, Message, Part, ResponseFormat, Role, Text, Tool, ToolCall,
    ToolChoice, ToolResult,
};
use crate::dialect::Mode;
use crate::dialect::body::{self, Fields};
use crate::error::Error;

/// The body of a request.
pub(super) fn body(
    quirks: &Quirks,
    model: &str,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Vec<u8>, Error> {
    if model.trim().is_empty() {
        return Err(Error::invalid(
            "no model is named; set LLM_MODEL, or name one in the request",
        ));
    }
    for message in &request.messages {
        let has_image = |parts: &[Part]| parts.iter().any(|part| matches!(part, Part::Image(_)));
        if matches!(message.role, Role::System | Role::Assistant) && has_image(&message.parts) {
            return Err(Error::invalid(format!(
                "an image stands in a message of the role {}; put it in one of the user",
                message.role.as_str()
            )));
        }
    }
    body::write(
        request,
        &Body {
            quirks,
            model,
            request,
            mode,
        },
    )
}

struct Body<'a> {
    quirks: &'a Quirks,
    model: &'a str,
    request: &'a ChatRequest,
    mode: Mode,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.request;
        let mut map = Fields::replaced_by(serializer, &request.extra)?;
        map.field("model", self.model)?;
        map.field("messages", &Messages(self))?;
        if let Some(temperature) = request.temperature.filter(|_| self.quirks.temperature) {
            map.field("temperature", &temperature)?;
        }
        // Servers refuse a request with both of the names.
        let limits = ["max_tokens", "max_completion_tokens"];
        let has_limit = limits.iter().any(|name| request.extra.contains_key(*name));
        if let Some(max_tokens) = request.max_tokens.filter(|_| !has_limit) {
            let field = match self.quirks.max_tokens_field {
                MaxTokensField::MaxTokens => "max_tokens",
                MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
            };
            map.field(field, &max_tokens)?;
        }
        if let Some(top_p) = request.top_p {
            map.field("top_p", &top_p)?;
        }
        if !request.stop.is_empty() {
            map.field("stop", &request.stop)?;
        }
        if let Some(seed) = request.seed {
            map.field("seed", &seed)?;
        }
        if !request.tools.is_empty() {
            map.field("tools", &Tools(&request.tools))?;
        }
        if let Some(choice) = &request.tool_choice {
            map.field("tool_choice", &tool_choice(choice))?;
        }
        if let Some(effort) = &request.reasoning_effort {
            map.field("reasoning_effort", effort.as_str())?;
        }
        if let Some(format) = &request.response_format {
            map.field("response_format", &response_format(format))?;
        }
        if self.mode == Mode::Stream {
            map.field("stream", &true)?;
            if self.quirks.stream_usage {
                map.field(
                    "stream_options",
                    &StreamOptions {
                        include_usage: true,
                    },
                )?;
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// The conversation. A tool's result is a message of its own here.
struct Messages<'a>(&'a Body<'a>);

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for message in &self.0.request.messages {
            let mut has_results = false;
            for part in &message.parts {
                if let Part::ToolResult(result) = part {
                    has_results = true;
                    list.serialize_element(&ResultMessage(result))?;
                }
            }
            let has_more = message
                .parts
                .iter()
                .any(|part| !matches!(part, Part::ToolResult(_)));
            if has_more || !has_results {
                list.serialize_element(&WireMessage {
                    message,
                    reasoning_field: self.0.quirks.reasoning_field,
                })?;
            }
        }
        list.end()
    }
}

struct ResultMessage<'a>(&'a ToolResult);

impl Serialize for ResultMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("role", "tool")?;
        map.serialize_entry("tool_call_id", &self.0.call_id)?;
        map.serialize_entry("content", &Content(&self.0.content))?;
        map.end()
    }
}

struct WireMessage<'a> {
    message: &'a Message,
    reasoning_field: Option<ReasoningField>,
}

impl Serialize for WireMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.message;
        let mut map = Fields::beside(serializer, &message.extra)?;
        map.field("role", message.role.as_str())?;
        let has_calls = message.tool_calls().next().is_some();
        if has_calls && !message.parts.iter().any(is_content) {
            map.field("content", &None::<()>)?;
        } else {
            map.field("content", &Content(&message.parts))?;
        }
        if let Some(name) = &message.name {
            map.field("name", name)?;
        }
        let refusal = message.parts.iter().find_map(|part| match part {
            Part::Refusal(refusal) => Some(&refusal.text),
            _ => None,
        });
        if let Some(refusal) = refusal {
            map.field("refusal", refusal)?;
        }
        let reasoning = message.reasoning();
        if let (false, Some(field)) = (reasoning.is_empty(), self.reasoning_field) {
            let field = match field {
                ReasoningField::ReasoningContent => "reasoning_content",
                ReasoningField::Reasoning => "reasoning",
            };
            map.field(field, &reasoning)?;
        }
        if has_calls {
            map.field("tool_calls", &Calls(message))?;
        }
        map.end()
    }
}

fn is_content(part: &Part) -> bool {
    matches!(part, Part::Text(_) | Part::Image(_) | Part::Other { .. })
}

/// A string where there is only plain text, else an array of parts.
struct Content<'a>(&'a [Part]);

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut content = self.0.iter().filter(|part| is_content(part));
        match (content.next(), content.next()) {
            (None, _) => serializer.serialize_str(""),
            (Some(Part::Text(Text { text, extra })), None) if extra.is_empty() => {
                serializer.serialize_str(text)
            }
            _ => {
                serializer.collect_seq(self.0.iter().filter(|part| is_content(part)).map(WirePart))
            }
        }
    }
}

struct WirePart<'a>(&'a Part);

impl Serialize for WirePart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Part::Text(text) => {
                let mut map = Fields::beside(serializer, &text.extra)?;
                map.field("type", "text")?;
                map.field("text", &text.text)?;
                map.end()
            }
            Part::Image(image) => {
                let mut map = Fields::beside(serializer, &image.extra)?;
                map.field("type", "image_url")?;
                map.field("image_url", &ImageUrl::new(image))?;
                map.end()
            }
            Part::Other { value } => value.serialize(serializer),
            // The others are no content here.
            _ => serializer.serialize_none(),
        }
    }
}

#[derive(Serialize)]
struct ImageUrl<'a> {
    url: std::borrow::Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a> ImageUrl<'a> {
    fn new(image: &'a Image) -> Self {
        Self {
            url: match &image.source {
                ImageSource::Url { url } => url.into(),
                ImageSource::Base64 { media_type, data } => {
                    ["data:", media_type, ";base64,", data].concat().into()
                }
            },
            detail: image.detail.as_deref(),
        }
    }
}

struct Calls<'a>(&'a Message);

impl Serialize for Calls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.tool_calls().map(WireCall))
    }
}

struct WireCall<'a>(&'a ToolCall);

impl Serialize for WireCall<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'a> {
            name: &'a str,
            arguments: &'a str,
        }

        let call = self.0;
        let arguments = match call.arguments.trim() {
            "" => "{}",
            arguments => arguments,
        };
        let mut map = Fields::beside(serializer, &call.extra)?;
        map.field("id", &call.id)?;
        map.field("type", "function")?;
        map.field(
            "function",
            &Function {
                name: &call.name,
                arguments,
            },
        )?;
        map.end()
    }
}

struct Tools<'a>(&'a [Tool]);

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct WireTool<'a> {
            r#type: &'static str,
            function: &'a Tool,
        }

        // `Tool` is written as its fields, which are those of OpenAI's function.
        serializer.collect_seq(self.0.iter().map(|tool| WireTool {
            r#type: "function",
            function: tool,
        }))
    }
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Tool(name) => json!({"type": "function", "function": {"name": name}}),
    }
}

fn response_format(format: &ResponseFormat) -> Value {
    match format {
        ResponseFormat::Text => json!({"type": "text"}),
        ResponseFormat::JsonObject => json!({"type": "json_object"}),
        ResponseFormat::JsonSchema {
            name,
            schema,
            strict,
        } => json!({
            "type": "json_schema",
            "json_schema": {"name": name, "schema": schema, "strict": strict},
        }),
    }
}

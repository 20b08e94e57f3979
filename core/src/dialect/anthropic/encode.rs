//! Request → JSON, written straight from the model.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::DEFAULT_MAX_TOKENS;
use crate::chat::{
    ChatRequest, Extra, Image, ImageSource, Message, Part, ReasoningEffort, ResponseFormat, Role,
    Text, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::dialect::Mode;
use crate::dialect::body::{self, Fields};
use crate::error::Error;

/// The body of a request.
pub(super) fn body(
    takes_sampling: bool,
    model: &str,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Vec<u8>, Error> {
    if let Some(temperature) = request.temperature.filter(|value| *value > 1.0) {
        return Err(Error::invalid(format!(
            "temperature is {temperature}; Anthropic allows 0 to 1"
        )));
    }
    if request.seed.is_some() {
        return Err(Error::invalid("Anthropic has no seed; leave it out"));
    }
    if matches!(request.response_format, Some(ResponseFormat::JsonObject)) {
        return Err(Error::invalid(
            "Anthropic has no JSON mode without a schema; use ResponseFormat::JsonSchema",
        ));
    }
    if let Some(image) = request.messages.iter().find_map(misplaced_image) {
        return Err(Error::invalid(image));
    }
    let speaks = |message: &Message| message.role != Role::System;
    if !request.messages.iter().any(speaks) {
        return Err(Error::invalid(
            "there is only a system prompt; Anthropic answers a user's message",
        ));
    }
    body::write(
        request,
        &Body {
            takes_sampling,
            model,
            request,
            mode,
        },
    )
}

fn misplaced_image(message: &Message) -> Option<String> {
    let has_image = message
        .parts
        .iter()
        .any(|part| matches!(part, Part::Image(_)));
    (has_image && message.role != Role::User).then(|| {
        format!(
            "an image stands in a message of the {}; Anthropic takes images from the user only",
            message.role.as_str()
        )
    })
}

struct Body<'a> {
    takes_sampling: bool,
    model: &'a str,
    request: &'a ChatRequest,
    mode: Mode,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.request;
        let mut map = Fields::replaced_by(serializer, &request.extra)?;
        map.field("model", self.model)?;
        map.field(
            "max_tokens",
            &request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
        )?;
        if let Some(system) = System::of(request) {
            map.field("system", &system)?;
        }
        map.field("messages", &turns(request))?;
        if let Some(temperature) = request.temperature.filter(|_| self.takes_sampling) {
            map.field("temperature", &temperature)?;
        }
        if let Some(top_p) = request.top_p.filter(|_| self.takes_sampling) {
            map.field("top_p", &top_p)?;
        }
        if !request.stop.is_empty() {
            map.field("stop_sequences", &request.stop)?;
        }
        if !request.tools.is_empty() {
            let tools: Vec<_> = request.tools.iter().map(WireTool::new).collect();
            map.field("tools", &tools)?;
        }
        if let Some(choice) = &request.tool_choice {
            map.field("tool_choice", &tool_choice(choice))?;
        }
        if let Some(output) = output_config(request) {
            map.field("output_config", &output)?;
        }
        if self.mode == Mode::Stream {
            map.field("stream", &true)?;
        }
        map.end()
    }
}

/// The system messages, wherever they stand, joined.
struct System<'a>(Vec<&'a Text>);

impl<'a> System<'a> {
    fn of(request: &'a ChatRequest) -> Option<Self> {
        let system = request
            .messages
            .iter()
            .filter(|message| message.role == Role::System)
            .flat_map(|message| &message.parts);
        let texts: Vec<_> = system
            .filter_map(|part| match part {
                Part::Text(text) => Some(text),
                _ => None,
            })
            .collect();
        (!texts.is_empty()).then_some(Self(texts))
    }
}

impl Serialize for System<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [text] if text.extra.is_empty() => serializer.serialize_str(&text.text),
            texts => serializer.collect_seq(texts.iter().map(|text| TextBlock(text))),
        }
    }
}

/// What one side says before the other answers: Anthropic wants a tool's results right after its
/// calls, in one message.
struct Turn<'a> {
    is_assistant: bool,
    parts: Vec<&'a Part>,
}

fn turns(request: &ChatRequest) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in &request.messages {
        if message.role == Role::System {
            continue;
        }
        let is_assistant = message.role == Role::Assistant;
        let parts = message.parts.iter().filter(|part| is_sent(part));
        match turns.last_mut() {
            Some(turn) if turn.is_assistant == is_assistant => turn.parts.extend(parts),
            _ => turns.push(Turn {
                is_assistant,
                parts: parts.collect(),
            }),
        }
    }
    turns.retain(|turn| !turn.parts.is_empty());
    turns
}

/// Anthropic refuses empty text, and reasoning that it cannot verify.
fn is_sent(part: &Part) -> bool {
    match part {
        Part::Text(text) => !text.text.is_empty(),
        Part::Reasoning(reasoning) => {
            reasoning.signature.is_some() || reasoning.encrypted.is_some()
        }
        Part::Refusal(refusal) => !refusal.text.is_empty(),
        _ => true,
    }
}

impl Serialize for Turn<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        let role = if self.is_assistant {
            "assistant"
        } else {
            "user"
        };
        map.serialize_entry("role", role)?;
        match self.parts.as_slice() {
            [Part::Text(text)] if text.extra.is_empty() => {
                map.serialize_entry("content", &text.text)?;
            }
            parts => {
                let blocks: Vec<_> = parts.iter().map(|part| Block(part)).collect();
                map.serialize_entry("content", &blocks)?;
            }
        }
        map.end()
    }
}

struct Block<'a>(&'a Part);

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Part::Text(text) => TextBlock(text).serialize(serializer),
            Part::Refusal(refusal) => TextBlock(&Text::new(&refusal.text)).serialize(serializer),
            Part::Image(image) => ImageBlock(image).serialize(serializer),
            Part::ToolCall(call) => CallBlock(call).serialize(serializer),
            Part::ToolResult(result) => ResultBlock(result).serialize(serializer),
            Part::Reasoning(reasoning) => {
                let mut map = serializer.serialize_map(None)?;
                if let Some(data) = &reasoning.encrypted {
                    map.serialize_entry("type", "redacted_thinking")?;
                    map.serialize_entry("data", data)?;
                } else {
                    map.serialize_entry("type", "thinking")?;
                    map.serialize_entry("thinking", &reasoning.text)?;
                    map.serialize_entry("signature", &reasoning.signature)?;
                }
                map.end()
            }
            Part::Other { value } => value.serialize(serializer),
        }
    }
}

struct TextBlock<'a>(&'a Text);

impl Serialize for TextBlock<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "text")?;
        map.serialize_entry("text", &self.0.text)?;
        extend::<S>(&mut map, &self.0.extra)?;
        map.end()
    }
}

fn extend<S: Serializer>(map: &mut S::SerializeMap, extra: &Extra) -> Result<(), S::Error> {
    for (name, value) in extra {
        map.serialize_entry(name, value)?;
    }
    Ok(())
}

struct ImageBlock<'a>(&'a Image);

impl Serialize for ImageBlock<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Source<'a> {
            Url { url: &'a str },
            Base64 { media_type: &'a str, data: &'a str },
        }

        let source = match &self.0.source {
            ImageSource::Url { url } => Source::Url { url },
            ImageSource::Base64 { media_type, data } => Source::Base64 { media_type, data },
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "image")?;
        map.serialize_entry("source", &source)?;
        extend::<S>(&mut map, &self.0.extra)?;
        map.end()
    }
}

struct CallBlock<'a>(&'a ToolCall);

impl Serialize for CallBlock<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "tool_use")?;
        map.serialize_entry("id", &self.0.id)?;
        map.serialize_entry("name", &self.0.name)?;
        // An object here, though the model wrote text: what is no object goes as an empty one.
        let arguments = self.0.arguments.trim();
        match serde_json::from_str::<&RawValue>(arguments) {
            Ok(object) if arguments.starts_with('{') => map.serialize_entry("input", object)?,
            _ => map.serialize_entry("input", &Extra::new())?,
        }
        extend::<S>(&mut map, &self.0.extra)?;
        map.end()
    }
}

struct ResultBlock<'a>(&'a ToolResult);

impl Serialize for ResultBlock<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "tool_result")?;
        map.serialize_entry("tool_use_id", &self.0.call_id)?;
        match self.0.content.as_slice() {
            [Part::Text(text)] => map.serialize_entry("content", &text.text)?,
            parts => {
                let blocks: Vec<_> = parts.iter().map(Block).collect();
                map.serialize_entry("content", &blocks)?;
            }
        }
        if self.0.is_error {
            map.serialize_entry("is_error", &true)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct WireTool<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl<'a> WireTool<'a> {
    fn new(tool: &'a Tool) -> Self {
        Self {
            name: &tool.name,
            description: tool.description.as_deref(),
            input_schema: &tool.parameters,
            strict: tool.strict,
        }
    }
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => json!({"type": "none"}),
        ToolChoice::Required => json!({"type": "any"}),
        ToolChoice::Tool(name) => json!({"type": "tool", "name": name}),
    }
}

/// How much to reason, and the schema to obey.
fn output_config(request: &ChatRequest) -> Option<Value> {
    let mut config = Extra::new();
    match &request.reasoning_effort {
        // Anthropic's own default is no reasoning.
        None | Some(ReasoningEffort::None) => {}
        Some(ReasoningEffort::Minimal) => drop(config.insert("effort".into(), json!("low"))),
        Some(effort) => drop(config.insert("effort".into(), json!(effort.as_str()))),
    }
    if let Some(ResponseFormat::JsonSchema { schema, .. }) = &request.response_format {
        let format = json!({"type": "json_schema", "schema": schema});
        config.insert("format".into(), format);
    }
    (!config.is_empty()).then_some(Value::Object(config))
}

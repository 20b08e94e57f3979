//! Request → JSON, written straight from the model.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use super::DEFAULT_MAX_TOKENS;
use super::blocks;
use super::model::Model;
use super::thinking::{Thinking, effort};
use crate::chat::{ChatRequest, Extra, Message, Part, ResponseFormat, Role, Tool, ToolChoice};
use crate::dialect::Mode;
use crate::dialect::body::{self, Fields};
use crate::error::Error;

/// The body of a request. `takes_sampling` is what the version says, whatever the model.
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
    for message in &request.messages {
        check(message)?;
    }
    let turns = turns(request);
    if turns.is_empty() {
        return Err(Error::invalid(
            "there is only a system prompt; Anthropic answers a user's message",
        ));
    }
    let takes = Model::of(model);
    let max_tokens = request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS);
    let thinking = Thinking::of(request, takes, max_tokens)?;
    // A model that reasons takes no temperature, whoever asked it to.
    let reasons = match request.extra.get("thinking") {
        Some(own) => own.get("type").is_none_or(|kind| kind != "disabled"),
        None => thinking.as_ref().is_some_and(Thinking::is_on),
    };
    let takes_sampling = takes_sampling && takes.takes_sampling;
    let top_p = request.top_p.filter(|_| takes_sampling);
    let takes_temperature = takes_sampling && !reasons && (takes.takes_both || top_p.is_none());
    body::write(
        request,
        &Body {
            extra: &request.extra,
            model,
            max_tokens,
            system: System::of(request),
            messages: turns,
            thinking,
            temperature: request.temperature.filter(|_| takes_temperature),
            top_p,
            stop_sequences: &request.stop,
            tools: request.tools.iter().map(WireTool::new).collect(),
            tool_choice: request.tool_choice.as_ref().map(WireChoice::new),
            output_config: OutputConfig::of(request, takes),
            stream: mode == Mode::Stream,
        },
    )
}

/// Refuses what this protocol has no place for.
fn check(message: &Message) -> Result<(), Error> {
    let role = message.role.as_str();
    if let Role::Other(_) = message.role {
        return Err(Error::invalid(format!(
            "Anthropic has no role {role:?}; use system, user, assistant or tool"
        )));
    }
    let has = |is: fn(&Part) -> bool| message.parts.iter().any(is);
    if message.role != Role::User && has(|part| matches!(part, Part::Image(_))) {
        return Err(Error::invalid(format!(
            "an image stands in a message of the {role}; Anthropic takes images from the user \
             and in the results of tools only"
        )));
    }
    if message.role == Role::System
        && has(|part| !matches!(part, Part::Text(_) | Part::Other { .. }))
    {
        return Err(Error::invalid("a system prompt can only be text"));
    }
    Ok(())
}

struct Body<'a> {
    extra: &'a Extra,
    model: &'a str,
    max_tokens: u32,
    system: Option<System<'a>>,
    messages: Vec<Turn<'a>>,
    thinking: Option<Thinking>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    stop_sequences: &'a [String],
    tools: Vec<WireTool<'a>>,
    tool_choice: Option<WireChoice<'a>>,
    output_config: Option<OutputConfig<'a>>,
    stream: bool,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = Fields::replaced_by(serializer, self.extra)?;
        fields.field("model", self.model)?;
        fields.field("max_tokens", &self.max_tokens)?;
        if let Some(system) = &self.system {
            fields.field("system", system)?;
        }
        fields.field("messages", &self.messages)?;
        if let Some(thinking) = &self.thinking {
            fields.field("thinking", thinking)?;
        }
        if let Some(temperature) = &self.temperature {
            fields.field("temperature", temperature)?;
        }
        if let Some(top_p) = &self.top_p {
            fields.field("top_p", top_p)?;
        }
        if !self.stop_sequences.is_empty() {
            fields.field("stop_sequences", self.stop_sequences)?;
        }
        if !self.tools.is_empty() {
            fields.field("tools", &self.tools)?;
        }
        if let Some(choice) = &self.tool_choice {
            fields.field("tool_choice", choice)?;
        }
        if let Some(config) = &self.output_config {
            fields.field("output_config", config)?;
        }
        if self.stream {
            fields.field("stream", &true)?;
        }
        fields.end()
    }
}

/// The system messages, wherever they stand, joined.
struct System<'a>(Vec<&'a Part>);

impl<'a> System<'a> {
    fn of(request: &'a ChatRequest) -> Option<Self> {
        let system = request
            .messages
            .iter()
            .filter(|message| message.role == Role::System);
        let parts: Vec<_> = system
            .flat_map(|message| &message.parts)
            .filter(|part| blocks::is_sent(part))
            .collect();
        (!parts.is_empty()).then_some(Self(parts))
    }
}

impl Serialize for System<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        blocks::serialize(&self.0, serializer)
    }
}

/// What one side says before the other answers: Anthropic wants a tool's results right after its
/// calls, in one message, and before anything else in it.
struct Turn<'a> {
    is_assistant: bool,
    parts: Vec<&'a Part>,
}

fn turns(request: &ChatRequest) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in &request.messages {
        let mut parts = message
            .parts
            .iter()
            .filter(|part| blocks::is_sent(part))
            .peekable();
        if message.role == Role::System || parts.peek().is_none() {
            continue;
        }
        let is_assistant = message.role == Role::Assistant;
        match turns.last_mut() {
            Some(turn) if turn.is_assistant == is_assistant => turn.parts.extend(parts),
            _ => turns.push(Turn {
                is_assistant,
                parts: parts.collect(),
            }),
        }
    }
    for turn in turns.iter_mut().filter(|turn| !turn.is_assistant) {
        // Stable: results first, the rest as it was.
        turn.parts
            .sort_by_key(|part| !matches!(part, Part::ToolResult(_)));
    }
    turns
}

impl Serialize for Turn<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Content<'a>(&'a [&'a Part]);

        impl Serialize for Content<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                blocks::serialize(self.0, serializer)
            }
        }

        let role = match self.is_assistant {
            true => "assistant",
            false => "user",
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("role", role)?;
        map.serialize_entry("content", &Content(&self.parts))?;
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

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireChoice<'a> {
    Auto,
    None,
    Any,
    Tool { name: &'a str },
}

impl<'a> WireChoice<'a> {
    fn new(choice: &'a ToolChoice) -> Self {
        match choice {
            ToolChoice::Auto => Self::Auto,
            ToolChoice::None => Self::None,
            ToolChoice::Required => Self::Any,
            ToolChoice::Tool(name) => Self::Tool { name },
        }
    }
}

/// How much to reason, and the schema to obey.
#[derive(Serialize)]
struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'a> {
    JsonSchema { schema: &'a Value },
}

impl<'a> OutputConfig<'a> {
    fn of(request: &'a ChatRequest, takes: Model) -> Option<Self> {
        let effort = effort(request, takes);
        let format = match &request.response_format {
            Some(ResponseFormat::JsonSchema { schema, .. }) => Some(Format::JsonSchema { schema }),
            _ => None,
        };
        (effort.is_some() || format.is_some()).then_some(Self { effort, format })
    }
}

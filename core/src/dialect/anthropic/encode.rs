//! Writes the request's JSON directly from the [`ChatRequest`].

use super::thinking::{self, Thinking, effort};
use super::{Anthropic, AnthropicPlatform, DIALECT, blocks, check};
use crate::chat::{ChatRequest, Part, ResponseFormat, Role, Tool, ToolChoice};
use crate::dialect::Mode;
use crate::dialect::kit::write::{self, ObjectWriter};
use crate::error::Error;
use crate::json::Writer;
use crate::models::ModelRule;
use crate::schema::{ANTHROPIC, reduce};

/// The body of a request.
pub(super) fn body(
    dialect: &Anthropic,
    rule: &ModelRule,
    model: &str,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Vec<u8>, Error> {
    check::check(dialect, request)?;
    let turns = turns(request);
    if turns.is_empty() {
        return Err(Error::invalid(
            "the conversation has only a system prompt; Anthropic requires a user message",
        ));
    }
    let max_tokens = request
        .max_tokens
        .unwrap_or_else(|| thinking::default_max_tokens(request, rule));
    let thinking = Thinking::of(request, rule, max_tokens)?;
    let platform = dialect.platform;
    let mut writer = write::begin(request)?;
    let mut map = ObjectWriter::replaced_by(&mut writer, &request.extra);
    if platform.is_cloud() {
        map.string("anthropic_version", &dialect.version);
    } else {
        map.string("model", model);
    }
    if platform == AnthropicPlatform::Bedrock
        && !dialect.betas.is_empty()
        && let Some(writer) = map.field("anthropic_beta")
    {
        writer.strings(&dialect.betas);
    }
    if let Some(writer) = map.field("max_tokens") {
        writer.count(max_tokens.into());
    }
    let system = system(request);
    if !system.is_empty()
        && let Some(writer) = map.field("system")
    {
        blocks::write(writer, &system);
    }
    if let Some(writer) = map.field("messages") {
        writer.open('[');
        for turn in &turns {
            turn.write(writer);
        }
        writer.close(']');
    }
    match &thinking {
        Some(Thinking::Disabled) if !rule.reasoning_off.is_empty() => {
            map.members(&rule.reasoning_off);
        }
        Some(thinking) => {
            if let Some(writer) = map.field("thinking") {
                thinking.write(writer, dialect.thinking_display.as_deref());
            }
        }
        None => {}
    }
    if let Some(temperature) = request.temperature
        && let Some(writer) = map.field("temperature")
    {
        writer.float(temperature);
    }
    if let Some(top_p) = request.top_p
        && let Some(writer) = map.field("top_p")
    {
        writer.float(top_p);
    }
    if !request.stop.is_empty()
        && let Some(writer) = map.field("stop_sequences")
    {
        writer.strings(&request.stop);
    }
    if !request.tools.is_empty()
        && let Some(writer) = map.field("tools")
    {
        writer.open('[');
        for tool in &request.tools {
            write_tool(writer, tool);
        }
        writer.close(']');
    }
    if let Some(choice) = &request.tool_choice
        && let Some(writer) = map.field("tool_choice")
    {
        write_choice(writer, choice);
    }
    output_config(&mut map, request, rule);
    if mode == Mode::Stream
        && platform != AnthropicPlatform::Bedrock
        && let Some(writer) = map.field("stream")
    {
        writer.boolean(true);
    }
    map.end();
    Ok(writer.into_bytes())
}

/// The parts of all system messages, wherever they are in the conversation.
fn system(request: &ChatRequest) -> Vec<&Part> {
    let system = request
        .messages
        .iter()
        .filter(|message| message.role == Role::System);
    system
        .flat_map(|message| &message.parts)
        .filter(|part| blocks::is_sent(part))
        .collect()
}

/// All that one side says before the other side answers. Anthropic requires the results of tools
/// right after their calls, in one message, before anything else in it.
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
        // Results come first. The order is kept within both groups.
        let (mut parts, rest) = turn
            .parts
            .drain(..)
            .partition::<Vec<_>, _>(|part| matches!(part, Part::ToolResult(_)));
        parts.extend(rest);
        turn.parts = parts;
    }
    turns
}

impl Turn<'_> {
    fn write(&self, writer: &mut Writer) {
        let role = match self.is_assistant {
            true => "assistant",
            false => "user",
        };
        writer.open('{');
        writer.member("role", role);
        writer.key("content");
        blocks::write(writer, &self.parts);
        writer.close('}');
    }
}

fn write_tool(writer: &mut Writer, tool: &Tool) {
    let mut map = ObjectWriter::beside(writer, DIALECT, &tool.extra);
    map.string("name", &tool.name);
    if let Some(description) = &tool.description {
        map.string("description", description);
    }
    if let Some(writer) = map.field("input_schema") {
        match tool.strict {
            Some(true) => writer.value(&reduce(&tool.parameters, &ANTHROPIC)),
            _ => writer.value(&tool.parameters),
        }
    }
    if let Some(strict) = tool.strict
        && let Some(writer) = map.field("strict")
    {
        writer.boolean(strict);
    }
    map.end();
}

fn write_choice(writer: &mut Writer, choice: &ToolChoice) {
    writer.open('{');
    match choice {
        ToolChoice::Auto => writer.member("type", "auto"),
        ToolChoice::None => writer.member("type", "none"),
        ToolChoice::Required => writer.member("type", "any"),
        ToolChoice::Tool(name) => {
            writer.member("type", "tool");
            writer.member("name", name);
        }
    }
    writer.close('}');
}

/// Writes the effort of the reasoning, and the schema for the answer.
fn output_config(map: &mut ObjectWriter<'_, '_>, request: &ChatRequest, rule: &ModelRule) {
    let effort = effort(request, rule);
    let schema = match &request.response_format {
        Some(ResponseFormat::JsonSchema { schema, .. }) => Some(schema),
        _ => None,
    };
    if effort.is_none() && schema.is_none() {
        return;
    }
    let Some(writer) = map.field("output_config") else {
        return;
    };
    writer.open('{');
    if let Some(effort) = effort {
        writer.member("effort", effort);
    }
    if let Some(schema) = schema {
        writer.key("format");
        writer.open('{');
        writer.member("type", "json_schema");
        writer.key("schema");
        writer.value(&reduce(schema, &ANTHROPIC));
        writer.close('}');
    }
    writer.close('}');
}

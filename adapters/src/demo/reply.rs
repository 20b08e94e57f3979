//! What the model says, cut to what was allowed, and counted.

use serde_json::Value;

use super::ask::{Ask, Speaker, ToolChoice, ToolSpec};
use super::model;
use super::tokens::{count, tokens};

/// What the model says.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) content: Content,
    pub(super) end: End,
    pub(super) prompt_tokens: u64,
    pub(super) tokens: u64,
}

#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    /// A tool, and its arguments as JSON text.
    ToolCall {
        name: String,
        arguments: String,
    },
}

/// Why it says no more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    /// It came to this text, which is not part of the answer.
    Stop(String),
    Length,
    ToolCall,
}

impl Reply {
    pub(super) fn to(ask: &Ask) -> Self {
        let prompt_tokens = ask.prompt_tokens();
        if let Some(tool) = wanted_tool(ask) {
            let prompt = ask.last().map_or("", |turn| turn.text.as_str());
            let arguments = model::fill(&tool.parameters, prompt).to_string();
            let (arguments, end, tokens) = shorten(arguments, End::ToolCall, ask.max_tokens);
            return Self {
                content: Content::ToolCall {
                    name: tool.name.clone(),
                    arguments,
                },
                end,
                prompt_tokens,
                tokens: tokens + count(&tool.name),
            };
        }
        let mut text = model::answer(ask);
        let mut end = End::Done;
        let first_stop = ask
            .stop
            .iter()
            .filter_map(|stop| text.find(stop).map(|place| (place, stop)))
            .min_by_key(|(place, _)| *place);
        if let Some((place, stop)) = first_stop {
            text.truncate(place);
            end = End::Stop(stop.clone());
        }
        let (text, end, tokens) = shorten(text, end, ask.max_tokens);
        Self {
            content: Content::Text(text),
            end,
            prompt_tokens,
            tokens,
        }
    }
}

/// Cuts `text` where it has more tokens than allowed.
fn shorten(mut text: String, end: End, max_tokens: Option<u64>) -> (String, End, u64) {
    let limit = max_tokens.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
    let all = count(&text);
    let kept: usize = tokens(&text).take(limit).map(str::len).sum();
    if kept == text.len() {
        return (text, end, all);
    }
    text.truncate(kept);
    (text, End::Length, limit as u64)
}

/// The tool that must be called, or that the prompt asks for by its name.
fn wanted_tool(ask: &Ask) -> Option<&ToolSpec> {
    // A result has come: it is told, and no tool is called again.
    let last = ask.last().filter(|turn| turn.speaker == Speaker::User)?;
    let named = |tool: &&ToolSpec| is_named(&last.text, &tool.name);
    match &ask.tool_choice {
        ToolChoice::None => None,
        ToolChoice::Auto => ask.tools.iter().find(named),
        ToolChoice::Required => ask.tools.iter().find(named).or(ask.tools.first()),
        ToolChoice::Named(name) => ask.tools.iter().find(|tool| tool.name == *name),
    }
}

/// Whether the prompt names the tool: `get_weather`, or `get weather`.
fn is_named(prompt: &str, name: &str) -> bool {
    let prompt = prompt.to_lowercase();
    let name = name.to_lowercase();
    !name.is_empty() && (prompt.contains(&name) || prompt.contains(&name.replace(['_', '-'], " ")))
}

/// The JSON of an answer's arguments as an object, where it was not cut.
pub(super) fn as_object(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
}

//! Events as JSON.

use chatcore::chat::Extra;
use chatcore::{ChatEvent, ChatResponse, Part, Usage};
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::error::ErrorView;

/// One element of the array that a network read becomes.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Item {
    Event(EventView),
    Error(ErrorView),
}

/// A [`ChatEvent`] as it crosses the border.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum EventView {
    Start {
        id: Option<String>,
        model: Option<String>,
    },
    Text {
        text: String,
    },
    Reasoning {
        text: String,
    },
    ReasoningSignature {
        signature: String,
    },
    Refusal {
        text: String,
    },
    ToolCallStart {
        index: usize,
        id: String,
        name: String,
    },
    ToolCallArguments {
        index: usize,
        fragment: String,
    },
    ToolCallExtra {
        index: usize,
        extra: Extra,
    },
    Part {
        part: Part,
    },
    PartEnd,
    PartExtra {
        extra: Extra,
    },
    MessageExtra {
        extra: Extra,
    },
    Usage {
        usage: Usage,
    },
    Extra {
        extra: Extra,
    },
    Finish {
        reason: String,
        raw: String,
    },
    /// After the last event: all of them, folded.
    Response {
        response: Box<ChatResponse>,
    },
    Unknown,
}

impl From<ChatEvent> for EventView {
    fn from(event: ChatEvent) -> Self {
        match event {
            ChatEvent::Start { id, model } => Self::Start { id, model },
            ChatEvent::Text(text) => Self::Text { text },
            ChatEvent::Reasoning(text) => Self::Reasoning { text },
            ChatEvent::ReasoningSignature(signature) => Self::ReasoningSignature { signature },
            ChatEvent::Refusal(text) => Self::Refusal { text },
            ChatEvent::ToolCallStart { index, id, name } => Self::ToolCallStart { index, id, name },
            ChatEvent::ToolCallArguments { index, fragment } => {
                Self::ToolCallArguments { index, fragment }
            }
            ChatEvent::ToolCallExtra { index, extra } => Self::ToolCallExtra { index, extra },
            ChatEvent::Part(part) => Self::Part { part },
            ChatEvent::PartEnd => Self::PartEnd,
            ChatEvent::PartExtra(extra) => Self::PartExtra { extra },
            ChatEvent::MessageExtra(extra) => Self::MessageExtra { extra },
            ChatEvent::Usage(usage) => Self::Usage { usage },
            ChatEvent::Extra(extra) => Self::Extra { extra },
            ChatEvent::Finish { reason, raw } => Self::Finish {
                reason: reason.into(),
                raw,
            },
            _ => Self::Unknown,
        }
    }
}

/// JSON text as a string of the host.
pub(crate) fn to_js(value: &impl Serialize) -> JsValue {
    // The types here have string keys only, so that this does not fail.
    JsValue::from_str(&serde_json::to_string(value).unwrap_or_default())
}

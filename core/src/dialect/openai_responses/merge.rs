//! Converts the caller's extra fields to the form that Responses expect: members of an object that
//! chatcore writes too, and fields of chat completions.

use std::borrow::Cow;

use serde_json::Value;

use super::encode::text_format;
use crate::chat::{ChatRequest, Extra};
use crate::models::ModelRule;

/// The names of the token limit in chat completions.
const LIMITS: [&str; 2] = ["max_completion_tokens", "max_tokens"];

/// Fields of chat completions with their place in Responses: a field and its member.
const MEMBERS: [(&str, &str, &str); 3] = [
    ("reasoning_effort", "reasoning", "effort"),
    ("response_format", "text", "format"),
    ("verbosity", "text", "verbosity"),
];

/// The caller's extra fields. The request's own settings are added to an object of the caller, so
/// that a summary of the reasoning can be set beside its effort. Fields of chat completions are
/// converted to those of Responses, because a call may go to either.
pub(super) fn merged<'a>(rule: &ModelRule, request: &'a ChatRequest) -> Cow<'a, Extra> {
    if request.extra.is_empty() {
        return Cow::Borrowed(&request.extra);
    }
    let mut extra = request.extra.clone();
    for (name, outer, inner) in MEMBERS {
        if let Some(value) = take(&mut extra, name) {
            let object = extra.entry(outer).or_insert_with(|| Extra::new().into());
            add(object, inner, || flattened(value));
        }
    }
    // The request's own settings, unless the caller's object already has them.
    if let (Some(effort), Some(object)) = (&request.reasoning_effort, extra.get_mut("reasoning")) {
        add(object, "effort", || rule.effort(effort.as_str()).into());
    }
    if let (Some(format), Some(object)) = (&request.response_format, extra.get_mut("text")) {
        add(object, "format", || text_format(format).into());
    }
    // Chat completions have two names for the limit.
    for name in LIMITS {
        if let Some(limit) = take(&mut extra, name) {
            extra.entry("max_output_tokens").or_insert(limit);
        }
    }
    if let Some(Value::Array(tools)) = extra.get_mut("tools") {
        for tool in tools {
            *tool = flat_tool(tool.take());
        }
    }
    if let Some(choice) = extra.get_mut("tool_choice") {
        *choice = flattened(choice.take());
    }
    Cow::Owned(extra)
}

/// Removes a field, and keeps the order of the others.
fn take(extra: &mut Extra, name: &str) -> Option<Value> {
    let value = extra.get_mut(name)?.take();
    extra.retain(|known, _| known != name);
    Some(value)
}

/// Adds a member to an object, unless the object already has it.
fn add(object: &mut Value, name: &str, value: impl FnOnce() -> Value) {
    if let Value::Object(members) = object {
        members.entry(name).or_insert_with(value);
    }
}

/// Converts a tool. A tool in the shape of chat completions is strict only if it says so, but
/// Responses treat a tool without `strict` as strict.
fn flat_tool(tool: Value) -> Value {
    let is_nested = tool["function"].is_object();
    let mut tool = flattened(tool);
    if is_nested && tool["type"] == "function" {
        add(&mut tool, "strict", || false.into());
    }
    tool
}

/// Chat completions nest an object's fields in a member that is named like its type,
/// `{"type": "function", "function": {"name": "f"}}`. Responses have them beside the type.
fn flattened(value: Value) -> Value {
    let Value::Object(mut fields) = value else {
        return value;
    };
    let kind = fields
        .get("type")
        .and_then(Value::as_str)
        .map(str::to_owned);
    if let Some(kind) = kind
        && fields.get(&kind).is_some_and(Value::is_object)
        && let Some(Value::Object(members)) = take(&mut fields, &kind)
    {
        for (name, member) in members {
            let member = match (&*name, member) {
                // The grammar of a custom tool, and the list of allowed tools in a tool choice.
                ("format", format) => flattened(format),
                ("tools", Value::Array(tools)) => tools.into_iter().map(flattened).collect(),
                (_, member) => member,
            };
            fields.entry(name).or_insert(member);
        }
    }
    Value::Object(fields)
}

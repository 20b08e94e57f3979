//! Whether a call that the model asks for can run.

use std::sync::Arc;

use super::output::ToolError;
use super::registry::Toolbox;
use super::runnable::{RunnableTool, ToolContext};
use crate::chat::ToolCall;
use crate::quote::Quoted;

/// The most names that an error tells the model.
const MAX_NAMES: usize = 20;

/// A call that can run.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) tool: Arc<dyn RunnableTool>,
    pub(super) context: ToolContext,
}

/// Finds the tool of each call and reads its arguments. `is_cut` says that the answer was cut off,
/// so that its last call may be incomplete.
///
/// The error of a call says what the model can do about it.
pub(super) fn prepare(
    toolbox: &Toolbox,
    calls: &[ToolCall],
    turn: u32,
    is_cut: bool,
) -> Vec<Result<Ready, ToolError>> {
    let prepare = |(index, call): (usize, &ToolCall)| {
        let mut before = calls[..index].iter();
        if !call.id.is_empty() && before.any(|other| other.id == call.id) {
            return Err(ToolError::new(format!(
                "not run: another call of this turn has the id {}; call the tool again, with an \
                 id of its own for each call",
                Quoted(&call.id)
            )));
        }
        if is_cut && index + 1 == calls.len() {
            return Err(ToolError::new(
                "not run: the answer was cut off at its token limit, so this call may be \
                 incomplete; call the tool again, with shorter arguments",
            ));
        }
        ready(toolbox, call, turn)
    };
    calls.iter().enumerate().map(prepare).collect()
}

fn ready(toolbox: &Toolbox, call: &ToolCall, turn: u32) -> Result<Ready, ToolError> {
    let Some(tool) = toolbox.get(&call.name) else {
        return Err(unknown(toolbox, &call.name));
    };
    let arguments = call.arguments_json().map_err(|error| {
        ToolError::new(format!(
            "not run: the arguments are not valid JSON ({error}); call the tool again with a JSON \
             object that matches its schema"
        ))
    })?;
    if !arguments.is_object() {
        return Err(ToolError::new(
            "not run: the arguments are not a JSON object; call the tool again with a JSON object \
             that matches its schema",
        ));
    }
    Ok(Ready {
        tool: Arc::clone(tool),
        context: ToolContext::new(&call.id, &call.name, arguments).turn(turn),
    })
}

fn unknown(toolbox: &Toolbox, name: &str) -> ToolError {
    let names: Vec<&str> = toolbox
        .definitions()
        .take(MAX_NAMES)
        .map(|tool| tool.name.as_str())
        .collect();
    let known = match names.is_empty() {
        true => "there are no tools".to_owned(),
        false => format!("use one of: {}", names.join(", ")),
    };
    ToolError::new(format!("there is no tool named {}; {known}", Quoted(name)))
}

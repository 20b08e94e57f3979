//! Ids for tool calls that came without one.

use std::borrow::Cow;

use crate::chat::{ChatRequest, Part};

/// The request with an id for each tool call, for a dialect that demands them: some dialects
/// (Gemini's, Ollama's) have calls without ids, whose results stand in the order of the calls. The
/// same call gets the same id each time. A request whose calls all have ids is not copied.
///
/// ```
/// use chatcore::dialect::kit::with_ids;
/// use chatcore::{ChatRequest, Message, Part, Role, ToolCall};
///
/// let call = Part::ToolCall(ToolCall::new("", "weather", "{}"));
/// let called = Message::new(Role::Assistant, [call]);
/// let request = ChatRequest::new([called, Message::tool_result("", "rain")]);
/// let request = with_ids(&request);
/// let call = request.messages[0].tool_calls().next().unwrap();
/// assert_eq!(call.id, "call00001");
/// ```
pub fn with_ids(request: &ChatRequest) -> Cow<'_, ChatRequest> {
    let mut parts = request.messages.iter().flat_map(|message| &message.parts);
    let lacks_one = parts.any(|part| match part {
        Part::ToolCall(call) => call.id.is_empty(),
        Part::ToolResult(result) => result.call_id.is_empty(),
        _ => false,
    });
    if !lacks_one {
        return Cow::Borrowed(request);
    }
    let mut request = request.clone();
    let [mut calls, mut results] = [0, 0];
    for message in &mut request.messages {
        for part in &mut message.parts {
            match part {
                Part::ToolCall(call) if call.id.is_empty() => call.id = next(&mut calls),
                Part::ToolResult(result) if result.call_id.is_empty() => {
                    result.call_id = next(&mut results);
                }
                _ => {}
            }
        }
    }
    Cow::Owned(request)
}

/// Nine letters and digits, which is all that Mistral takes.
fn next(count: &mut u32) -> String {
    *count += 1;
    format!("call{count:05}")
}

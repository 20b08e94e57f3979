//! Ids for tool calls that have none.

use std::borrow::Cow;

use crate::chat::{ChatRequest, Part};

/// Gives each tool call and result an id, for a dialect that requires one. Some dialects (Gemini,
/// Ollama) have calls without ids and match results to calls by their order. The ids are
/// numbered in order, so that a call keeps its id as the conversation grows. A request that has all
/// its ids is not copied.
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

/// Nine letters and digits, because Mistral accepts nothing else.
fn next(count: &mut u32) -> String {
    *count += 1;
    format!("call{count:05}")
}

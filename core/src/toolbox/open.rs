//! The calls of a conversation that have no result yet.

use crate::chat::{Message, Part, ToolCall};

/// The calls of the last answer that no later message has a result for. None, if something other
/// than results follows that answer: then the conversation has gone on without them.
pub(super) fn open_calls(messages: &[Message]) -> Vec<ToolCall> {
    let is_results = |message: &Message| {
        let mut parts = message.parts.iter();
        !message.parts.is_empty() && parts.all(|part| matches!(part, Part::ToolResult(_)))
    };
    let results = messages
        .iter()
        .rev()
        .take_while(|message| is_results(message));
    let results = results.count();
    let (before, results) = messages.split_at(messages.len() - results);
    let Some(answer) = before.last() else {
        return Vec::new();
    };
    // Several calls may have the same id, and each result belongs to one of them.
    let mut answered: Vec<&str> = results
        .iter()
        .flat_map(|message| &message.parts)
        .filter_map(|part| match part {
            Part::ToolResult(result) => Some(result.call_id.as_str()),
            _ => None,
        })
        .collect();
    let mut open = Vec::new();
    for call in answer.tool_calls() {
        match answered.iter().position(|id| *id == call.id) {
            Some(place) => {
                answered.swap_remove(place);
            }
            None => open.push(call.clone()),
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Role;

    fn asked(ids: &[&str]) -> Message {
        let calls = ids.iter().map(|id| ToolCall::new(*id, "f", "{}").into());
        Message::new(Role::Assistant, calls.collect::<Vec<_>>())
    }

    fn open(messages: &[Message]) -> Vec<String> {
        let calls = open_calls(messages).into_iter();
        calls.map(|call| call.id).collect()
    }

    #[test]
    fn calls_without_a_result_are_open() {
        let user = || Message::user("x");
        assert!(open(&[]).is_empty());
        assert!(open(&[user()]).is_empty());
        assert_eq!(open(&[user(), asked(&["a", "b"])]), ["a", "b"]);
        let result = |id: &str| Message::tool_result(id, "y");
        assert_eq!(open(&[user(), asked(&["a", "b"]), result("b")]), ["a"]);
        assert!(open(&[user(), asked(&["a"]), result("a")]).is_empty());
        assert_eq!(open(&[asked(&["", ""]), result("")]), [""]);
        assert!(open(&[asked(&["a"]), user()]).is_empty());
    }
}

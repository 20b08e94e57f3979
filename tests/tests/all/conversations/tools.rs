//! Conversations with tools.

use chatcore::{ChatCall, ChatResponse, FinishReason, FunctionTool, Message, Tool, Toolbox};
use serde_json::{Value, json};

use super::askers::Asker;

fn tools(call: ChatCall) -> ChatCall {
    let city = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let number = json!({"type": "object", "properties": {"number": {"type": "integer"}}});
    let nothing = json!({"type": "object", "properties": {}});
    call.tool(Tool::new("get_weather", city))
        .tool(Tool::new("get_time", nothing))
        .tool(Tool::new("step", number))
}

/// The calls of an answer: their names and arguments.
fn calls(answer: &ChatResponse) -> Vec<(&str, Value)> {
    assert_eq!(answer.finish_reason, Some(FinishReason::ToolCalls));
    let calls = answer.tool_calls();
    calls
        .map(|call| (call.name.as_str(), call.arguments_json().unwrap()))
        .collect()
}

/// The answer and the results of its calls, as the next messages.
fn with_results(answer: ChatResponse, results: &[&str]) -> Vec<Message> {
    let ids: Vec<_> = answer.tool_calls().map(|call| call.id.clone()).collect();
    assert_eq!(ids.len(), results.len());
    let results = ids.into_iter().zip(results);
    let results = results.map(|(id, result)| Message::tool_result(id, *result));
    [answer.message].into_iter().chain(results).collect()
}

pub(super) fn one_tool(asker: &Asker) {
    let mut messages = vec![Message::user("weather in one city")];
    let answer = asker.ask(&messages, tools).unwrap();
    assert_eq!(calls(&answer), [("get_weather", json!({"city": "Zürich"}))]);
    messages.extend(with_results(answer, &["7 degrees"]));
    let answer = asker.ask(&messages, tools).unwrap();
    assert_eq!(answer.text(), "It is 7 degrees in Zürich.");
}

pub(super) fn two_tools_at_once(asker: &Asker) {
    let mut messages = vec![Message::user("weather in two cities")];
    let answer = asker.ask(&messages, tools).unwrap();
    let expected = [
        ("get_weather", json!({"city": "Zürich"})),
        ("get_time", json!({})),
    ];
    assert_eq!(calls(&answer), expected);
    messages.extend(with_results(answer, &["7 degrees", "noon"]));
    let answer = asker.ask(&messages, tools).unwrap();
    assert_eq!(answer.text(), "It is 7 degrees, at noon.");
    messages.extend([answer.message, Message::user("tides")]);
    let answer = asker.ask(&messages, tools).unwrap();
    assert!(answer.text().starts_with("The moon"));
}

pub(super) fn a_tool_after_a_tool(asker: &Asker) {
    let mut messages = vec![Message::user("step by step")];
    for (number, result) in [(1, "first done"), (2, "second done")] {
        let answer = asker.ask(&messages, tools).unwrap();
        assert_eq!(calls(&answer), [("step", json!({"number": number}))]);
        messages.extend(with_results(answer, &[result]));
    }
    let answer = asker.ask(&messages, tools).unwrap();
    assert_eq!(answer.text(), "Both steps are done.");
}

/// The same tools in a toolbox: two at once, and one after the other.
pub(super) fn a_loop_over_tools(asker: &Asker) {
    let done = |arguments: Value| async move {
        match arguments["number"].as_u64() {
            Some(1) => "first done",
            Some(2) => "second done",
            _ => "not asked for",
        }
    };
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let weather = Tool::new("get_weather", object(json!({"city": {"type": "string"}})));
    let weather = FunctionTool::new(weather, |arguments: Value| async move {
        assert_eq!(arguments, json!({"city": "Zürich"}));
        "7 degrees"
    });
    let time = Tool::new("get_time", object(json!({})));
    let time = FunctionTool::new(time, |_: Value| async { "noon" });
    let step = Tool::new("step", object(json!({"number": {"type": "integer"}})));
    let mut tools = Toolbox::new();
    tools.add(weather).unwrap().add(time).unwrap();
    tools.add(FunctionTool::new(step, done)).unwrap();

    let answer = asker.run("weather in two cities", &tools).unwrap();
    assert_eq!(answer.text(), "It is 7 degrees, at noon.");
    assert_eq!((answer.turns, answer.messages.len()), (2, 4));
    let answer = asker.run("step by step", &tools).unwrap();
    assert_eq!(answer.text(), "Both steps are done.");
    assert_eq!((answer.turns, answer.messages.len()), (3, 6));
}

/// A tool is called in one dialect, and the conversation continues in another.
pub(super) fn hand_over(first: &Asker, second: &Asker) {
    let names = format!("{} to {}", first.name(), second.name());
    let mut messages = vec![Message::user("think it over")];
    let answer = first.ask(&messages, |call| call).unwrap();
    messages.extend([answer.message, Message::user("weather in one city")]);
    let answer = first.ask(&messages, tools).unwrap();
    messages.extend(with_results(answer, &["7 degrees"]));
    let kept = serde_json::to_string(&messages).unwrap();
    let messages: Vec<Message> = serde_json::from_str(&kept).unwrap();
    let answer = second.ask(&messages, tools);
    let answer = answer.unwrap_or_else(|error| panic!("{names}: {error:?}"));
    assert_eq!(answer.text(), "It is 7 degrees in Zürich.", "{names}");
}

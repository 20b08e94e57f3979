//! What a loop does with calls: order, concurrency, and what it returns.

use chatcore::{FunctionTool, Message, Role, Tool, ToolCall, ToolChoice, Toolbox};
use chatcore_adapters::sim::Sim;
use serde_json::{Value, json};

use super::replies::{Ask, calls, chat, text};
use super::{Log, asking, results, tools, waits};
use crate::jobs::client;

#[test]
fn an_answer_without_calls_ends_the_loop() {
    let sim = Sim::new(1);
    let (client, server) = asking(&sim, vec![]);
    let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
    let answer = sim.run(async move { work.await }).unwrap();
    assert_eq!((answer.text().as_ref(), answer.turns), ("Done.", 1));
    assert_eq!(answer.messages.len(), 2);
    let tools = server.sent()[0].body["tools"].as_array().unwrap().len();
    assert_eq!(tools, 3);
}

#[test]
fn calls_of_a_turn_run_at_once_and_results_keep_their_order() {
    let sim = Sim::new(1);
    let log = Log::default();
    let turns = vec![
        vec![waits("a", 3), waits("b", 1), waits("c", 2)],
        vec![waits("d", 1)],
    ];
    let (client, server) = asking(&sim, turns);
    let work = client.ask("Hi").toolbox(&tools(&sim, &log));
    let answer = sim.run(async move { work.await }).unwrap();
    let expected = [
        "a begins at 0",
        "b begins at 0",
        "c begins at 0",
        "b ends at 1",
        "c ends at 2",
        "a ends at 3",
        "d begins at 3",
        "d ends at 4",
    ];
    assert_eq!(log.all(), expected);
    let roles = answer.messages.iter().map(|message| message.role.as_str());
    let expected = [
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "assistant",
    ];
    assert_eq!(roles.collect::<Vec<_>>(), expected);
    assert_eq!((answer.turns, answer.attempts), (3, 3));
    assert_eq!(answer.usage.unwrap().total_tokens(), 24);
    let last = server.sent().pop().unwrap().body;
    let messages = last["messages"].as_array().unwrap().iter();
    let told: Vec<_> = messages
        .filter(|message| message["role"] == "tool")
        .map(|message| [&message["tool_call_id"], &message["content"]])
        .collect();
    let expected = [
        ["c0", "a is done"],
        ["c1", "b is done"],
        ["c2", "c is done"],
        ["c0", "d is done"],
    ];
    assert_eq!(json!(told), json!(expected));
}

#[test]
fn the_number_of_calls_at_once_is_limited() {
    let sim = Sim::new(1);
    let log = Log::default();
    let turn = ["a", "b", "c", "d"].map(|name| waits(name, 2)).to_vec();
    let (client, _) = asking(&sim, vec![turn]);
    let work = client.ask("Hi").toolbox(&tools(&sim, &log)).concurrency(1);
    sim.run(async move { work.await }).unwrap();
    let begun: Vec<_> = log.all();
    let begun = begun.iter().filter(|line| line.contains("begins"));
    let expected = [
        "a begins at 0",
        "b begins at 2",
        "c begins at 4",
        "d begins at 6",
    ];
    assert_eq!(begun.collect::<Vec<_>>(), expected);
}

#[test]
fn a_call_that_the_conversation_leaves_open_is_run_first() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, server) = asking(&sim, vec![]);
    let asked = |id: &str, (name, arguments): (&str, String)| ToolCall::new(id, name, arguments);
    let open = Message::new(
        Role::Assistant,
        [
            asked("x", waits("a", 1)).into(),
            asked("y", waits("b", 1)).into(),
        ],
    );
    let messages = [
        Message::user("Hi"),
        open,
        Message::tool_result("x", "done before"),
    ];
    let work = client.ask(&messages).toolbox(&tools(&sim, &log));
    let answer = sim.run(async move { work.await }).unwrap();
    assert_eq!(log.all(), ["b begins at 0", "b ends at 1"]);
    let told = results(&answer.messages);
    assert_eq!(told[1], ("y".into(), "b is done".into(), false));
    assert_eq!((answer.turns, server.sent().len()), (1, 1));
}

#[test]
fn a_required_call_is_required_once() {
    let sim = Sim::new(1);
    let (client, server) = asking(&sim, vec![vec![waits("a", 0)]]);
    let call = client.ask("Hi").tool_choice(ToolChoice::Required);
    let work = call.toolbox(&tools(&sim, &Log::default()));
    sim.run(async move { work.await }).unwrap();
    let sent = server.sent();
    assert_eq!(sent[0].body["tool_choice"], "required");
    assert_eq!(sent[1].body["tool_choice"], Value::Null);
}

#[test]
fn a_call_of_the_callers_own_tool_ends_the_loop() {
    let sim = Sim::new(1);
    let log = Log::default();
    let turn = vec![waits("a", 1), ("show", "{}".to_owned())];
    let (client, server) = asking(&sim, vec![turn]);
    let show = Tool::new("show", json!({"type": "object", "properties": {}}));
    let tools = tools(&sim, &log);
    let work = client.ask("Hi").tool(show.clone()).toolbox(&tools);
    let answer = sim.run(async move { work.await }).unwrap();
    assert_eq!(answer.response.tool_calls().count(), 2);
    assert_eq!((log.all().len(), server.sent().len()), (0, 1));
    // The caller adds its result, and the loop runs the other call.
    let mut messages = answer.messages;
    messages.push(Message::tool_result("c1", "shown"));
    let work = client.ask(&messages).tool(show).toolbox(&tools);
    let answer = sim.run(async move { work.await }).unwrap();
    assert_eq!(answer.text(), "Done.");
    assert_eq!(log.all(), ["a begins at 0", "a ends at 1"]);
}

#[test]
fn an_answer_that_was_cut_runs_only_its_complete_calls() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, _) = client(
        &sim,
        chat(),
        |b| b,
        |number, sent| match number {
            0 => {
                let mut ask = Ask::of(&[waits("a", 0), ("wait", String::new())]);
                ask.reason = "length";
                calls(sent, &ask)
            }
            _ => text(sent, "Done."),
        },
    );
    let work = client.ask("Hi").toolbox(&tools(&sim, &log));
    let answer = sim.run(async move { work.await }).unwrap();
    assert_eq!(log.all(), ["a begins at 0", "a ends at 0"]);
    let told = results(&answer.messages);
    assert!(
        told[1].2 && told[1].1.contains("cut off at its token limit"),
        "{told:?}"
    );
}

#[test]
fn a_toolbox_refuses_a_name_twice() {
    let tool = || FunctionTool::new(Tool::new("f", json!({})), |_: Value| async { "x" });
    let mut tools = Toolbox::new();
    tools.add(tool()).unwrap();
    let error = tools.add(tool()).unwrap_err();
    assert!(
        error.message().contains("already has a tool named \"f\""),
        "{error}"
    );
    assert_eq!(tools.definitions().count(), 1);
}

//! Loops where programs use them: in a batch, in tools of other loops, with closures that return
//! what they have.

use chatcore::schemars::{self, JsonSchema};
use chatcore::{
    BatchProcessor, ErrorKind, FunctionTool, Tool, ToolError, ToolOutput, Toolbox,
    gather_with_limit,
};
use chatcore_adapters::sim::Sim;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::replies::{Ask, calls, chat, text};
use super::{results, waits};
use crate::jobs::client;

#[derive(Deserialize, JsonSchema)]
struct Sum {
    a: i64,
    b: i64,
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[derive(Serialize)]
struct Place {
    city: &'static str,
}

/// What a tool returned, as the model reads it.
fn returned(tool: FunctionTool, arguments: Value) -> (String, bool) {
    let sim = Sim::new(1);
    let mut tools = Toolbox::new();
    tools.add(tool).unwrap();
    let (client, _) = client(
        &sim,
        chat(),
        |b| b,
        move |number, sent| match number {
            0 => calls(sent, &Ask::of(&[("f", arguments.to_string())])),
            _ => text(sent, "Done."),
        },
    );
    let work = client.ask("Hi").toolbox(&tools);
    let answer = sim.run(async move { work.await }).unwrap();
    let (_, text, is_error) = results(&answer.messages).remove(0);
    (text, is_error)
}

#[test]
fn closures_return_what_they_have() {
    let sum = FunctionTool::of("f", "", |sum: Sum| async move { sum.a + sum.b });
    assert_eq!(returned(sum, json!({"a": 1, "b": 2})), ("3".into(), false));
    let half = FunctionTool::of("f", "", |sum: Sum| async move {
        match sum.b {
            0 => Err(ToolError::new("b is 0")),
            b => Ok(sum.a as f64 / b as f64),
        }
    });
    assert_eq!(
        returned(half, json!({"a": 1, "b": 2})),
        ("0.5".into(), false)
    );
    let is = FunctionTool::of("f", "", |_: Nothing| async { true });
    assert_eq!(returned(is, json!({})), ("true".into(), false));
    let done = FunctionTool::of("f", "", |_: Nothing| async {});
    assert_eq!(returned(done, json!({})), ("null".into(), false));
    let place = FunctionTool::of("f", "", |_: Nothing| async {
        ToolOutput::json(&Place { city: "Lyon" })
    });
    let expected = (r#"{"city":"Lyon"}"#.to_owned(), false);
    assert_eq!(returned(place, json!({})), expected);
}

#[test]
fn arguments_that_are_no_object_are_refused_when_the_tool_is_added() {
    let mut tools = Toolbox::new();
    let now = FunctionTool::of("now", "The time.", |(): ()| async { "noon" });
    let error = tools.add(now).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("without fields"), "{error}");
    let list = Tool::new("list", json!({"type": "array"}));
    let list = FunctionTool::new(list, |_: Value| async { "" });
    tools.add(list).unwrap_err();
    assert!(tools.is_empty());
    let now = FunctionTool::of("now", "The time.", |_: Nothing| async { "noon" });
    tools.add(now).unwrap();
}

/// A tool may ask a model itself. With one worker, its call does not wait for the loop that waits for
/// it, because a loop holds no permit while its tools run.
#[test]
fn a_tool_asks_the_client_of_its_loop() {
    let sim = Sim::new(1);
    let (client, server) = client(
        &sim,
        chat(),
        |builder| builder.workers(1),
        |_, sent| {
            let messages = sent.body["messages"].as_array().unwrap();
            let asked = messages[0]["content"].as_str().unwrap();
            match (asked, messages.len()) {
                ("outer", 1) => calls(sent, &Ask::of(&[waits("a", 0), waits("b", 0)])),
                ("outer", _) => text(sent, "Outer is done."),
                _ => text(sent, "Inner is done."),
            }
        },
    );
    let asking = client.clone();
    let schema = json!({"type": "object", "properties": {}});
    let inner = FunctionTool::new(Tool::new("wait", schema), move |_: Value| {
        let client = asking.clone();
        async move { Ok::<_, ToolError>(client.ask("inner").patient().await?.to_string()) }
    });
    let mut tools = Toolbox::new();
    tools.add(inner).unwrap();
    let work = client.ask("outer").toolbox(&tools);
    let answer = sim.run(async move { work.await }).unwrap();
    assert_eq!(answer.text(), "Outer is done.");
    let told = results(&answer.messages);
    assert!(
        told.iter().all(|(_, text, _)| text == "Inner is done."),
        "{told:?}"
    );
    assert_eq!((told.len(), server.sent().len()), (2, 4));
}

#[test]
fn loops_run_in_a_batch_and_many_at_once() {
    let sim = Sim::new(1);
    let (client, _) = client(
        &sim,
        chat(),
        |builder| builder.workers(2),
        |_, sent| match sent.body["messages"].as_array().unwrap().len() {
            1 => calls(sent, &Ask::of(&[("f", r#"{"a": 1, "b": 2}"#.to_owned())])),
            _ => text(sent, "Done."),
        },
    );
    let mut tools = Toolbox::new();
    tools
        .add(FunctionTool::of("f", "", |sum: Sum| async move {
            sum.a + sum.b
        }))
        .unwrap();
    let executor = std::sync::Arc::clone(client.executor());
    let (asking, box_of) = (client.clone(), tools.clone());
    let batch = BatchProcessor::new(executor, move |question: String| {
        let work = asking.ask(question).patient().toolbox(&box_of);
        async move { work.await }
    });
    let questions: Vec<_> = (0..10).map(|number| format!("question {number}")).collect();
    let answers = sim.run(async move { batch.process_batch(questions).await });
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(
            (answer.turns, results(&answer.messages)[0].1.as_str()),
            (2, "3")
        );
    }
    let works = (0..10).map(|number| {
        let work = client.ask(format!("question {number}"));
        work.patient().toolbox(&tools)
    });
    let works: Vec<_> = works.collect();
    let answers = sim.run(async move { gather_with_limit(works, 4).await });
    assert!(answers.into_iter().all(|answer| answer.unwrap().turns == 2));
    let status = client.status();
    assert_eq!((status.succeeded, status.active, status.queued), (40, 0, 0));
}

//! A loop that reaches a limit is an error that keeps the conversation.

use std::time::Duration;

use chatcore::{
    ChatResponse, Error, ErrorKind, FunctionTool, Message, Tool, ToolLoop, ToolLoopLimit, Toolbox,
    UnfinishedLoop,
};
use chatcore_adapters::sim::Sim;
use serde_json::{Value, json};

use super::replies::{Ask, calls, chat, text};
use super::{Log, asking, results, tools, waits};
use crate::jobs::{Reply, client};

/// Sets a limit.
type Shape = fn(ToolLoop) -> ToolLoop;

/// The error of a loop in which the model never answers.
fn endless(shape: impl FnOnce(ToolLoop) -> ToolLoop) -> (Error, usize, Log) {
    let sim = Sim::new(1);
    let log = Log::default();
    let turn = || vec![waits("a", 1), waits("b", 4)];
    let (client, server) = asking(&sim, (0..100).map(|_| turn()).collect());
    let work = shape(client.ask("Hi").toolbox(&tools(&sim, &log)));
    let error = sim.run(async move { work.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitReached, "{error}");
    assert!(!error.is_retryable());
    assert!(error.to_string().contains("UnfinishedLoop::of"), "{error}");
    (error, server.sent().len(), log)
}

fn unfinished(error: &Error) -> &UnfinishedLoop {
    UnfinishedLoop::of(error).unwrap()
}

/// One unit for each answer.
fn price(answer: &ChatResponse) -> f64 {
    assert_eq!(answer.model, "m");
    1.0
}

#[test]
fn turns_are_limited_by_default() {
    let (error, sent, _) = endless(|work| work);
    assert_eq!(sent, 10);
    let state = unfinished(&error);
    assert_eq!((state.limit, state.turns), (Some(ToolLoopLimit::Turns), 10));
    assert_eq!(state.usage.as_ref().unwrap().total_tokens(), 80);
    // The question, and for each turn the answer and its results.
    assert_eq!(state.messages.len(), 21);
    assert_eq!(results(&state.messages).len(), 20);
}

#[test]
fn tokens_and_cost_are_limited_before_the_next_turn() {
    let (error, sent, _) = endless(|work| work.max_total_tokens(17));
    assert_eq!(sent, 3);
    assert_eq!(unfinished(&error).limit, Some(ToolLoopLimit::Tokens));
    let (error, sent, _) = endless(|work| work.price(price).max_cost(2.0));
    assert_eq!(sent, 2);
    let state = unfinished(&error);
    assert_eq!(
        (state.limit, state.cost),
        (Some(ToolLoopLimit::Cost), Some(2.0))
    );
}

/// Many servers report no usage, or zeros. The limit must hold all the same.
#[test]
fn answers_without_a_report_count_with_an_estimate() {
    unreported(Value::Null);
    unreported(json!({"prompt_tokens": 0, "completion_tokens": 0}));
}

fn unreported(usage: Value) {
    let is_null = usage.is_null();
    let sim = Sim::new(1);
    let (name, arguments) = waits("a", 1);
    let call = json!({"id": "c0", "function": {"name": name, "arguments": arguments}});
    let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let choice = json!({"index": 0, "message": message, "finish_reason": "tool_calls"});
    let body = json!({"id": "c", "model": "m", "choices": [choice], "usage": usage}).to_string();
    let (client, server) = client(&sim, chat(), |b| b, move |_, _| Reply::ok(body.clone()));
    // About 500 tokens, which each turn sends again.
    let work = client.ask("word ".repeat(400));
    let work = work.toolbox(&tools(&sim, &Log::default()));
    let work = work.max_total_tokens(1_000);
    let error = sim.run(async move { work.await }).unwrap_err();
    assert!(error.to_string().contains("an estimate"), "{error}");
    let state = unfinished(&error);
    assert_eq!(
        (state.limit, server.sent().len()),
        (Some(ToolLoopLimit::Tokens), 2)
    );
    assert_eq!(state.usage.is_none(), is_null);
}

#[test]
fn time_stops_running_calls() {
    let (error, sent, log) = endless(|work| work.timeout(Duration::from_secs(6)).concurrency(1));
    assert_eq!(sent, 2);
    let state = unfinished(&error);
    assert_eq!(state.limit, Some(ToolLoopLimit::Time));
    assert_eq!(log.all().last().unwrap(), "b dropped");
    let told = results(&state.messages);
    assert_eq!(told.len(), 4);
    assert!(
        told[3].2 && told[3].1.contains("stopped before it had ended"),
        "{told:?}"
    );
}

#[test]
fn time_stops_before_calls_that_have_not_begun() {
    let (error, ..) = endless(|work| work.timeout(Duration::from_millis(500)).concurrency(1));
    let told = results(&unfinished(&error).messages);
    assert!(told[0].1.contains("may have had effects"), "{told:?}");
    assert!(told[1].1.starts_with("not run"), "{told:?}");
}

#[test]
fn time_stops_a_request() {
    let sim = Sim::new(1);
    let (client, server) = client(&sim, chat(), |b| b, |_, sent| text(sent, "x").after(20));
    let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
    let work = work.timeout(Duration::from_secs(5));
    let executor = sim.executor();
    let (error, at) = sim.run(async move {
        let error = work.await.unwrap_err();
        (error, executor.now().since_epoch())
    });
    assert_eq!(unfinished(&error).limit, Some(ToolLoopLimit::Time));
    assert_eq!((at, server.running()), (Duration::from_secs(5), 0));
    assert_eq!(unfinished(&error).messages, [Message::user("Hi")]);
}

#[test]
fn the_caller_goes_on_with_the_conversation() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, _) = asking(&sim, vec![vec![waits("a", 1)], vec![waits("b", 1)]]);
    let tools = tools(&sim, &log);
    let first = client.ask("Hi").toolbox(&tools).max_turns(1);
    let answer = sim.run(async move {
        let error = first.await.unwrap_err();
        let state = UnfinishedLoop::of(&error).unwrap();
        client.ask(&state.messages).toolbox(&tools).await
    });
    let answer = answer.unwrap();
    assert_eq!((answer.text().as_ref(), answer.turns), ("Done.", 2));
    assert_eq!(results(&answer.messages).len(), 2);
}

#[test]
fn a_turn_that_fails_keeps_the_conversation_too() {
    let sim = Sim::new(1);
    let (client, _) = client(
        &sim,
        chat(),
        |b| b.max_attempts(2),
        |number, sent| match number {
            0 => calls(sent, &Ask::of(&[waits("a", 1)])),
            1 => Reply::ok(r#"{"error":{"message":"busy"}}"#).status(503),
            _ => Reply::ok(r#"{"error":{"message":"no"}}"#).status(400),
        },
    );
    let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
    let error = sim.run(async move { work.await }).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::BadRequest, 3));
    let state = unfinished(&error);
    assert_eq!(
        (state.limit, state.turns, state.messages.len()),
        (None, 1, 3)
    );
    // What was said is not printed.
    assert!(!format!("{error:?} {error:#?}").contains("a is done"));
}

#[test]
fn limits_that_make_no_sense_are_refused_before_anything_is_sent() {
    let shapes: [(Shape, &str); 3] = [
        (|work| work.max_turns(0), "max_turns is 0"),
        (|work| work.max_cost(1.0), "max_cost needs a price"),
        (
            |work| work.price(price).max_cost(f64::NAN),
            "must be a number",
        ),
    ];
    for (shape, why) in shapes {
        let sim = Sim::new(1);
        let (client, server) = asking(&sim, vec![]);
        let work = shape(client.ask("Hi").toolbox(&tools(&sim, &Log::default())));
        let error = sim.run(async move { work.await }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains(why), "{error}");
        assert!(server.sent().is_empty());
    }
}

#[test]
fn a_price_that_is_no_number_is_an_error() {
    let sim = Sim::new(1);
    let (client, _) = asking(&sim, vec![]);
    let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
    let work = work.price(|_| f64::INFINITY);
    let error = sim.run(async move { work.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

/// A tool that returns `bytes` bytes of text.
fn long(bytes: usize) -> Toolbox {
    let tool = Tool::new("long", json!({"type": "object"}));
    let mut tools = Toolbox::new();
    let run = move |_: Value| async move { "x".repeat(bytes) };
    tools.add(FunctionTool::new(tool, run)).unwrap();
    tools
}

/// The results of eight calls at once that return `bytes` bytes each.
fn long_results(bytes: usize, shape: Shape) -> Vec<String> {
    let sim = Sim::new(1);
    let (client, _) = asking(&sim, vec![vec![("long", "{}".to_owned()); 8]]);
    let work = shape(client.ask("Hi").toolbox(&long(bytes)));
    let answer = sim.run(async move { work.await }).unwrap();
    let results = results(&answer.messages);
    results.into_iter().map(|(_, text, _)| text).collect()
}

/// Otherwise the conversation would be too large to be sent, now and again.
#[test]
fn the_text_of_a_result_is_limited() {
    for text in long_results(4 << 20, |work| work) {
        let (kept, note) = text.split_at(256 * 1024);
        assert!(kept.bytes().all(|byte| byte == b'x'));
        assert!(note.contains("cut after 262144 of 4194304 bytes"), "{note}");
    }
    for text in long_results(20, |work| work.max_result(10)) {
        assert!(
            text.starts_with("xxxxxxxxxx\n\n[The result was cut"),
            "{text}"
        );
    }
    let whole = long_results(300_000, |work| work.max_result(None));
    assert!(whole.iter().all(|text| text.len() == 300_000));
}

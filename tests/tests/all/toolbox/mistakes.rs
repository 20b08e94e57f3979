//! Mistakes of the model and of tools are results with an error, and the loop goes on.

use std::time::Duration;

use chatcore::schemars::{self, JsonSchema};
use chatcore::{FunctionTool, Tool};
use chatcore_adapters::sim::Sim;
use serde::Deserialize;
use serde_json::{Value, json};

use super::replies::{Ask, calls, chat, text};
use super::{Log, asking, results, tools, wait, waits};
use crate::jobs::client;

/// The result of one call.
fn result_of(name: &'static str, arguments: &str) -> (String, Log) {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, _) = asking(&sim, vec![vec![(name, arguments.to_owned())]]);
    let work = client.ask("Hi").toolbox(&tools(&sim, &log));
    let answer = sim.run(async move { work.await }).unwrap();
    assert_eq!(answer.text(), "Done.");
    let told = results(&answer.messages);
    let [(id, text, true)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(id, "c0");
    (text.clone(), log)
}

#[test]
fn an_unknown_tool_names_those_that_exist() {
    let (text, _) = result_of("fly", "{}");
    let expected = "there is no tool named \"fly\"; use one of: wait, fail, panic";
    assert_eq!(text, expected);
}

#[test]
fn arguments_that_are_no_json_say_so() {
    for (arguments, told) in [
        (r#"{"name": "a""#, "not valid JSON (EOF while parsing"),
        ("[1]", "not a JSON object"),
        (r#"{"seconds": 1}"#, "at name, is missing"),
        (
            r#"{"name": "a", "seconds": "1"}"#,
            "at seconds, is a string, not integer",
        ),
    ] {
        let (text, log) = result_of("wait", arguments);
        assert!(text.contains(told), "{arguments}: {text}");
        assert!(text.contains("call the tool again"), "{text}");
        assert!(log.all().is_empty());
    }
}

#[test]
fn a_tool_that_fails_tells_why() {
    assert_eq!(
        result_of("fail", r#"{"why": "no such city"}"#).0,
        "no such city"
    );
}

#[test]
fn a_panic_is_a_result_with_an_error() {
    let (text, _) = result_of("panic", "{}");
    assert!(text.contains("it panicked"), "{text}");
}

#[derive(Deserialize, JsonSchema)]
struct City {
    name: String,
}

#[test]
fn typed_arguments_that_do_not_fit_say_where() {
    let sim = Sim::new(1);
    let turns = vec![
        vec![("city", r#"{"name": 7}"#.to_owned())],
        vec![("city", r#"{"name": "Lyon"}"#.to_owned())],
    ];
    let (client, _) = asking(&sim, turns);
    let mut tools = chatcore::Toolbox::new();
    let city = FunctionTool::of("city", "A city.", |city: City| async move { city.name });
    tools.add(city).unwrap();
    let work = client.ask("Hi").toolbox(&tools);
    let answer = sim.run(async move { work.await }).unwrap();
    let told = results(&answer.messages);
    let why = "the arguments do not fit the tool's schema: at name, invalid type: integer `7`, \
               expected a string; call the tool again with corrected arguments";
    assert_eq!(told[0].1, why);
    assert_eq!(told[1], ("c0".into(), "Lyon".into(), false));
}

#[test]
fn of_two_calls_with_one_id_the_second_is_refused() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, _) = client(
        &sim,
        chat(),
        |b| b,
        |number, sent| match number {
            0 => {
                let mut ask = Ask::of(&[waits("a", 0), waits("b", 0)]);
                ask.calls[1].0 = "c0".to_owned();
                calls(sent, &ask)
            }
            _ => text(sent, "Done."),
        },
    );
    // As a stream, calls of one id are one call; a whole answer has two.
    let call = client.ask("Hi").fetch_as_stream(false);
    let work = call.toolbox(&tools(&sim, &log));
    let answer = sim.run(async move { work.await }).unwrap();
    let told = results(&answer.messages);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], ("c0".into(), "a is done".into(), false));
    assert!(
        told[1].2
            && told[1]
                .1
                .contains("another call of this turn has the id \"c0\"")
    );
    assert_eq!(log.all().len(), 2);
}

#[test]
fn a_tool_that_takes_too_long_is_stopped() {
    for own in [None, Some(Duration::from_secs(5))] {
        let sim = Sim::new(1);
        let log = Log::default();
        let (client, _) = asking(&sim, vec![vec![waits("a", 100), waits("b", 1)]]);
        let mut tools = chatcore::Toolbox::new();
        let tool = wait(&sim, &log);
        tools
            .add(own.into_iter().fold(tool, FunctionTool::timeout))
            .unwrap();
        let work = client
            .ask("Hi")
            .toolbox(&tools)
            .tool_timeout(Duration::from_secs(20));
        let answer = sim.run(async move { work.await }).unwrap();
        let told = results(&answer.messages);
        let limit = if own.is_some() { "5s" } else { "20s" };
        let why = format!(
            "the tool did not end within {limit}; it was stopped, and may have had effects"
        );
        assert_eq!(told[0], ("c0".into(), why, true));
        assert_eq!(told[1].1, "b is done");
        assert_eq!(log.all().last().unwrap(), "a dropped");
    }
}

#[test]
fn a_tool_in_the_request_and_in_the_toolbox_is_refused() {
    let sim = Sim::new(1);
    let (client, server) = asking(&sim, vec![]);
    let fail = Tool::new("fail", json!({"type": "object"}));
    let call = client.ask("Hi").tool(fail);
    let work = call.toolbox(&tools(&sim, &Log::default()));
    let error = sim.run(async move { work.await }).unwrap_err();
    assert!(
        error.message().contains("two tools have the name"),
        "{error}"
    );
    assert!(server.sent().is_empty());
}

#[test]
fn content_that_is_no_text_goes_back() {
    let sim = Sim::new(1);
    let turns = vec![vec![
        ("value", "{}".to_owned()),
        ("nothing", "{}".to_owned()),
    ]];
    let (client, _) = asking(&sim, turns);
    let schema = || json!({"type": "object", "properties": {}});
    let mut tools = chatcore::Toolbox::new();
    let value = Tool::new("value", schema());
    let value = FunctionTool::new(value, |_: Value| async { json!({"celsius": 18}) });
    let nothing = Tool::new("nothing", schema());
    let nothing = FunctionTool::new(nothing, |_: Value| async { Vec::<chatcore::Part>::new() });
    tools.add(value).unwrap().add(nothing).unwrap();
    let work = client.ask("Hi").toolbox(&tools);
    let answer = sim.run(async move { work.await }).unwrap();
    let told = results(&answer.messages);
    assert_eq!(told[0].1, r#"{"celsius":18}"#);
    assert_eq!(told[1].1, "");
}

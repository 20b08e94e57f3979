//! Tools and arguments as types.

use chatcore::schemars::{self, JsonSchema};
use chatcore::{ErrorKind, Mismatch, Tool, ToolCall};
use chatcore_adapters::sim::Sim;
use serde::Deserialize;
use serde_json::json;

use super::replies::reply;
use super::{chat, providers};
use crate::jobs::client;

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Scale {
    Celsius,
    Fahrenheit,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Convert {
    /// The temperature.
    degrees: f64,
    to: Scale,
}

#[test]
fn a_tool_has_the_schema_of_its_arguments() {
    let tool = Tool::of::<Convert>("convert", "Converts a temperature.");
    assert_eq!(tool.name, "convert");
    assert_eq!(tool.description.as_deref(), Some("Converts a temperature."));
    let parameters = json!({
        "title": "Convert",
        "type": "object",
        "properties": {
            "degrees": {"description": "The temperature.", "type": "number", "format": "double"},
            "to": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["degrees", "to"],
    });
    assert_eq!(tool.parameters, parameters);
    for provider in providers() {
        let sim = Sim::new(1);
        let (client, server) = client(&sim, provider, |b| b, |_, sent| reply(sent, "ok"));
        let call = client.ask("72 °F?").tool(tool.clone());
        sim.run(async move { call.await }).unwrap();
        assert!(server.sent()[0].body.to_string().contains("fahrenheit"));
    }
}

#[test]
fn arguments_are_read_into_their_type() {
    let call = |arguments: &str| ToolCall::new("1", "convert", arguments);
    let read: Convert = call(r#"{"degrees":72,"to":"celsius"}"#)
        .arguments()
        .unwrap();
    let expected = Convert {
        degrees: 72.0,
        to: Scale::Celsius,
    };
    assert_eq!(read, expected);
    assert_eq!(
        call("  ").arguments::<serde_json::Value>().unwrap(),
        json!({})
    );
    for (arguments, path, value) in [
        (
            r#"{"degrees":"72","to":"celsius"}"#,
            "degrees",
            json!({"degrees": "72", "to": "celsius"}),
        ),
        (
            r#"{"degrees":72,"to":"kelvin"}"#,
            "to",
            json!({"degrees": 72, "to": "kelvin"}),
        ),
        (r#"{"degrees":72,"#, ".", json!({"degrees": 72})),
    ] {
        let error = call(arguments).arguments::<Convert>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOutput);
        assert!(error.to_string().contains("the tool convert"), "{error}");
        let mismatch = Mismatch::of(&error).unwrap();
        assert_eq!((mismatch.path(), mismatch.text()), (path, arguments));
        assert_eq!(*mismatch.value(), value);
    }
}

#[test]
fn a_tool_call_in_place_of_an_answer_says_so() {
    let sim = Sim::new(1);
    let provider = chat();
    let (client, server) = client(
        &sim,
        provider,
        |b| b,
        |_, _| {
            let call = json!({"id": "1", "type": "function",
            "function": {"name": "convert", "arguments": "{}"}});
            let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
            let choice = json!({"index": 0, "message": message, "finish_reason": "tool_calls"});
            crate::jobs::Reply::ok(json!({"id": "c", "model": "m", "choices": [choice]}))
        },
    );
    let call = client
        .ask("72 °F?")
        .tool(Tool::of::<Convert>("convert", "Converts a temperature."))
        .json::<Convert>()
        .repairs(2);
    let error = sim.run(async move { call.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOutput);
    assert!(error.to_string().contains("called a tool"), "{error}");
    assert_eq!(server.sent().len(), 1);
    assert_eq!(error.partial().unwrap().tool_calls().count(), 1);
}

//! Schemas that a provider cannot enforce.

use std::collections::BTreeMap;

use chatcore::{ErrorKind, Provider, Tool, Toolbox};
use chatcore_adapters::sim::Sim;
use serde_json::{Value, json};

use super::replies::reply;
use super::{Recipe, TEA, chat, tea};
use crate::jobs::client;

type Ages = BTreeMap<String, u32>;

#[test]
fn a_provider_without_schemas_gets_it_in_the_prompt() {
    let compatible = Provider::openai_compatible("https://api.test/v1", "m");
    for (provider, format) in [
        (
            Provider::deepseek().with_api_key("k"),
            json!({"type": "json_object"}),
        ),
        (compatible, Value::Null),
    ] {
        let sim = Sim::new(1);
        let (client, server) = client(&sim, provider, |b| b, |_, sent| reply(sent, TEA));
        for system in ["", "Be brief."] {
            let mut call = client.ask("How do I make tea?");
            if !system.is_empty() {
                call = call.system_prompt(system);
            }
            let call = call.json::<Recipe>();
            let answer = sim.run(async move { call.await }).unwrap();
            assert_eq!(answer.value, tea());
        }
        for (sent, system) in server.sent().iter().zip(["", "Be brief."]) {
            assert_eq!(sent.body["response_format"], format);
            let messages = sent.body["messages"].as_array().unwrap();
            assert_eq!(messages.len(), 2);
            assert_eq!(messages[0]["role"], "system");
            let prompt = messages[0]["content"].as_str().unwrap();
            assert!(prompt.starts_with(system), "{prompt}");
            let (_, schema) = prompt.rsplit_once("\n\n").unwrap();
            let schema: Value = serde_json::from_str(schema).unwrap();
            assert_eq!(schema["required"], json!(["title", "steps"]));
            assert_eq!(schema["properties"]["minutes"]["minimum"], 1);
            assert_eq!(messages[1]["content"], "How do I make tea?");
        }
    }
}

/// Nothing holds the model to a schema that is only in the prompt, and the error says so.
#[test]
fn an_answer_that_does_not_fit_tells_how_the_schema_was_sent() {
    let nothing = Provider::openai_compatible("https://api.test/v1", "m");
    let tool = Tool::new("f", json!({"type": "object"}));
    for (provider, in_prompt, has_tool, told) in [
        (chat(), false, false, ""),
        (chat(), true, false, "enforced no more than JSON"),
        (
            Provider::deepseek().with_api_key("k"),
            false,
            false,
            "enforced no more than JSON",
        ),
        (nothing, false, false, "no JSON mode was used"),
        (Provider::ollama("m"), false, false, ""),
        (
            Provider::ollama("m"),
            false,
            true,
            "does not enforce it beside tools",
        ),
    ] {
        let sim = Sim::new(1);
        let (client, _) = client(&sim, provider, |b| b, |_, sent| reply(sent, "Sorry."));
        let mut call = client.ask("How do I make tea?");
        if has_tool {
            call = call.tool(tool.clone());
        }
        let toolbox = call.clone().toolbox(&Toolbox::new()).json::<Recipe>();
        let mut call = call.json::<Recipe>();
        if in_prompt {
            call = call.in_prompt();
        }
        let stream = call.clone().stream();
        let mut errors = sim.run(async move {
            vec![
                call.await.map(|answer| answer.value).unwrap_err(),
                stream
                    .into_answer()
                    .await
                    .map(|answer| answer.value)
                    .unwrap_err(),
            ]
        });
        if !in_prompt {
            errors.push(
                sim.run(async move { toolbox.await.map(|answer| answer.value) })
                    .unwrap_err(),
            );
        }
        for error in errors {
            let error = error.message();
            assert!(
                error.contains("at ., the text is not JSON: expected value"),
                "{error}"
            );
            let is_told = error.contains("the schema was only in the prompt");
            assert_eq!(is_told, !told.is_empty(), "{error}");
            assert_eq!(is_told, error.contains(".repairs(n)"), "{error}");
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}

#[test]
fn what_a_provider_cannot_express_is_refused_before_anything_is_sent() {
    for provider in [
        Provider::openai().with_api_key("k"),
        Provider::anthropic().with_api_key("k"),
    ] {
        let sim = Sim::new(1);
        let name = provider.name().to_owned();
        let (client, server) = client(
            &sim,
            provider,
            |b| b,
            |_, sent| reply(sent, r#"{"Ada":36}"#),
        );
        let call = client.ask("How old are they?").json::<Ages>();
        let in_prompt = call.clone().in_prompt();
        let error = sim.run(async move { call.await }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!((error.attempts(), server.sent().len()), (0, 0));
        for part in ["properties that the schema does not name", ".in_prompt()"] {
            assert!(error.to_string().contains(part), "{error}");
        }
        assert_eq!(client.status().failed, 1);

        let answer = sim.run(async move { in_prompt.await }).unwrap();
        assert_eq!(answer.value, Ages::from([("Ada".to_owned(), 36)]));
        let sent = &server.sent()[0].body;
        assert!(sent.to_string().contains("additionalProperties"), "{sent}");
        let mode = &sent["response_format"]["type"];
        assert_eq!(*mode == "json_object", name == "openai", "{sent}");
    }
}

#[test]
fn a_map_is_enforced_where_it_can_be() {
    for provider in [Provider::gemini().with_api_key("k"), Provider::ollama("m")] {
        let sim = Sim::new(1);
        let (client, _) = client(
            &sim,
            provider,
            |b| b,
            |_, sent| reply(sent, r#"{"Ada":36}"#),
        );
        let call = client.ask("How old are they?").json::<Ages>();
        let answer = sim.run(async move { call.await }).unwrap();
        assert_eq!(answer.value, Ages::from([("Ada".to_owned(), 36)]));
    }
}

/// A request whose format the caller sets is sent as it is.
#[test]
fn a_format_that_the_caller_sets_is_not_rewritten() {
    let sim = Sim::new(1);
    let provider = chat();
    let (client, server) = client(&sim, provider, |b| b, |_, sent| reply(sent, "{}"));
    let schema = json!({"type": "object", "default": 1, "minProperties": 1});
    let format = serde_json::from_value(
        json!({"type": "json_schema", "name": "n", "schema": schema, "strict": true}),
    );
    let format: chatcore::chat::ResponseFormat = format.unwrap();
    let call = client.ask("hi").response_format(format);
    sim.run(async move { call.await }).unwrap();
    let sent = &server.sent()[0].body;
    assert_eq!(sent["response_format"]["json_schema"]["schema"], schema);
}

//! Whole answers in each dialect.

use chatcore::{ErrorKind, Mismatch, Provider};
use chatcore_adapters::sim::Sim;
use serde_json::{Value, json};

use super::replies::{reply, reply_with};
use super::{Recipe, TEA, chat, providers, tea};
use crate::jobs::{Sent, client};

/// The schema that a request carries.
fn schema(sent: &Sent) -> &Value {
    [
        "/response_format/json_schema/schema",
        "/text/format/schema",
        "/output_config/format/schema",
        "/generationConfig/responseJsonSchema",
        "/format",
    ]
    .iter()
    .find_map(|place| sent.body.pointer(place))
    .unwrap()
}

#[test]
fn an_answer_is_of_its_type_in_each_dialect() {
    let mut forms = Vec::new();
    for provider in providers() {
        let name = provider.name().to_owned();
        let sim = Sim::new(1);
        let (client, server) = client(&sim, provider, |b| b, |_, sent| reply(sent, TEA));
        let call = client.ask("How do I make tea?").json::<Recipe>();
        let answer = sim.run(async move { call.await }).unwrap();
        assert_eq!(answer.value, tea(), "{name}");
        let usage = answer.response.usage.as_ref().unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (5, 3), "{name}");
        assert_eq!(
            answer.response.request_id.as_deref(),
            Some("req-7"),
            "{name}"
        );
        assert_eq!(answer.response.text(), TEA, "{name}");

        let sent = server.sent();
        assert_eq!(sent.len(), 1);
        let schema = schema(&sent[0]);
        let minutes = &schema["properties"]["minutes"];
        let step = &schema["properties"]["steps"]["items"]["anyOf"][0];
        assert_eq!(schema["description"], "How to prepare something.");
        forms.push((
            name,
            minutes.clone(),
            schema["required"].clone(),
            step["properties"]["kind"].clone(),
        ));
    }
    let minutes = "In minutes, all steps together.";
    let strict = json!({"description": minutes, "type": ["integer", "null"], "minimum": 1});
    let described = format!("{minutes}\n\n{{minimum: 1}}");
    let all = json!(["title", "minutes", "steps", "notes"]);
    let some = json!(["title", "steps"]);
    let constant = json!({"type": "string", "const": "wait"});
    let expected = [
        ("openai", strict.clone(), all.clone(), constant.clone()),
        ("openai", strict.clone(), all, constant.clone()),
        (
            "anthropic",
            json!({"description": described, "type": ["integer", "null"]}),
            some.clone(),
            constant.clone(),
        ),
        (
            "gemini",
            strict.clone(),
            some.clone(),
            json!({"type": "string", "enum": ["wait"]}),
        ),
        ("ollama", strict, some, constant),
    ];
    for ((name, minutes, required, kind), expected) in forms.into_iter().zip(expected) {
        assert_eq!((name.as_str(), minutes, required, kind), expected);
    }
}

#[test]
fn an_answer_that_is_no_object_is_wrapped_and_unwrapped() {
    for provider in providers() {
        let sim = Sim::new(1);
        let (client, _) = client(
            &sim,
            provider,
            |b| b,
            |_, sent| {
                assert_eq!(schema(sent)["required"], json!(["value"]));
                reply(sent, r#"{"value":[["a",1],["b",2]]}"#)
            },
        );
        let call = client.ask("Which?").json::<Vec<(String, u32)>>();
        let answer = sim.run(async move { call.await }).unwrap();
        assert_eq!(
            answer.into_value(),
            [("a".to_owned(), 1), ("b".to_owned(), 2)]
        );
    }
}

#[test]
fn an_answer_that_does_not_fit_says_where_and_why() {
    let text = r#"{"title":"Tea","steps":[{"kind":"wait","seconds":"sk-1"}]}"#;
    for provider in providers() {
        let sim = Sim::new(1);
        let (client, server) = client(&sim, provider, |b| b, move |_, sent| reply(sent, text));
        let call = client.ask("How do I make tea?").json::<Recipe>();
        let error = sim.run(async move { call.await }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOutput);
        assert!(!error.is_retryable());
        assert_eq!((error.attempts(), server.sent().len()), (1, 1));
        let mismatch = Mismatch::of(&error).unwrap();
        assert_eq!(mismatch.path(), "steps[0].seconds");
        assert_eq!(mismatch.reason(), "is a string, not number");
        assert_eq!(mismatch.text(), text);
        assert_eq!(mismatch.value()["title"], "Tea");
        assert_eq!(
            error
                .partial()
                .unwrap()
                .usage
                .as_ref()
                .unwrap()
                .output_tokens,
            3
        );
        assert_eq!(error.request_id(), Some("req-7"));
        let shown = error.to_string();
        assert!(
            shown.contains("at steps[0].seconds, is a string, not number"),
            "{shown}"
        );
        assert!(!format!("{shown}{error:?}{error:#?}").contains("sk-1"));
    }
}

#[test]
fn what_stands_around_the_json_is_passed_over() {
    let texts = [
        format!("```json\n{TEA}\n```"),
        format!("Here is {{a recipe}}:\n\n```\n{TEA}\n```\nEnjoy!"),
        format!("Sure. {TEA} Enjoy!"),
        format!("\n {TEA}\n"),
    ];
    for text in texts {
        let sim = Sim::new(1);
        let answered = text.clone();
        let (client, _) = client(&sim, chat(), |b| b, {
            move |_, sent| reply(sent, &answered)
        });
        let call = client.ask("How do I make tea?").json::<Recipe>();
        let answer = sim.run(async move { call.await });
        assert_eq!(answer.unwrap().value, tea(), "{text}");
    }
}

#[test]
fn a_cut_answer_and_one_that_declines_say_so() {
    for (text, reason, why) in [
        (r#"{"title":"Te"#, "length", "raise max_tokens"),
        ("No.", "content_filter", "declined"),
    ] {
        let sim = Sim::new(1);
        let provider = chat();
        let (client, server) = client(
            &sim,
            provider,
            |b| b,
            move |_, sent| reply_with(sent, text, reason),
        );
        let call = client.ask("How do I make tea?").json::<Recipe>().repairs(3);
        let error = sim.run(async move { call.await }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOutput);
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.partial().unwrap().text(), text);
        assert_eq!(server.sent().len(), 1, "it cannot be corrected");
    }
}

#[test]
fn a_schema_of_ones_own_is_checked() {
    let schema = json!({"type": "object", "required": ["stars"],
        "properties": {"stars": {"type": "integer", "maximum": 5}}});
    for (text, fault) in [
        (r#"{"stars":5}"#, None),
        (r#"{"stars":6}"#, Some("stars")),
        (r#"{"stars":"5"}"#, Some("stars")),
        ("[]", Some(".")),
        ("5 stars", Some(".")),
    ] {
        let sim = Sim::new(1);
        let provider = Provider::anthropic().with_api_key("k");
        let (client, _) = client(&sim, provider, |b| b, move |_, sent| reply(sent, text));
        let call = client
            .ask("How good?")
            .json_schema::<Value>("stars", schema.clone());
        match (sim.run(async move { call.await }), fault) {
            (Ok(answer), None) => assert_eq!(answer.value, json!({"stars": 5})),
            (Err(error), Some(path)) => assert_eq!(Mismatch::of(&error).unwrap().path(), path),
            (answer, _) => panic!("{text}: {answer:?}"),
        }
    }
}

//! A conversation that began in one dialect continues in another. Data that only the first dialect
//! understands is not sent.

use chatcore::chat::{Reasoning, Text, ToolResult};
use chatcore::dialect::{NAMES, kit};
use chatcore::{ChatRequest, Message, Part, Role, ToolCall};
use serde_json::{Value, json};

use super::{dialects, messages, sent};

/// A turn that contains data specific to each dialect.
fn conversation() -> ChatRequest {
    let mut text = Text::new("Paris");
    let mut call = ToolCall::new("c1", "weather", "{}");
    let mut said = Message::new(Role::Assistant, []);
    for name in NAMES {
        let own = json!({"mark": format!("of {name}")});
        for extra in [&mut text.extra, &mut call.extra, &mut said.extra] {
            extra.insert(name.to_owned(), own.clone());
        }
        if name == "ollama_chat" {
            // Ollama's messages have no blocks.
            continue;
        }
        said.parts.push(Part::Other {
            dialect: Some(name.to_owned()),
            value: json!({"type": "block", "mark": format!("of {name}")}),
        });
    }
    for extra in [&mut text.extra, &mut call.extra] {
        extra.insert("plain".to_owned(), json!(1));
    }
    said.parts.push(Reasoning::new("unproven").into());
    said.parts.push(text.into());
    said.parts.push(call.into());
    let result = Message::new(Role::Tool, [ToolResult::new("c1", "rain").into()]);
    ChatRequest::new([Message::user("hi"), said, result])
}

#[test]
fn what_belongs_to_another_dialect_stays_behind() {
    for dialect in dialects() {
        let name = dialect.facts().name();
        assert!(NAMES.contains(&name), "{name} is missing in dialect::NAMES");
        let body = sent(&*dialect, &conversation()).unwrap();
        let messages = messages(&body).as_array().unwrap();
        let said = &messages[1..messages.len() - 1];
        let said: String = said.iter().map(Value::to_string).collect();
        for other in NAMES {
            let marks = said.matches(&format!("of {other}")).count();
            assert_eq!(marks > 0, other == name, "{name} says of {other}: {said}");
            // No field is named after a dialect: the members of a dialect's own object are sent
            // instead.
            assert!(!said.contains(&format!("{other:?}:")), "{name}: {said}");
        }
        assert!(said.contains(r#""plain":1"#), "{name}: {said}");
    }
}

/// Gemini's calls have no ids, which most other providers require.
#[test]
fn calls_without_ids_get_some_where_they_are_demanded() {
    let call = |arguments: &str| Part::ToolCall(ToolCall::new("", "weather", arguments));
    let result = |text: &str| Part::ToolResult(ToolResult::new("", text));
    let conversation = ChatRequest::new([
        Message::user("hi"),
        Message::new(Role::Assistant, [call("{\"a\":1}"), call("{\"a\":2}")]),
        Message::new(Role::Tool, [result("rain"), result("snow")]),
    ]);
    for dialect in dialects() {
        let body = sent(&*dialect, &conversation).unwrap();
        let text = messages(&body).to_string();
        let [first, second] = ["call00001", "call00002"].map(|id| text.matches(id).count());
        let demanded = match dialect.facts().name() {
            "openai_chat" | "anthropic" | "openai_responses" => 2,
            _ => 0,
        };
        assert_eq!((first, second), (demanded, demanded), "{text}");
    }
}

#[test]
fn text_whose_fields_all_stay_behind_is_plain() {
    let mut text = Text::new("Paris");
    text.extra.insert("gemini".to_owned(), json!({"a": 1}));
    // Gemini always sends text as separate parts.
    let dialects = dialects().into_iter();
    let dialects = dialects.filter(|dialect| dialect.facts().name() != "gemini");
    let asked = Message::new(Role::User, [text.into()]);
    for dialect in dialects {
        let body = sent(&*dialect, &ChatRequest::new([asked.clone()])).unwrap();
        assert_eq!(messages(&body)[0]["content"], "Paris");
    }
}

#[test]
fn a_field_of_an_own_name_is_no_other_dialects() {
    assert!(kit::is_foreign("a_strangers", "anthropic"));
    assert!(!kit::is_foreign("anthropic", "a_strangers"));
    let extra = json!({"a_strangers": {"x": 1}, "anthropic": 2});
    let Value::Object(extra) = extra else {
        unreachable!()
    };
    assert_eq!(kit::own_fields("a_strangers", &extra).unwrap()["x"], 1);
    assert_eq!(kit::own_fields("anthropic", &extra), None);
    assert!(!kit::is_plain("a_strangers", &extra));
    assert!(!kit::is_plain("openai_chat", &extra));
}

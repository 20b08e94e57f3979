//! Which of its dialects OpenAI uses for a call.

use serde_json::json;

use super::*;
use crate::chat::{Message, Part, ReasoningEffort, Role, Tool, ToolCall};
use crate::provider::Provider;

fn hi() -> ChatRequest {
    ChatRequest::new([Message::user("hi")])
}

fn tool() -> Tool {
    Tool::new("f", json!({"type": "object"}))
}

fn with_effort(request: ChatRequest, effort: ReasoningEffort) -> ChatRequest {
    ChatRequest {
        reasoning_effort: Some(effort),
        ..request
    }
}

/// Whether a call goes to Responses.
fn goes_by_responses(request: &ChatRequest) -> bool {
    let endpoint = Provider::openai().with_api_key("k").endpoint().unwrap();
    let dialect = OpenAi::default();
    let variant = dialect.variant(&endpoint, request);
    let name = variant.as_ref().map(|dialect| dialect.facts().name());
    assert!(matches!(name, None | Some("openai_responses")));
    // A caller that does not ask for the variant gets the same request.
    if let Ok(encoded) = dialect.encode(&endpoint, request, Mode::Whole) {
        let path = match name {
            Some(_) => "/v1/responses",
            None => "/v1/chat/completions",
        };
        assert_eq!(encoded.uri().path(), path);
    }
    name.is_some()
}

#[test]
fn tools_with_reasoning_need_responses() {
    for (model, effort, expected) in [
        ("gpt-6-luna", None, true),
        ("gpt-6-luna", Some(ReasoningEffort::Low), true),
        ("gpt-6-luna", Some(ReasoningEffort::None), false),
        ("gpt-6-astra", None, true),
        ("gpt-6-astra", Some(ReasoningEffort::None), true),
        ("gpt-5-mini", Some(ReasoningEffort::High), false),
        ("gpt-4.1", None, false),
        ("gpt-99", Some(ReasoningEffort::High), true),
    ] {
        let asked = ChatRequest {
            reasoning_effort: effort.clone(),
            ..hi().model(model)
        };
        assert!(
            !goes_by_responses(&asked),
            "{model} {effort:?} without tools"
        );
        let request = asked.clone().tool(tool());
        assert_eq!(goes_by_responses(&request), expected, "{model} {effort:?}");
        let request = asked.extra("tools", json!([{"type": "web_search"}]));
        assert_eq!(goes_by_responses(&request), expected, "{model} {effort:?}");
    }
    let request = hi().tool(tool()).extra("reasoning_effort", "none");
    assert!(!goes_by_responses(&request));
}

#[test]
fn fields_of_responses_need_it() {
    for (name, value) in [
        ("previous_response_id", json!("resp_1")),
        ("include", json!([])),
        ("reasoning", json!({"summary": "auto"})),
    ] {
        assert!(goes_by_responses(&hi().extra(name, value)), "{name}");
    }
    for (name, value) in [("metadata", json!({})), ("store", json!(true))] {
        assert!(!goes_by_responses(&hi().extra(name, value)), "{name}");
    }
    // A request with fields of chat completions only sends `store` there too.
    let stored = ChatRequest {
        stop: vec!["x".into()],
        seed: Some(1),
        ..hi().extra("store", true)
    };
    assert!(!goes_by_responses(&stored));
    let endpoint = Provider::openai().with_api_key("k").endpoint().unwrap();
    let sent = OpenAi::default().encode(&endpoint, &stored, Mode::Whole);
    let sent: serde_json::Value = serde_json::from_slice(sent.unwrap().body()).unwrap();
    assert_eq!(
        (&sent["store"], &sent["stop"], &sent["seed"]),
        (&json!(true), &json!(["x"]), &json!(1))
    );
}

#[test]
fn what_came_by_responses_goes_back_there() {
    let own = || {
        let mut extra = crate::chat::Extra::new();
        extra.insert("openai_responses".to_owned(), json!({"id": "x"}));
        extra
    };
    let mut text = crate::chat::Text::new("a");
    text.extra = own();
    let mut call = ToolCall::new("c", "f", "{}");
    call.extra = own();
    let other = |dialect: &str| Part::Other {
        dialect: Some(dialect.to_owned()),
        value: json!({}),
    };
    for part in [text.into(), call.into(), other("openai_responses")] {
        let answer = Message::new(Role::Assistant, [part]);
        let request = ChatRequest::new([Message::user("hi"), answer]);
        assert!(goes_by_responses(&request));
        let stop = ChatRequest {
            stop: vec!["x".into()],
            ..request.clone()
        };
        assert!(
            !goes_by_responses(&stop),
            "only chat completions have `stop`"
        );
        let biased = request.clone().extra("logit_bias", json!({"1": 2}));
        assert!(!goes_by_responses(&biased));
        let request = with_effort(request.tool(tool()), ReasoningEffort::High);
        assert!(goes_by_responses(&request));
    }
    let answer = Message::new(Role::Assistant, [Part::text("a"), other("anthropic")]);
    assert!(!goes_by_responses(&ChatRequest::new([
        Message::user("hi"),
        answer
    ])));
}

#[test]
fn stop_with_tools_and_reasoning_is_an_error() {
    let request = ChatRequest {
        stop: vec!["x".into()],
        ..with_effort(hi().tool(tool()), ReasoningEffort::High)
    };
    let endpoint = Provider::openai().with_api_key("k").endpoint().unwrap();
    let error = OpenAi::default().encode(&endpoint, &request, Mode::Whole);
    let error = error.unwrap_err();
    assert!(error.message().contains("`stop`"), "{error}");
}

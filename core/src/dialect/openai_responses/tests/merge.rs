//! Extra fields in the shape of chat completions.

use super::*;
use crate::chat::{ReasoningEffort, ResponseFormat, Tool};
use crate::dialect::OpenAi;

fn hi() -> ChatRequest {
    ChatRequest::new([Message::user("hi")])
}

fn body(request: &ChatRequest) -> Value {
    encode(request, Mode::Whole).unwrap()
}

#[test]
fn fields_of_chat_completions_go_where_responses_has_them() {
    let schema = json!({"type": "object", "object": {"type": "string"}});
    let format = json!({"type": "json_schema",
        "json_schema": {"name": "n", "schema": schema, "strict": true}});
    let sent = body(
        &hi()
            .extra("reasoning_effort", "high")
            .extra("verbosity", "low")
            .extra("response_format", format),
    );
    assert_eq!(sent["reasoning"], json!({"effort": "high"}));
    assert_eq!(
        sent["text"],
        json!({"verbosity": "low",
            "format": {"type": "json_schema", "name": "n", "schema": schema, "strict": true}})
    );
    for name in ["reasoning_effort", "verbosity", "response_format"] {
        assert_eq!(sent.get(name), None, "{name}");
    }
    let sent = body(&hi().extra("response_format", json!({"type": "json_object"})));
    assert_eq!(sent["text"], json!({"format": {"type": "json_object"}}));
}

#[test]
fn extra_fields_come_before_typed_ones_and_those_of_responses_before_all() {
    let typed = ChatRequest {
        reasoning_effort: Some(ReasoningEffort::Low),
        response_format: Some(ResponseFormat::JsonObject),
        ..hi()
    };
    let asked = typed
        .clone()
        .extra("reasoning_effort", "high")
        .extra("response_format", json!({"type": "text"}));
    let sent = body(&asked);
    assert_eq!(sent["reasoning"], json!({"effort": "high"}));
    assert_eq!(sent["text"], json!({"format": {"type": "text"}}));
    let sent = body(&asked.extra("reasoning", json!({"effort": "max", "summary": "auto"})));
    assert_eq!(
        sent["reasoning"],
        json!({"effort": "max", "summary": "auto"})
    );
    // A field beside the dialect's own does not replace it.
    let sent = body(&typed.extra("verbosity", "low"));
    assert_eq!(sent["reasoning"], json!({"effort": "low"}));
    assert_eq!(
        sent["text"],
        json!({"verbosity": "low", "format": {"type": "json_object"}})
    );
}

#[test]
fn tools_in_the_shape_of_chat_completions_are_flattened() {
    let parameters = json!({"type": "object", "object": {}});
    let own = json!([{"type": "web_search"}, {"type": "function", "name": "h"}]);
    let grammar = json!({"syntax": "lark", "definition": "d"});
    let sent = body(
        &hi()
            .extra(
                "tools",
                json!([
                    {"type": "function", "function": {"name": "f", "parameters": parameters}},
                    {"type": "function", "function": {"name": "g", "strict": true}},
                    {"type": "custom", "custom": {"name": "c",
                        "format": {"type": "grammar", "grammar": grammar}}},
                    own[0], own[1],
                ]),
            )
            .extra(
                "tool_choice",
                json!({"type": "function", "function": {"name": "f"}}),
            ),
    );
    assert_eq!(
        sent["tools"],
        json!([
            {"type": "function", "name": "f", "parameters": parameters, "strict": false},
            {"type": "function", "name": "g", "strict": true},
            {"type": "custom", "name": "c",
                "format": {"type": "grammar", "syntax": "lark", "definition": "d"}},
            own[0], own[1],
        ])
    );
    assert_eq!(
        sent["tool_choice"],
        json!({"type": "function", "name": "f"})
    );
    let some = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto",
        "tools": [{"type": "function", "function": {"name": "f"}}]}});
    assert_eq!(
        body(&hi().extra("tool_choice", some))["tool_choice"],
        json!({"type": "allowed_tools", "mode": "auto",
            "tools": [{"type": "function", "name": "f"}]})
    );
    let word = hi().extra("tool_choice", "required");
    assert_eq!(body(&word)["tool_choice"], "required");
}

#[test]
fn an_effort_in_an_extra_field_that_chooses_responses_is_one_of_responses() {
    let provider = Provider::openai().with_api_key("k");
    let endpoint = provider.endpoint().unwrap();
    let function = json!({"name": "f", "parameters": {"type": "object"}});
    let tool = Tool::new("f", function["parameters"].clone());
    for request in [
        hi().tool(tool),
        hi().extra("tools", json!([{"type": "function", "function": function}])),
    ] {
        let request = request.extra("reasoning_effort", "high");
        let sent = OpenAi::default().encode(&endpoint, &request, Mode::Whole);
        let sent = sent.unwrap();
        assert_eq!(sent.uri().path(), "/v1/responses");
        let sent: Value = serde_json::from_slice(sent.body()).unwrap();
        assert_eq!(sent["reasoning"], json!({"effort": "high"}));
        assert_eq!(sent.get("reasoning_effort"), None);
        assert_eq!(
            sent["tools"],
            json!([{"type": "function", "name": "f", "parameters": {"type": "object"},
                "strict": false}])
        );
    }
}

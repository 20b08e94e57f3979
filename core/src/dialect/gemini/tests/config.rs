//! The options of a request.

use serde_json::json;

use crate::chat::{ChatRequest, Message, ReasoningEffort, ResponseFormat, Tool, ToolChoice};

use super::{encode, hi, refused};

fn thinks(model: &str, effort: ReasoningEffort) -> ChatRequest {
    let mut request = hi().model(model);
    request.reasoning_effort = Some(effort);
    request
}

#[test]
fn the_least_and_the_most() {
    assert_eq!(
        encode(&hi()),
        json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    );
    let mut request = hi()
        .max_tokens(9)
        .temperature(0.5)
        .system_prompt("Be brief.");
    request.top_p = Some(0.9);
    request.seed = Some(-7);
    request.stop = vec!["END".to_owned()];
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: "x".to_owned(),
        schema: json!({"type": "object", "additionalProperties": false}),
        strict: true,
    });
    assert_eq!(
        encode(&request),
        json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "generationConfig": {
                "temperature": 0.5, "topP": 0.9, "maxOutputTokens": 9, "seed": -7,
                "stopSequences": ["END"], "responseMimeType": "application/json",
                "responseJsonSchema": {"type": "object", "additionalProperties": false},
            },
        })
    );
    request.response_format = Some(ResponseFormat::JsonObject);
    let config = encode(&request)["generationConfig"].take();
    assert_eq!(config["responseMimeType"], "application/json");
    assert!(config.get("responseJsonSchema").is_none());
}

#[test]
fn thinking_is_a_level_or_a_budget() {
    use ReasoningEffort::*;
    let config = |model, effort| encode(&thinks(model, effort))["generationConfig"].take();
    for (model, effort, expected) in [
        (
            "gemini-3.8-flash",
            Low,
            json!({"thinkingLevel": "LOW", "includeThoughts": true}),
        ),
        (
            "gemini-3.8-flash",
            Max,
            json!({"thinkingLevel": "HIGH", "includeThoughts": true}),
        ),
        // The lowest level that the model accepts, if its thinking cannot be turned off.
        ("gemini-3.8-flash", None, json!({"thinkingLevel": "LOW"})),
        (
            "gemini-4-argon",
            Minimal,
            json!({"thinkingLevel": "LOW", "includeThoughts": true}),
        ),
        (
            "gemini-3.1-flash-lite",
            None,
            json!({"thinkingLevel": "MINIMAL"}),
        ),
        (
            "gemini-3-flash-preview",
            Minimal,
            json!({"thinkingLevel": "MINIMAL", "includeThoughts": true}),
        ),
        ("gemini-2.5-flash", None, json!({"thinkingBudget": 0})),
        (
            "gemini-2.5-flash",
            Medium,
            json!({"thinkingBudget": 8192, "includeThoughts": true}),
        ),
        ("gemini-2.5-pro", None, json!({"thinkingBudget": 512})),
        (
            "gemini-2.5-pro",
            Xhigh,
            json!({"thinkingBudget": 24576, "includeThoughts": true}),
        ),
    ] {
        let shown = format!("{model} {effort:?}");
        assert_eq!(config(model, effort)["thinkingConfig"], expected, "{shown}");
    }
    // A budget leaves tokens for the answer.
    let request = thinks("gemini-2.5-flash", High).max_tokens(2000);
    let config = encode(&request)["generationConfig"].take();
    assert_eq!(config["thinkingConfig"]["thinkingBudget"], 1600);
    let request = |max_tokens| thinks("gemini-2.5-flash", High).max_tokens(max_tokens);
    let config = encode(&request(640))["generationConfig"].take();
    assert_eq!(config["thinkingConfig"]["thinkingBudget"], 512);
    // If `max_tokens` is too low for the smallest budget, the request is refused.
    for request in [
        request(639),
        thinks("gemini-2.5-pro", None).max_tokens(256),
        request(2000).extra("generationConfig", json!({"maxOutputTokens": 256})),
    ] {
        let why = refused(&request);
        assert!(why.contains("at least 640: raise max_tokens"), "{why}");
    }
    // No budget is needed for no reasoning, for the caller's own setting, or for a level.
    for (request, expected) in [
        (
            thinks("gemini-2.5-flash", None).max_tokens(9),
            json!({"thinkingBudget": 0}),
        ),
        (
            request(256).extra(
                "generationConfig",
                json!({"thinkingConfig": {"thinkingBudget": 128}}),
            ),
            json!({"thinkingBudget": 128}),
        ),
        (
            thinks("gemini-3.8-flash", Low).max_tokens(9),
            json!({"thinkingLevel": "LOW", "includeThoughts": true}),
        ),
    ] {
        let config = encode(&request)["generationConfig"].take();
        assert_eq!(config["thinkingConfig"], expected, "{request:?}");
    }
    let why = refused(&thinks("gemini-2.5-flash", Other("lots".into())));
    assert!(
        why.contains("does not support the reasoning effort \"lots\""),
        "{why}"
    );
}

#[test]
fn fields_of_the_callers_are_merged() {
    let request = hi()
        .max_tokens(5)
        .extra("generationConfig", json!({"topK": 3, "maxOutputTokens": 7}))
        .extra(
            "safetySettings",
            json!([{"category": "c", "threshold": "BLOCK_NONE"}]),
        )
        .extra("tools", json!([{"googleSearch": {}}]));
    let mut request = request;
    request.tools = vec![Tool::new(
        "f",
        json!({"type": "object", "properties": {"a": {}}}),
    )];
    let body = encode(&request);
    assert_eq!(
        body["generationConfig"],
        json!({"maxOutputTokens": 7, "topK": 3})
    );
    assert_eq!(body["safetySettings"][0]["threshold"], "BLOCK_NONE");
    assert_eq!(
        body["tools"],
        json!([
            {"functionDeclarations": [{"name": "f", "parametersJsonSchema":
                {"type": "object", "properties": {"a": {}}}}]},
            {"googleSearch": {}},
        ])
    );
    for (name, value, why) in [
        ("generationConfig", json!(1), "is not an object"),
        ("tools", json!({}), "is not an array"),
        (
            "generationConfig",
            json!({"candidateCount": 2}),
            "several answers",
        ),
        ("stream", json!(true), "do not set `stream` in extra"),
    ] {
        let refused = refused(&hi().extra(name, value));
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn functions_and_how_they_are_chosen() {
    let tool = |parameters| Tool::new("f", parameters).description("does f");
    let mut request = hi();
    request.tools = vec![tool(json!({"type": "object", "properties": {}}))];
    // Google refuses an object without properties.
    assert_eq!(
        encode(&request)["tools"],
        json!([{"functionDeclarations": [{"name": "f", "description": "does f"}]}])
    );
    assert!(encode(&request).get("toolConfig").is_none());
    for (choice, expected) in [
        (ToolChoice::Auto, json!({"mode": "AUTO"})),
        (ToolChoice::None, json!({"mode": "NONE"})),
        (ToolChoice::Required, json!({"mode": "ANY"})),
        (
            ToolChoice::Tool("f".to_owned()),
            json!({"mode": "ANY", "allowedFunctionNames": ["f"]}),
        ),
    ] {
        request.tool_choice = Some(choice);
        assert_eq!(
            encode(&request)["toolConfig"]["functionCallingConfig"],
            expected
        );
    }
    request.tool_choice = None;
    request.tools[0].strict = Some(true);
    assert_eq!(
        encode(&request)["toolConfig"]["functionCallingConfig"]["mode"],
        "VALIDATED"
    );
}

#[test]
fn what_cannot_be_said_is_refused() {
    let only = ChatRequest::new([Message::system("Be brief.")]);
    assert!(refused(&only).contains("only a system prompt"));
    let role = ChatRequest::new([Message::new("narrator".into(), [])]);
    assert!(refused(&role).contains("no role"));
}

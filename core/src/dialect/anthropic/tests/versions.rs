//! Versions of the protocol, betas, clouds, and features that are newer than the first version.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::chat::{ChatRequest, Message, Part, ReasoningEffort, ResponseFormat, Role, Text};
use crate::dialect::anthropic::Anthropic;
use crate::dialect::{Caps, Dialect, Mode};
use crate::error::{Error, ErrorKind};
use crate::frame::{Framing, JsonValues};
use crate::provider::Provider;

const BASE: &str = "https://a.example/base";

fn hi() -> ChatRequest {
    ChatRequest::new([Message::user("hi")]).model("claude-sonnet-4-6")
}

fn sent(dialect: &Anthropic, request: &ChatRequest, mode: Mode) -> Result<Request<Bytes>, Error> {
    let provider = Provider::new("it", BASE, "m", dialect.clone());
    let endpoint = provider.with_api_key("sk-ant-secret").endpoint().unwrap();
    dialect.encode(&endpoint, request, mode)
}

fn body(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}

#[test]
fn the_version_of_2026_takes_less() {
    let new = Anthropic::default().version("2026-10-21");
    assert!(new.refuses_sampling() && !Anthropic::default().refuses_sampling());
    let mut top_p = hi();
    top_p.top_p = Some(0.9);
    let mut cited = Text::new("It rains.");
    let list = json!([{"type": "char_location"}]);
    cited.extra.insert("citations".to_owned(), list);
    let document = Part::Other {
        dialect: None,
        value: json!({"type": "document", "source": {}}),
    };
    let said = Message::new(Role::Assistant, [document]);
    for (request, what) in [
        (hi().temperature(0.0), "temperature"),
        (top_p, "top_p"),
        (hi().extra("top_k", 5), "top_k"),
        (
            ChatRequest::new([Message::new(Role::User, [cited.into()])]),
            "citations in user messages",
        ),
        (
            ChatRequest::new([Message::user("hi"), said]),
            "documents in assistant messages",
        ),
    ] {
        let error = sent(&new, &request, Mode::Whole).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let message = error.to_string();
        assert!(
            message.contains(&format!("2026-10-21 does not accept {what}")),
            "{message}"
        );
        let error = sent(&Anthropic::default(), &request, Mode::Whole).err();
        assert!(error.is_none(), "{what}: {error:?}");
    }
    // Citations of the assistant are sent back.
    let mut cited = Text::new("It rains.");
    let own = json!({"citations": [{"type": "char_location"}]});
    cited.extra.insert("anthropic".to_owned(), own);
    let said = Message::new(Role::Assistant, [cited.into()]);
    let request = ChatRequest::new([Message::user("hi"), said]);
    let sent = body(&sent(&new, &request, Mode::Whole).unwrap());
    let block = &sent["messages"][1]["content"][0];
    assert_eq!(block["citations"][0]["type"], "char_location");
}

#[test]
fn betas_and_bearer_keys() {
    let dialect = Anthropic::default()
        .beta("files-api-2025-04-14")
        .beta("x")
        .bearer(true);
    let request = sent(&dialect, &hi(), Mode::Whole).unwrap();
    let headers = request.headers();
    assert_eq!(headers["anthropic-beta"], "files-api-2025-04-14,x");
    assert_eq!(headers["authorization"], "Bearer sk-ant-secret");
    assert!(headers["authorization"].is_sensitive() && !headers.contains_key("x-api-key"));
    assert_eq!(headers["anthropic-version"], "2023-06-01");
    let error = Anthropic::default().beta("a\nb").headers().unwrap_err();
    assert!(error.to_string().contains("anthropic-beta"), "{error}");
}

#[test]
fn vertex_has_the_model_in_its_url_and_the_version_in_the_body() {
    let dialect = Anthropic::vertex().beta("x");
    let request = hi().model("claude-sonnet-4-5@20250929").temperature(0.5);
    for (mode, action, stream) in [
        (Mode::Whole, "rawPredict", None),
        (Mode::Stream, "streamRawPredict", Some(&json!(true))),
    ] {
        let sent = sent(&dialect, &request, mode).unwrap();
        let path = "/publishers/anthropic/models/claude-sonnet-4-5@20250929:";
        assert_eq!(sent.uri().to_string(), [BASE, path, action].concat());
        assert_eq!(sent.headers()["authorization"], "Bearer sk-ant-secret");
        assert_eq!(sent.headers()["anthropic-beta"], "x");
        assert!(!sent.headers().contains_key("anthropic-version"));
        let body = body(&sent);
        assert_eq!(body["anthropic_version"], "vertex-2023-10-16");
        assert_eq!((body.get("model"), body.get("stream")), (None, stream));
        // The version on a cloud is not a date.
        assert_eq!(body["temperature"], 0.5);
    }
    assert!(dialect.models().is_none());
}

#[test]
fn bedrock_has_everything_in_the_url_and_the_body() {
    let model = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-v1:0";
    let path = "/model/arn:aws:bedrock:us-east-1:1:inference-profile%2Fus.anthropic.claude-v1:0";
    let without = Anthropic::bedrock().beta("x").beta("y");
    let framing: fn(&Caps) -> Box<dyn Framing> = |caps| Box::new(JsonValues::new(caps.event));
    let with = without.clone().framing(framing);
    for (dialect, mode, action) in [
        (&without, Mode::Whole, "/invoke"),
        (&without, Mode::Stream, "/invoke"),
        (&with, Mode::Whole, "/invoke"),
        (&with, Mode::Stream, "/invoke-with-response-stream"),
    ] {
        let sent = sent(dialect, &hi().model(model), mode).unwrap();
        assert_eq!(sent.uri().to_string(), [BASE, path, action].concat());
        assert_eq!(sent.headers()["authorization"], "Bearer sk-ant-secret");
        assert!(!sent.headers().contains_key("anthropic-beta"));
        let body = body(&sent);
        assert_eq!(body["anthropic_version"], "bedrock-2023-05-31");
        assert_eq!(body["anthropic_beta"], json!(["x", "y"]));
        assert_eq!((body.get("model"), body.get("stream")), (None, None));
    }
    assert!(with.streams_tell_all() && !without.streams_tell_all());
}

#[test]
fn a_name_that_would_leave_the_path_is_refused() {
    let clouds = [Anthropic::vertex(), Anthropic::bedrock()];
    for dialect in &clouds {
        for (model, why) in [
            ("", "no model is set"),
            (" ", "no model is set"),
            (".", "is not a valid model name"),
            ("..", "is not a valid model name"),
        ] {
            for mode in [Mode::Whole, Mode::Stream] {
                let error = sent(dialect, &hi().model(model), mode).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                assert!(error.message().contains(why), "{error}");
            }
        }
        let within = sent(dialect, &hi().model("../x"), Mode::Whole).unwrap();
        assert!(within.uri().path().contains("/..%2Fx"), "{}", within.uri());
    }
    let nameless = sent(&Anthropic::default(), &hi().model(" "), Mode::Whole);
    assert!(nameless.unwrap_err().message().contains("no model is set"));
}

#[test]
fn a_framing_of_the_clouds_own_is_read() {
    let framing: fn(&Caps) -> Box<dyn Framing> = |caps| Box::new(JsonValues::new(caps.event));
    let dialect = Anthropic::bedrock().framing(framing);
    let head = http::Response::new(()).into_parts().0;
    let mut decoder = dialect.decoder(&head, Mode::Stream, Caps::default());
    let events = [
        json!({"type": "message_start", "message": {"id": "m", "content": []}}),
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": "hello"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        json!({"type": "message_stop"}),
    ];
    for event in events {
        decoder.feed(format!("{event}\n").into());
    }
    decoder.end();
    let mut text = String::new();
    while let Some(event) = decoder.next_event().unwrap() {
        text.extend(event.as_text());
    }
    assert_eq!(text, "hello");
}

#[test]
fn thinking_is_shown_as_asked() {
    let request = |effort| {
        let mut request = hi().max_tokens(4096);
        request.reasoning_effort = Some(effort);
        request
    };
    let dialect = Anthropic::default().thinking_display("omitted");
    let thinking =
        |request| body(&sent(&dialect, &request, Mode::Whole).unwrap())["thinking"].take();
    let adaptive = thinking(request(ReasoningEffort::High));
    assert_eq!(adaptive, json!({"type": "adaptive", "display": "omitted"}));
    let budget = thinking(request(ReasoningEffort::Low).model("claude-haiku-4-5"));
    assert_eq!(budget["type"], "enabled");
    assert_eq!(budget["display"], "omitted");
    let off = thinking(request(ReasoningEffort::None));
    assert_eq!(off, json!({"type": "disabled"}));
}

#[test]
fn newer_fields_go_beside_ours() {
    let mut request = hi()
        .max_tokens(4096)
        .extra("cache_control", json!({"type": "ephemeral"}))
        .extra("service_tier", "auto");
    request.reasoning_effort = Some(ReasoningEffort::High);
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: "n".into(),
        schema: schema.clone(),
        strict: true,
    });
    let body = body(&sent(&Anthropic::default(), &request, Mode::Whole).unwrap());
    assert_eq!(body["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(body["service_tier"], "auto");
    assert_eq!(
        body["output_config"],
        json!({"effort": "high", "format": {"type": "json_schema", "schema": schema}})
    );
}

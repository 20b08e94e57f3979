//! Conversations without tools.

use chatcore::chat::{ReasoningEffort, ResponseFormat};
use chatcore::{ErrorKind, FinishReason, Message, Part};
use serde_json::json;

use super::askers::Asker;

pub(super) fn a_question(asker: &Asker) {
    let answer = asker.ask(&[Message::user("tides")], |call| call).unwrap();
    assert_eq!(
        answer.text(),
        "The moon pulls the sea, 潮汐 🌊, twice a day and in every bay."
    );
    assert_eq!(answer.finish_reason, Some(FinishReason::Stop));
    let texts = answer.message.parts.iter();
    let texts = texts.filter(|part| matches!(part, Part::Text(_)));
    assert_eq!(texts.count(), 1, "{:?}", answer.message);
}

pub(super) fn a_system_prompt(asker: &Asker) {
    let messages = [Message::system("You are a pirate."), Message::user("tides")];
    let answer = asker.ask(&messages, |call| call).unwrap();
    assert_eq!(answer.text(), "Arr, the moon pulls the sea.");
}

pub(super) fn two_turns(asker: &Asker) {
    let mut messages = vec![Message::user("tides")];
    let first = asker.ask(&messages, |call| call).unwrap();
    messages.extend([first.message, Message::user("and the sun?")]);
    // The conversation is stored as JSON and read again, as an application might do.
    let kept = serde_json::to_string(&messages).unwrap();
    let messages: Vec<Message> = serde_json::from_str(&kept).unwrap();
    let second = asker.ask(&messages, |call| call).unwrap();
    assert_eq!(second.text(), "The sun pulls too, less than half as much.");
}

pub(super) fn reasoning(asker: &Asker) {
    let mut messages = vec![Message::user("think it over")];
    let answer = asker
        .ask(&messages, |call| {
            call.reasoning_effort(ReasoningEffort::Low)
                .max_tokens(4_000)
        })
        .unwrap();
    assert_eq!(answer.text(), "42.");
    // aimock uses another name for this field than Ollama.
    if asker.dialect != "ollama_chat" {
        assert_eq!(answer.reasoning(), "Six times seven, said slowly.");
    }
    messages.extend([answer.message, Message::user("tides")]);
    let next = asker.ask(&messages, |call| call).unwrap();
    assert!(next.text().starts_with("The moon"));
}

pub(super) fn an_answer_as_json(asker: &Asker) {
    let format = ResponseFormat::JsonSchema {
        name: "city".into(),
        schema: json!({
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
            "additionalProperties": false,
        }),
        strict: true,
    };
    let answer = asker
        .ask(&[Message::user("a city as JSON")], |call| {
            call.response_format(format.clone())
        })
        .unwrap();
    let value: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(value, json!({"city": "Zürich"}));
}

pub(super) fn a_picture(asker: &Asker) {
    // An image of one red pixel.
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==";
    let question =
        Message::user("what is in the picture?").part(Part::image_base64("image/png", png));
    let answer = asker.ask(&[question], |call| call).unwrap();
    assert_eq!(answer.text(), "One red pixel.");
}

pub(super) fn a_limit_that_is_reached(asker: &Asker) {
    let answer = asker
        .ask(&[Message::user("a long story")], |call| call.max_tokens(2))
        .unwrap();
    assert_eq!(answer.text(), "Once upon");
    // aimock does not report to Ollama's clients why an answer stopped, nor to clients of Responses
    // what is incomplete.
    let expected = match asker.dialect {
        "ollama_chat" => FinishReason::Stop,
        dialect if dialect.starts_with("openai_responses") => {
            FinishReason::Other("incomplete".into())
        }
        _ => FinishReason::Length,
    };
    assert_eq!(answer.finish_reason, Some(expected));
}

pub(super) fn a_refusal_of_the_server(asker: &Asker) {
    let error = asker
        .ask(&[Message::user("too many questions")], |call| call)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:?}");
    assert!(error.message().contains("Slow down"), "{error}");
}

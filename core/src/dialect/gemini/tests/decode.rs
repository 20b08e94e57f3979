//! Decoding of answers, and how they are sent back.

use serde_json::json;

use crate::chat::{FinishReason, Image, Part, Reasoning};

use super::{answer, chunk, sent_back, sse, streamed};

#[test]
fn a_whole_answer() {
    let told = answer(
        &json!({
            "candidates": [{
                "content": {"parts": [
                    {"text": "hm", "thought": true}, {"text": "Hel"}, {"text": "lo"},
                ], "role": "model"},
                "finishReason": "STOP", "avgLogprobs": -0.1,
                "safetyRatings": [{"category": "c", "probability": "LOW"}],
                "groundingMetadata": {"webSearchQueries": ["q"]},
            }],
            "usageMetadata": {
                "promptTokenCount": 10, "candidatesTokenCount": 2, "thoughtsTokenCount": 3,
                "toolUsePromptTokenCount": 5, "cachedContentTokenCount": 4, "totalTokenCount": 20,
            },
            "modelVersion": "gemini-3.8-flash", "responseId": "r-1", "createTime": "now",
        })
        .to_string(),
    );
    assert_eq!(
        (told.text(), told.message.reasoning()),
        ("Hello".into(), "hm".into())
    );
    assert_eq!((&*told.id, &*told.model), ("r-1", "gemini-3.8-flash"));
    assert_eq!(told.finish_reason, Some(FinishReason::Stop));
    assert_eq!(told.finish_reason_raw, "STOP");
    let usage = told.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (15, 5));
    assert_eq!(usage.total_tokens(), 20);
    assert_eq!(
        (usage.cache_read_tokens, usage.reasoning_tokens),
        (Some(4), Some(3))
    );
    assert_eq!(told.extra["groundingMetadata"]["webSearchQueries"][0], "q");
    assert_eq!(told.extra["safetyRatings"][0]["probability"], "LOW");
    assert_eq!(told.extra["createTime"], "now");
}

#[test]
fn signatures_go_back_in_their_places() {
    let parts = [
        json!({"text": "I think", "thought": true}),
        json!({"text": "Look: "}),
        json!({"text": "here", "thoughtSignature": "s1"}),
        json!({"text": "and"}),
        json!({"text": " there"}),
        json!({"text": "", "thoughtSignature": "s2"}),
        json!({"functionCall": {"name": "f", "args": {"a": 1}, "id": "c1"}, "thoughtSignature": "s3"}),
        json!({"functionCall": {"name": "g", "args": {}}}),
    ];
    let told = streamed(&parts);
    assert_eq!(told.text(), "Look: hereand there");
    assert_eq!(told.message.reasoning(), "I think");
    assert_eq!(
        sent_back(&told),
        json!([
            {"text": "Look: "},
            {"text": "here", "thoughtSignature": "s1"},
            {"text": "and there"},
            {"text": "", "thoughtSignature": "s2"},
            {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "s3"},
            {"functionCall": {"name": "g", "args": {}}},
        ])
    );
    // The parts survive a round trip of the message through JSON.
    let json = serde_json::to_string(&told.message).unwrap();
    let mut again = told.clone();
    again.message = serde_json::from_str(&json).unwrap();
    assert_eq!(sent_back(&again), sent_back(&told));
}

#[test]
fn a_thought_with_a_signature_goes_back() {
    for (part, text) in [
        (
            json!({"text": "hm", "thought": true, "thoughtSignature": "s"}),
            "hm",
        ),
        (
            json!({"text": "", "thought": true, "thoughtSignature": "s"}),
            "",
        ),
    ] {
        let told = streamed(&[part.clone(), json!({"text": "x"})]);
        assert_eq!(told.message.reasoning(), text);
        assert_eq!(sent_back(&told), json!([part, {"text": "x"}]));
    }
    // A signature without text is not part of the answer's text.
    let told = streamed(&[json!({"thoughtSignature": "s"})]);
    let [Part::Reasoning(Reasoning { text, extra, .. })] = &*told.message.parts else {
        panic!("{:?}", told.message);
    };
    assert_eq!(
        (&**text, &extra["gemini"]),
        ("", &json!({"thoughtSignature": "s"}))
    );
}

#[test]
fn sound_and_files_come_as_such() {
    let parts = [
        json!({"inlineData": {"mimeType": "audio/wav", "data": "UklG"}}),
        json!({"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}, "thoughtSignature": "s"}),
    ];
    let told = streamed(&parts);
    let kinds: Vec<_> = told.message.parts.iter().map(Part::kind).collect();
    assert_eq!(kinds, ["audio", "file"]);
    assert_eq!(sent_back(&told), json!(parts));
}

#[test]
fn images_come_as_images() {
    let part =
        json!({"inlineData": {"mimeType": "image/png", "data": "iVBO"}, "thoughtSignature": "s"});
    let told = streamed(&[json!({"text": "Here:"}), part.clone()]);
    let Some(Part::Image(Image { source, .. })) = told.message.parts.last() else {
        panic!("{:?}", told.message);
    };
    assert_eq!(source.kind(), "base64");
    assert_eq!(sent_back(&told), json!([{"text": "Here:"}, part]));
}

#[test]
fn parts_without_a_name_of_ours_go_back_as_they_came() {
    let parts = [
        json!({"executableCode": {"language": "PYTHON", "code": "print(1)"}, "thoughtSignature": "s"}),
        json!({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}),
        // An image within a thought is not part of the answer.
        json!({"inlineData": {"mimeType": "image/png", "data": "iVBO"}, "thought": true}),
        json!({"newThing": [1, 2]}),
    ];
    let told = streamed(&parts);
    assert_eq!(told.message.parts.len(), 4);
    assert_eq!(sent_back(&told), json!(parts));
    // Empty parts are ignored.
    let told = streamed(&[json!({}), json!({"text": ""}), json!("x"), json!(null)]);
    assert!(told.message.parts.is_empty(), "{:?}", told.message);
}

#[test]
fn the_first_of_several_answers_counts() {
    let mut told = chunk(json!([{"text": "second"}]), "STOP");
    told["candidates"][0]["index"] = 1.into();
    let first = chunk(json!([{"text": "first"}]), "STOP")["candidates"][0].take();
    told["candidates"].as_array_mut().unwrap().push(first);
    assert_eq!(answer(&sse(&[told])).text(), "first");
}

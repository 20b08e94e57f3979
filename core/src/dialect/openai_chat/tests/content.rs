//! Content, reasoning, refusals and the fields beside them.

use super::*;

#[test]
fn reasoning_under_each_of_its_names() {
    for name in ["reasoning_content", "reasoning"] {
        let answer = stream(&[
            delta(json!({name: "h"})),
            delta(json!({name: "m"})),
            delta(json!({"content": "a"})),
            finish("stop"),
        ]);
        assert_eq!(
            (&*answer.reasoning(), &*answer.text()),
            ("hm", "a"),
            "{name}"
        );
    }
    let both = stream(&[
        delta(json!({"reasoning": "h", "reasoning_content": "h"})),
        finish("stop"),
    ]);
    assert_eq!(both.reasoning(), "h");
}

#[test]
fn content_may_be_a_list_of_parts() {
    let content = json!([
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "a"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "b"},
    ]);
    let answer = whole(json!({"content": content}));
    assert_eq!((&*answer.reasoning(), &*answer.text()), ("hm", "ab"));
    let other = json!({"type": "reference", "reference_ids": [1]});
    assert!(answer.message.parts.contains(&Part::Other {
        dialect: Some("openai_chat".into()),
        value: other
    }));
}

#[test]
fn reasoning_details_are_put_together_and_go_back() {
    let detail = |detail: Value| delta(json!({"reasoning_details": [detail]}));
    let answer = stream(&[
        detail(json!({"type": "reasoning.text", "index": 0, "text": "h", "signature": null})),
        detail(json!({"type": "reasoning.text", "index": 0, "text": "m"})),
        detail(json!({"type": "reasoning.text", "index": 0, "signature": "s"})),
        detail(json!({"type": "reasoning.encrypted", "index": 1, "data": "e"})),
        delta(json!({"content": "a"})),
        finish("stop"),
    ]);
    assert_eq!(
        answer.message.extra["openai_chat"]["reasoning_details"],
        json!([
            {"type": "reasoning.text", "index": 0, "text": "hm", "signature": "s"},
            {"type": "reasoning.encrypted", "index": 1, "data": "e"},
        ])
    );
}

#[test]
fn a_refusal_is_kept_apart() {
    let answer = stream(&[
        delta(json!({"refusal": "I "})),
        delta(json!({"refusal": "won't"})),
        finish("stop"),
    ]);
    assert_eq!(answer.refusal(), Some("I won't"));
    assert_eq!(answer.text(), "");
}

#[test]
fn usage_of_many_servers() {
    let usage = |usage: Value| {
        let body = json!({"choices": [{"message": {"content": "a"}}], "usage": usage});
        let answer = fold(events([body.to_string().as_bytes()]).unwrap());
        let usage = answer.usage.unwrap();
        (
            [usage.input_tokens, usage.output_tokens],
            [
                usage.cache_read_tokens,
                usage.cache_write_tokens,
                usage.reasoning_tokens,
            ],
        )
    };
    for (given, tokens, details) in [
        (
            json!({"prompt_tokens": 1, "completion_tokens": 2}),
            [1, 2],
            [None; 3],
        ),
        (
            json!({"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17,
                "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 4}}),
            [9, 8],
            [Some(3), Some(1), Some(4)],
        ),
        (
            json!({"prompt_tokens": 9, "completion_tokens": 8, "prompt_cache_hit_tokens": 5,
                "prompt_cache_miss_tokens": 4, "prompt_tokens_details": null}),
            [9, 8],
            [Some(5), None, None],
        ),
        // Together AI.
        (
            json!({"prompt_tokens": 9, "completion_tokens": 8, "cached_tokens": 2}),
            [9, 8],
            [Some(2), None, None],
        ),
        // xAI's output tokens do not include the reasoning tokens.
        (
            json!({"prompt_tokens": 307, "completion_tokens": 26, "total_tokens": 560,
                "completion_tokens_details": {"reasoning_tokens": 227}}),
            [307, 253],
            [None, None, Some(227)],
        ),
        // A number with a fraction is read, and a value that is no number counts as absent.
        (
            json!({"prompt_tokens": 9.0, "completion_tokens": "x", "prompt_tokens_details": 1}),
            [9, 0],
            [None; 3],
        ),
    ] {
        assert_eq!(usage(given.clone()), (tokens, details), "{given}");
    }
}

#[test]
fn usage_in_each_chunk_and_usage_of_groq() {
    let answer = stream(&[
        json!({"choices": [{"delta": {"content": "a"}}], "usage": {"completion_tokens": 1}}),
        json!({"choices": [{"delta": {"content": "b"}, "finish_reason": "stop"}],
            "usage": {"completion_tokens": 2}}),
    ]);
    assert_eq!(answer.usage.unwrap().output_tokens, 2);
    let answer = stream(&[
        delta(json!({"content": "a"})),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}],
            "x_groq": {"id": "r", "usage": {"prompt_tokens": 1, "completion_tokens": 3}}}),
    ]);
    assert_eq!(answer.usage.unwrap().output_tokens, 3);
    assert!(answer.extra.is_empty());
}

#[test]
fn a_field_in_every_chunk_counts_once() {
    let chunk = |citations: Value, text: &str| {
        json!({"citations": citations, "service_tier": "default",
            "choices": [{"delta": {"content": text}}]})
    };
    let answer = stream(&[
        chunk(json!(["x"]), "a"),
        chunk(json!(["x"]), "b"),
        chunk(json!(["x", "y"]), "c"),
        finish("stop"),
    ]);
    assert_eq!(answer.extra["citations"], json!(["x", "y"]));
    assert_eq!(answer.extra["service_tier"], "default");
}

#[test]
fn log_probabilities_of_all_chunks_are_kept() {
    let chunk = |token: &str| {
        json!({"choices": [{"delta": {"content": token},
            "logprobs": {"content": [{"token": token}], "refusal": null}}]})
    };
    let answer = stream(&[chunk("a"), chunk("a"), chunk("b"), finish("stop")]);
    let tokens = answer.extra["logprobs"]["content"].as_array().unwrap();
    let tokens: Vec<_> = tokens.iter().map(|token| &token["token"]).collect();
    assert_eq!(tokens, ["a", "a", "b"]);
}

#[test]
fn the_last_value_of_each_unknown_field_counts_however_many_there_are() {
    for count in [1, 15, 16, 17, 18, 60] {
        let chunk = |round: usize| {
            let mut chunk = delta(json!({"content": "a"}));
            for field in (0..count).rev() {
                chunk[format!("field{field}")] = json!(round * 1_000 + field);
            }
            chunk
        };
        let answer = stream(&[chunk(0), chunk(1), chunk(2), finish("stop")]);
        for field in 0..count {
            let value = &answer.extra[&format!("field{field}")];
            assert_eq!(*value, json!(2_000 + field), "{count}");
        }
        assert_eq!(answer.extra.len(), count);
    }
}

#[test]
fn other_choices_are_passed_over_and_counted() {
    let head = http::Response::new(()).into_parts().0;
    let mut decoder = OpenAiChat::default().decoder(&head, Mode::Whole, Caps::default());
    let body = json!({"choices": [
        {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"},
        {"index": 1, "message": {"content": "b"}, "finish_reason": "stop"},
    ]});
    decoder.feed(body.to_string().into());
    decoder.end();
    let mut fold = Fold::new();
    while let Some(event) = decoder.next_event().unwrap() {
        fold.push(event);
    }
    assert_eq!(fold.finish().text(), "a");
    assert_eq!(decoder.skipped(), 1);
}

#[test]
fn keep_alives_mean_nothing() {
    let body = format!(
        ": OPENROUTER PROCESSING\n\n\n: keep-alive\n\nevent: ping\n\n{}",
        sse(&[delta(json!({"content": "a"})), finish("stop")], true)
    );
    assert_eq!(fold(events([body.as_bytes()]).unwrap()).text(), "a");
    let body = "\n\n\n\n {\"choices\": [{\"message\": {\"content\": \"a\"}}]}\n";
    assert_eq!(fold(events([body.as_bytes()]).unwrap()).text(), "a");
}

#[test]
fn a_message_in_a_stream_and_a_delta_in_a_whole_answer_are_read() {
    let answer =
        stream(&[json!({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]})]);
    assert_eq!(answer.text(), "a");
    let body = json!({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]});
    let answer = fold(events([body.to_string().as_bytes()]).unwrap());
    assert_eq!(answer.text(), "a");
}

#[test]
fn pictures_of_the_model_are_images_and_go_back() {
    let picture = |n: u32| json!({"type": "image_url", "index": n, "image_url": {"url": format!("data:image/png;base64,AAA{n}")}});
    let streamed = stream(&[
        delta(json!({"content": "Here"})),
        delta(json!({"images": [picture(0)]})),
        delta(json!({"images": [picture(1)]})),
        finish("stop"),
    ]);
    let message = json!({"content": "Here", "images": [picture(0), picture(1), {"type": "x"}]});
    let whole = whole(message.clone());
    assert_eq!(whole.message.parts, streamed.message.parts);
    assert_eq!((whole.skipped_events, whole.message.parts.len()), (0, 3));
    let sent = sent(&whole.message);
    assert_eq!(sent["images"], json!([picture(0), picture(1)]));
    assert_eq!(sent["content"], "Here");
    // A user's message can hold the image like any other image.
    let picture = crate::Message::user("brighter").part(whole.message.parts[1].clone());
    let content = &self::sent(&picture)["content"][1];
    assert_eq!(content["image_url"]["url"], "data:image/png;base64,AAA0");
}

#[test]
fn sound_of_the_model_is_a_part_and_its_id_goes_back() {
    let sound = |sound: Value| delta(json!({"audio": sound}));
    let streamed = stream(&[
        sound(json!({"id": "audio_1", "transcript": "Hel"})),
        // Each piece has its own padding.
        sound(json!({"data": "AA=="})),
        sound(json!({"data": "AQI=", "transcript": "lo"})),
        sound(json!({"expires_at": 7})),
        finish("stop"),
    ]);
    let [Part::Audio(audio)] = &*streamed.message.parts else {
        panic!("{:?}", streamed.message);
    };
    assert_eq!(audio.source, MediaSource::base64("audio/pcm", "AAEC"));
    assert_eq!(audio.transcript.as_deref(), Some("Hello"));
    assert_eq!(
        audio.extra["openai_chat"],
        json!({"id": "audio_1", "expires_at": 7})
    );
    let sent = sent(&streamed.message);
    assert_eq!(sent["audio"], json!({"id": "audio_1"}));
    assert_eq!(sent["content"], "");
    for (data, media_type) in [("UklGRg==", "audio/wav"), ("SUQzBA==", "audio/mpeg")] {
        let answer = whole(json!({"content": null, "audio": {"id": "a", "data": data}}));
        let expected = MediaSource::base64(media_type, data);
        assert!(
            matches!(&answer.message.parts[..], [Part::Audio(audio)] if audio.source == expected)
        );
    }
}

#[test]
fn sound_and_pictures_of_another_form_cost_no_more_than_themselves() {
    let answer = stream(&[
        delta(json!({"images": 1, "audio": 2, "content": "a"})),
        delta(json!({"audio": {"data": "AAAA"}})),
        delta(json!({"audio": {"data": "!"}})),
        finish("stop"),
    ]);
    assert_eq!(answer.text(), "a");
    assert_eq!(answer.message.parts.len(), 2);
}

/// The message as it is sent back.
fn sent(message: &crate::Message) -> Value {
    let endpoint = crate::Provider::demo().endpoint().unwrap();
    let request = crate::ChatRequest::new([message.clone()]).model("m");
    let request = OpenAiChat::default().encode(&endpoint, &request, Mode::Whole);
    let body: Value = serde_json::from_slice(request.unwrap().body()).unwrap();
    body["messages"][0].clone()
}

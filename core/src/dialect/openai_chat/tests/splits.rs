//! Any split of the bytes gives the same answer.

use super::*;

fn fixture() -> String {
    let body = sse(
        &[
            json!({"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"role":
                "assistant", "content": "", "reasoning_content": "嗯…"}}]}),
            delta(json!({"content": "你好, \u{1f600} "})),
            delta(json!({"content": "a\\\"b"})),
            delta(json!({"tool_calls": [{"index": 0, "id": "a", "function":
                {"name": "f", "arguments": "{\"q\":"}}]})),
            delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"é\"}"}}]})),
            finish("tool_calls"),
            json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
        ],
        true,
    );
    format!("\u{feff}: hi\r\n\r\n{}", body.replace("\n\n", "\r\n\r\n"))
}

proptest! {
    #[test]
    fn any_split_gives_the_same_answer(cuts in prop::collection::vec(0..1500_usize, 0..12)) {
        let body = fixture();
        let body = body.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|&cut| cut < body.len()).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([body.len()]) {
            pieces.push(&body[from..cut]);
            from = cut;
        }
        let whole = fold(events([body]).unwrap());
        prop_assert_eq!(whole.tool_calls().count(), 1);
        prop_assert_eq!(fold(events(pieces).unwrap()), whole);
    }

    #[test]
    fn no_chunk_makes_it_panic(
        text in r#"(\{|\}|\[|\]|:|,|"(choices|delta|content|tool_calls|index|error|usage)"|null|0|"x"| ){0,24}"#,
    ) {
        for body in [format!("data: {text}\n\n"), text] {
            let _ = events([body.as_bytes()]);
        }
    }
}

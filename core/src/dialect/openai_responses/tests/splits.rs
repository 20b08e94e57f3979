//! Any split of the bytes gives the same answer.

use super::*;

fn fixture() -> String {
    let body = sse(&[
        json!({"type": "response.created", "response": {"id": "r", "model": "m"}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0,
            "summary_index": 0, "delta": "嗯…"}),
        done(
            0,
            json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "嗯…"}]}),
        ),
        text(1, "你好, \u{1f600} "),
        text(1, "a\\\"b"),
        done(1, message("m", "你好, \u{1f600} a\\\"b")),
        added(2, call("c", "")),
        arguments(2, "{\"q\":"),
        arguments(2, "\"é\"}"),
        done(2, call("c", "{\"q\":\"é\"}")),
        completed(json!([])),
    ]);
    format!("\u{feff}: hi\r\n\r\n{}", body.replace("\n\n", "\r\n\r\n"))
}

proptest! {
    #[test]
    fn any_split_gives_the_same_answer(cuts in prop::collection::vec(0..2000_usize, 0..12)) {
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
    fn no_order_of_events_makes_it_panic(order in prop::collection::vec(0..17_usize, 0..24)) {
        let known = [
            added(0, message("a", "")),
            added(1, call("b", "{")),
            added(2, json!({"type": "reasoning", "id": "c", "content": [], "summary": []})),
            text(0, "x"),
            text(3, "y"),
            arguments(1, "{"),
            arguments(0, "}"),
            done(0, message("a", "xy")),
            done(1, call("b", "{}")),
            done(2, json!({"type": "reasoning", "id": "c", "summary": [
                {"type": "summary_text", "text": "z"}]})),
            json!({"type": "response.output_text.delta", "delta": "n", "item_id": "a"}),
            json!({"type": "response.output_text.done", "text": "xx", "output_index": 0}),
            json!({"type": "response.reasoning_text.delta", "delta": "z", "output_index": 2}),
            json!({"type": "response.output_item.added", "item": {"type": "new", "id": "n"}}),
            json!({"type": "response.content_part.done", "output_index": 0, "part":
                {"type": "output_text", "text": "xz"}}),
            json!({"type": "response.custom_tool_call_input.delta", "delta": "i"}),
            completed(json!([message("a", "xy"), call("b", "{}")])),
        ];
        let all: Vec<_> = order.into_iter().map(|at| known[at].clone()).collect();
        let body = sse(&all);
        let parts = match events([body.as_bytes()]) {
            Ok(events) => fold(events).message.parts,
            Err((events, _)) => fold(events).message.parts,
        };
        // Everything that was received can be sent back.
        if !parts.is_empty() {
            input([Message::new(crate::chat::Role::Assistant, parts)]);
        }
    }
}

//! The bytes may be split anywhere, and the events may come in any order.

use super::*;

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let body = body(&everything(), "tool_use");
        let body = body.as_bytes();
        let all = events(&mut *decoder(), [body]).unwrap();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]);
        prop_assert_eq!(events(&mut *decoder(), pieces).unwrap(), all);
    }

    #[test]
    fn no_order_of_events_makes_it_panic(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let mut all = everything();
        all.push(json!({"type": "message_stop"}));
        all.push(json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}));
        let picked: Vec<_> = picks.iter().map(|pick| pick.get(&all).clone()).collect();
        let body = sse(&picked);
        // The result is an answer or an error, and never has more calls than starts.
        let begun = picked.iter().filter(|event| event["content_block"]["type"] == "tool_use");
        let answer = match events(&mut *decoder(), [body.as_bytes()]) {
            Ok(events) | Err((events, _)) => fold(events),
        };
        prop_assert!(answer.tool_calls().count() <= begun.count());
    }
}

//! Mistakes of servers.

use super::*;

#[test]
fn fields_of_another_type_cost_no_more_than_themselves() {
    for odd in [
        json!({"type": "response.output_text.delta"}),
        json!({"type": "response.output_text.delta", "output_index": [], "delta": null}),
        json!({"type": "response.output_item.added", "item": "x"}),
        json!({"type": "response.output_item.added"}),
        json!({"type": "response.output_item.done", "item": []}),
        json!({"type": "response.content_part.done", "part": 7, "output_index": 9}),
        json!({"type": "response.content_part.done", "part": {"type": "new"}, "output_index": 9}),
        json!({"type": "response.created", "response": 1}),
        json!({"type": 7}),
        json!({}),
        json!({"type": "response.output_text.annotation.added", "annotation": {}, "item_id": {}}),
    ] {
        let answer = stream(&[
            odd.clone(),
            done(0, message("m", "a")),
            completed(json!([])),
        ]);
        assert_eq!(answer.text(), "a", "{odd}");
    }
    for output in [json!({}), json!(7), json!("x")] {
        let answer = stream(&[text(0, "a"), completed(output)]);
        assert_eq!(answer.text(), "a");
    }
    let answer = whole(&json!({"output": [1, null, "x", {"type": []}, message("m", "a")]}));
    assert_eq!(answer.text(), "a");
}

#[test]
fn content_that_is_a_string_is_a_text() {
    let item = json!({"type": "message", "role": "assistant", "content": "Hi"});
    let answer = whole(&json!({"status": "completed", "output": [item]}));
    assert_eq!(answer.text(), "Hi");
    assert_eq!(input([answer.message]), json!([item]));
}

#[test]
fn content_without_a_name_of_ours_goes_back_too() {
    let item = json!({"type": "message", "id": "m", "content": [
        {"type": "output_text", "text": "Hi"}, {"type": "output_video", "data": "x"},
        {"type": "output_text", "text": ""}, {"type": "output_text", "text": "you"}]});
    let answer = whole(&json!({"status": "completed", "output": [item]}));
    assert_eq!(answer.text(), "Hiyou");
    assert_eq!(input([answer.message]), json!([item]));
    // A message with empty text.
    let item = message("m", "");
    let mut answer = whole(&json!({"output": [item]})).message;
    assert_eq!(answer.parts.len(), 1);
    assert_eq!((answer.parts[0].kind(), &*answer.text()), ("text", ""));
    assert_eq!(input([answer.clone()]), json!([item]));
    if let Part::Text(text) = &mut answer.parts[0] {
        text.text.push_str("Hi");
    }
    assert_eq!(input([answer])[0]["content"][0]["text"], "Hi");
    // A message without any part.
    let item = json!({"type": "message", "id": "m", "content": []});
    let answer = whole(&json!({"output": [item, message("n", "a")]}));
    assert_eq!(input([answer.message]), json!([item, message("n", "a")]));
}

#[test]
fn a_text_that_the_item_leaves_out_is_sent_with_it() {
    let mut item = message("m", "");
    item["content"] = json!([]);
    let answer = stream(&[text(0, "Hi"), done(0, item.clone()), completed(json!([]))]);
    item["content"] = json!([{"type": "output_text", "text": "Hi"}]);
    assert_eq!(input([answer.message]), json!([item]));
}

#[test]
fn arguments_that_are_an_object_are_its_text() {
    let mut item = call("c", "");
    item["arguments"] = json!({"x": 1});
    let answer = whole(&json!({"output": [item]}));
    assert_eq!(calls(&answer), [("c", "{\"x\":1}")]);
    assert_eq!(input([answer.message]), json!([item]));
}

#[test]
fn a_call_without_a_name_is_an_error() {
    let item = json!({"type": "function_call", "call_id": "c", "arguments": "{}"});
    let (_, error) = failed(&[done(0, item), completed(json!([]))]);
    assert_eq!(error.kind(), ErrorKind::Server);
}

#[test]
fn servers_that_number_all_items_0() {
    let answer = stream(&[
        added(0, json!({"type": "reasoning", "id": "r", "summary": []})),
        done(
            0,
            json!({"type": "reasoning", "id": "r", "summary": [],
            "content": [{"type": "reasoning_text", "text": "hm"}]}),
        ),
        added(0, message("m", "")),
        text(0, "Hi"),
        done(0, message("m", "Hi")),
        added(0, call("c", "")),
        arguments(0, "{}"),
        done(0, call("c", "{}")),
        completed(json!([])),
    ]);
    assert_eq!((&*answer.reasoning(), &*answer.text()), ("hm", "Hi"));
    assert_eq!(calls(&answer), [("c", "{}")]);
}

#[test]
fn late_pieces_are_not_lost() {
    // Without indexes, a text that continues after another one has begun.
    let delta = |id: &str, delta: &str| json!({"type": "response.output_text.delta", "item_id": id, "delta": delta});
    let added = |id: &str| json!({"type": "response.output_item.added", "item": message(id, "")});
    let answer = stream(&[
        added("a"),
        delta("a", "1"),
        added("b"),
        delta("b", "2"),
        delta("a", "3"),
        completed(json!([])),
    ]);
    assert_eq!(answer.text(), "123");
    // More of a text whose successor has begun.
    let part = |index: u64, delta: &str| {
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": index,
            "delta": delta})
    };
    let answer = stream(&[
        part(0, "1"),
        part(1, "2"),
        part(0, "3"),
        completed(json!([])),
    ]);
    assert_eq!(answer.text(), "123");
}

#[test]
fn an_item_that_is_done_is_not_said_again() {
    let item = message("m", "Hi");
    let late = json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0,
        "text": "Hi"});
    let answer = stream(&[
        text(0, "Hi"),
        done(0, item.clone()),
        late,
        text(0, "Hi"),
        completed(json!([item])),
    ]);
    assert_eq!(answer.text(), "Hi");
    let output = json!([item, message("n", "you")]);
    let answer = stream(&[text(0, "Hi"), done(0, item), completed(output)]);
    assert_eq!(answer.text(), "Hiyou");
}

#[test]
fn halves_of_a_character_are_joined() {
    let all = [
        r#"{"type":"response.output_text.delta","output_index":0,"delta":"a\ud83d"}"#,
        r#"{"type":"response.output_text.delta","output_index":0,"delta":"\ude00b"}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":1,"delta":"\ud83d"}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":1,"delta":"\ude00"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"a😀b"}]}}"#,
        r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f","arguments":"😀"}}"#,
        r#"{"type":"response.completed"}"#,
    ];
    let body: String = all.iter().map(|data| format!("data: {data}\n\n")).collect();
    let answer = fold(events([body.as_bytes()]).unwrap());
    assert_eq!(answer.text(), "a😀b");
    assert_eq!(calls(&answer), [("c", "😀")]);
}

#[test]
fn too_many_items_are_refused() {
    let all: Vec<_> = (0..3000).map(|at| text(at, "a")).collect();
    let (_, error) = failed(&all);
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
}

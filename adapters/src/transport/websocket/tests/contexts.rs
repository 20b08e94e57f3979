//! Turns that continue the last response of their lane.

use chatcore::Transport;
use futures_lite::future::{self, block_on};
use serde_json::{Value, json};

use super::support::{body, builder, item, post, post_fields};

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

#[test]
fn a_turn_sends_only_what_is_new() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let server = servers.recv().await.unwrap();
        let first = server.read().await;
        assert_eq!(first["input"], json!([user("1")]));
        server.complete(&first, "r1", "a");
        let second = server.read().await;
        assert_eq!(second["previous_response_id"], "r1");
        assert_eq!(second["input"], json!([user("2")]));
        assert_eq!(second["model"], "m");
        server.complete(&second, "r2", "b");
        let third = server.read().await;
        assert_eq!(third["previous_response_id"], "r2");
        assert_eq!(third["input"], json!([user("3"), user("4")]));
        server.complete(&third, "r3", "c");
        // A changed history is sent whole, on another lane.
        let other = server.read().await;
        assert!(other.get("previous_response_id").is_none());
        assert_eq!(other["input"].as_array().unwrap().len(), 3);
        assert_ne!(other["stream_id"], third["stream_id"]);
        server.complete(&other, "r4", "d");
        server
    };
    let calls = async {
        // The caller may order the members differently.
        let a = json!({"content": [{"text": "a"}], "id": "msg_a", "type": "message", "x": null});
        for input in [
            json!([user("1")]),
            json!([user("1"), a.clone(), user("2")]),
            json!([user("1"), a, user("2"), item("b"), user("3"), user("4")]),
            json!([user("changed"), item("a"), user("2")]),
        ] {
            let response = transport.send(post(input)).await.unwrap();
            body(response).await.unwrap();
        }
    };
    block_on(future::zip(server, calls));
}

#[test]
fn a_context_that_the_server_has_lost_is_sent_whole() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let server = servers.recv().await.unwrap();
        let first = server.read().await;
        server.complete(&first, "r1", "a");
        let second = server.read().await;
        assert_eq!(second["previous_response_id"], "r1");
        let error = json!({"code": "previous_response_not_found", "message": "lost"});
        server.answer(
            &second,
            json!({"type": "error", "status": 400, "error": error}),
        );
        let again = server.read().await;
        assert!(again.get("previous_response_id").is_none());
        assert_eq!(again["input"], json!([user("1"), item("a"), user("2")]));
        server.complete(&again, "r2", "b");
        server
    };
    let calls = async {
        for input in [json!([user("1")]), json!([user("1"), item("a"), user("2")])] {
            let response = transport.send(post(input)).await.unwrap();
            assert_eq!(response.status(), 200);
            body(response).await.unwrap();
        }
    };
    block_on(future::zip(server, calls));
}

#[test]
fn a_caller_that_goes_on_by_itself_gets_the_lane_of_its_response() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let server = servers.recv().await.unwrap();
        let one = server.read().await;
        server.complete(&one, "r1", "a");
        let other = server.read().await;
        assert_ne!(other["stream_id"], one["stream_id"]);
        server.complete(&other, "r2", "b");
        let next = server.read().await;
        assert_eq!(next["stream_id"], one["stream_id"]);
        assert_eq!(next["previous_response_id"], "r1");
        assert_eq!(next["input"], "more");
        // The transport cannot repair a lost response of the caller, because only the caller knows
        // what came before it.
        let error = json!({"code": "previous_response_not_found", "message": "lost"});
        server.answer(
            &next,
            json!({"type": "error", "status": 400, "error": error}),
        );
        server
    };
    let calls = async {
        let posts = [
            post(json!([user("1")])),
            post(json!([user("other")])),
            post_fields(json!({"input": "more", "previous_response_id": "r1"})),
        ];
        let mut statuses = Vec::new();
        for request in posts {
            let response = transport.send(request).await.unwrap();
            statuses.push(response.status().as_u16());
            body(response).await.unwrap();
        }
        statuses
    };
    let (_server, statuses) = block_on(future::zip(server, calls));
    assert_eq!(statuses, [200, 200, 400]);
}

#[test]
fn the_whole_input_goes_where_the_builder_says_so() {
    let (builder, servers) = builder();
    let transport = builder.whole_input().build();
    let server = async {
        let server = servers.recv().await.unwrap();
        for (count, id) in [(1, "r1"), (3, "r2")] {
            let create = server.read().await;
            assert_eq!(create["input"].as_array().unwrap().len(), count);
            assert!(create.get("previous_response_id").is_none());
            server.complete(&create, id, "a");
        }
        server
    };
    let calls = async {
        for input in [json!([user("1")]), json!([user("1"), item("a"), user("2")])] {
            body(transport.send(post(input)).await.unwrap())
                .await
                .unwrap();
        }
    };
    block_on(future::zip(server, calls));
}

#[test]
fn a_server_that_ignores_what_a_turn_goes_on_from_gets_it_whole_from_then_on() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let server = servers.recv().await.unwrap();
        let first = server.read().await;
        server.complete(&first, "r1", "a");
        let second = server.read().await;
        assert_eq!(second["previous_response_id"], "r1");
        let response = json!({"id": "r2", "previous_response_id": null});
        server.answer(
            &second,
            json!({"type": "response.created", "response": response}),
        );
        // The transport does not want this answer.
        assert!(server.is_left().await);
        let server = servers.recv().await.unwrap();
        for id in ["r3", "r4"] {
            let whole = server.read().await;
            assert!(whole.get("previous_response_id").is_none());
            assert_eq!(whole["input"].as_array().unwrap().len(), 3);
            server.complete(&whole, id, "b");
        }
        server
    };
    let calls = async {
        let turn = json!([user("1"), item("a"), user("2")]);
        for input in [json!([user("1")]), turn.clone(), turn] {
            let response = transport.send(post(input)).await.unwrap();
            assert!(body(response).await.unwrap().contains("completed"));
        }
    };
    block_on(future::zip(server, calls));
}

#[test]
fn a_new_conversation_takes_the_lane_that_was_not_used_for_longest() {
    let (builder, servers) = builder();
    let transport = builder.max_sockets(1).build();
    let turn = json!([user("0"), item("a"), user("more")]);
    let server = async {
        let server = servers.recv().await.unwrap();
        let mut creates = Vec::new();
        // 32 conversations use all lanes. Then the first continues, and a new one begins.
        for call in 0..34 {
            let create = server.read().await;
            server.complete(&create, &format!("r{call}"), "a");
            creates.push(create);
        }
        (server, creates)
    };
    let calls = async {
        let firsts = (0..32).map(|n| json!([user(&n.to_string())]));
        for input in firsts.chain([turn, json!([user("new")])]) {
            body(transport.send(post(input)).await.unwrap())
                .await
                .unwrap();
        }
    };
    let ((_server, creates), ()) = block_on(future::zip(server, calls));
    assert_eq!(creates[32]["previous_response_id"], "r0");
    assert_eq!(creates[32]["stream_id"], creates[0]["stream_id"]);
    // Not the first conversation's lane, because that was used last.
    assert_eq!(creates[33]["stream_id"], creates[1]["stream_id"]);
}

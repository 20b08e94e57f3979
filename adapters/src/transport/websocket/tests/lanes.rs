//! The socket and lane that each call uses.

use futures_lite::future::{self, block_on, poll_once};
use serde_json::json;

use super::support::{body, builder, post, post_fields};
use chatcore::Transport;

#[test]
fn a_post_becomes_a_message_and_the_answer_a_stream_of_events() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let server = servers.recv().await.unwrap();
        assert_eq!(server.handshake.uri(), "http://api.test/v1/responses");
        assert_eq!(server.handshake.headers()["authorization"], "Bearer k");
        assert!(!server.handshake.headers().contains_key("content-type"));
        let create = server.read().await;
        let expected = json!({
            "type": "response.create", "stream_id": "lane-0", "model": "m",
            "input": [{"role": "user"}],
        });
        assert_eq!(create, expected);
        server.complete(&create, "r1", "hi");
        server
    };
    let call = async {
        let request = post(json!([{"role": "user"}]));
        let response = transport.send(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        body(response).await.unwrap()
    };
    let (_server, text) = block_on(future::zip(server, call));
    let events: Vec<_> = text.split_terminator("\n\n").collect();
    assert_eq!(events.len(), 3);
    assert!(events[0].starts_with(r#"data: {"type":"response.created""#));
    assert!(events[2].contains("response.completed"));
}

#[test]
fn what_is_no_request_for_a_response_goes_over_http() {
    let (builder, _servers) = builder();
    let transport = builder.build();
    let mut models = post(json!([]));
    *models.uri_mut() = "http://api.test/v1/models".parse().unwrap();
    let background = post_fields(json!({"input": "x", "background": true}));
    let mut no_json = post(json!([]));
    *no_json.body_mut() = "{".into();
    for (request, path) in [
        (models, "http /v1/models"),
        (background, "http /v1/responses"),
        (no_json, "http /v1/responses"),
    ] {
        let response = block_on(transport.send(request)).unwrap();
        assert_eq!(block_on(body(response)).unwrap(), path);
    }
}

#[test]
fn a_socket_takes_more_calls_once_its_server_tells_lanes_apart() {
    let (builder, servers) = builder();
    let transport = builder.max_sockets(1).build();
    block_on(async {
        let mut first = Box::pin(transport.send(post(json!("one"))));
        let mut second = Box::pin(transport.send(post(json!("two"))));
        assert!(poll_once(&mut first).await.is_none());
        assert!(poll_once(&mut second).await.is_none());
        let server = servers.recv().await.unwrap();
        let one = future::or(server.read(), async {
            (&mut first).await.unwrap();
            unreachable!()
        })
        .await;
        assert!(!server.has_mail(), "nobody knows yet that there are lanes");
        server.answer(&one, json!({"type": "response.created"}));
        let first = first.await.unwrap();
        let two = future::or(server.read(), async {
            (&mut second).await.unwrap();
            unreachable!()
        })
        .await;
        assert_eq!([&one["stream_id"], &two["stream_id"]], ["lane-0", "lane-1"]);
        // The answers are interleaved.
        server.answer(&two, json!({"type": "response.created", "n": 2}));
        server.answer(&one, json!({"type": "response.completed", "n": 1}));
        server.answer(&two, json!({"type": "response.completed", "n": 2}));
        let first = body(first).await.unwrap();
        assert!(first.contains(r#""n":1"#) && !first.contains(r#""n":2"#));
        let second = body(second.await.unwrap()).await.unwrap();
        assert!(second.contains(r#""n":2"#) && !second.contains(r#""n":1"#));
    });
}

#[test]
fn a_server_without_lanes_gets_one_call_at_a_time() {
    let (builder, servers) = builder();
    let transport = builder.max_sockets(1).build();
    block_on(async {
        let calls = async {
            let (one, two) = future::zip(
                async { body(transport.send(post(json!("one"))).await.unwrap()).await },
                async { body(transport.send(post(json!("two"))).await.unwrap()).await },
            )
            .await;
            (one.unwrap(), two.unwrap())
        };
        let server = async {
            let server = servers.recv().await.unwrap();
            for n in 1..=2 {
                let create = server.read().await;
                // The first message names a lane, because the server's support is not known yet.
                assert_eq!(create.get("stream_id").is_some(), n == 1);
                server.send(json!({"type": "response.created", "n": n}));
                assert!(!server.has_mail());
                server.send(json!({"type": "response.completed", "n": n}));
            }
            server
        };
        let ((one, two), _server) = future::zip(calls, server).await;
        assert!(one.contains(r#""n":1"#) && two.contains(r#""n":2"#));
    });
}

#[test]
fn other_headers_have_sockets_of_their_own() {
    let (builder, servers) = builder();
    let transport = builder.max_sockets(1).build();
    block_on(async {
        let mut other = post(json!("two"));
        let key = "Bearer other".parse().unwrap();
        other.headers_mut().insert("authorization", key);
        let mut one = Box::pin(transport.send(post(json!("one"))));
        let mut two = Box::pin(transport.send(other));
        assert!(poll_once(&mut one).await.is_none());
        assert!(poll_once(&mut two).await.is_none());
        let keys = [servers.recv().await.unwrap(), servers.recv().await.unwrap()]
            .map(|server| server.handshake.headers()["authorization"].clone());
        assert_eq!(keys, ["Bearer k", "Bearer other"]);
    });
}

#[test]
fn dropping_the_only_call_closes_its_socket() {
    let (builder, servers) = builder();
    let transport = builder.build();
    block_on(async {
        let mut call = Box::pin(transport.send(post(json!("one"))));
        assert!(poll_once(&mut call).await.is_none());
        let server = servers.recv().await.unwrap();
        server.read().await;
        drop(call);
        assert!(server.is_left().await);
    });
}

#[test]
fn a_dropped_call_frees_its_lane_when_its_answer_has_ended() {
    let (builder, servers) = builder();
    let transport = builder.max_sockets(1).max_lanes(2).build();
    block_on(async {
        let mut one = Box::pin(transport.send(post(json!("one"))));
        assert!(poll_once(&mut one).await.is_none());
        let server = servers.recv().await.unwrap();
        let create_one = server.read().await;
        server.answer(&create_one, json!({"type": "response.created"}));
        let one = one.await.unwrap();
        let mut two = Box::pin(transport.send(post(json!("two"))));
        assert!(poll_once(&mut two).await.is_none());
        let create_two = server.read().await;
        server.answer(&create_two, json!({"type": "response.created"}));
        let two = two.await.unwrap();
        drop(one);
        // For the server, both lanes are still busy.
        let mut three = Box::pin(transport.send(post(json!("three"))));
        assert!(poll_once(&mut three).await.is_none());
        server.answer(&create_one, json!({"type": "response.completed"}));
        let create_three = future::or(server.read(), async {
            (&mut three).await.unwrap();
            unreachable!()
        })
        .await;
        assert_eq!(create_three["stream_id"], create_one["stream_id"]);
        server.answer(&create_two, json!({"type": "response.completed"}));
        body(two).await.unwrap();
        server.answer(&create_three, json!({"type": "response.completed"}));
        body(three.await.unwrap()).await.unwrap();
    });
}

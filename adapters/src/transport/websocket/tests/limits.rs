//! Sockets that are too old, have no lane left, or are too many.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatcore::Transport;
use futures_lite::future::{self, block_on};
use http::Request;
use serde_json::json;

use super::support::{NoHttp, Refusals, body, builder, post};
use crate::executor::SmolExecutor;
use crate::transport::WebSocketTransport;

fn post_with(trace: usize) -> Request<Bytes> {
    let mut request = post(json!("x"));
    let value = trace.to_string().parse().unwrap();
    request.headers_mut().insert("x-trace", value);
    request
}

#[test]
fn a_socket_that_is_too_old_makes_room_for_another() {
    let (builder, servers) = builder();
    let transport = builder.max_sockets(1).age_limit(Duration::ZERO).build();
    let server = async {
        for id in ["r1", "r2", "r3"] {
            let server = servers.recv().await.unwrap();
            let create = server.read().await;
            server.complete(&create, id, "a");
            assert!(server.is_left().await, "it is closed once its call is over");
        }
    };
    let calls = async {
        for _ in 0..3 {
            let response = transport.send(post(json!("x"))).await.unwrap();
            body(response).await.unwrap();
        }
        // Looking for a lane retires the old sockets.
        transport.send(post(json!("x"))).await.unwrap();
    };
    block_on(future::or(server, calls));
}

#[test]
fn a_socket_without_a_lane_left_makes_room_for_another() {
    let (builder, servers) = builder();
    let transport = builder.max_sockets(1).build();
    let server = async {
        let first = servers.recv().await.unwrap();
        let create = first.read().await;
        first.complete(&create, "r", "a");
        // An error uses up its lane's name, and a socket has 32 names.
        for _ in 0..32 {
            let create = first.read().await;
            let error = json!({"type": "error", "status": 429, "error": {"code": "slow"}});
            first.answer(&create, error);
        }
        let second = servers.recv().await.unwrap();
        let create = second.read().await;
        second.complete(&create, "r", "b");
        (first, second)
    };
    let calls = async {
        let mut statuses = Vec::new();
        for _ in 0..34 {
            let response = transport.send(post(json!("x"))).await.unwrap();
            statuses.push(response.status().as_u16());
            body(response).await.unwrap();
        }
        statuses
    };
    let (statuses, _servers) = block_on(future::zip(calls, server));
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 32);
    assert_eq!(statuses.last(), Some(&200));
}

#[test]
fn headers_that_differ_from_call_to_call_do_not_make_sockets_without_end() {
    let (builder, servers) = builder();
    let transport = builder.max_sockets(1).build();
    block_on(async {
        let mut open = Vec::new();
        // Idle sockets of other targets are closed to make room.
        for trace in 0..12 {
            let server = async {
                let server = servers.recv().await.unwrap();
                let create = server.read().await;
                server.complete(&create, "r", "a");
                server
            };
            let call = async {
                let response = transport.send(post_with(trace)).await.unwrap();
                body(response).await.unwrap()
            };
            open.push(future::zip(server, call).await.0);
        }
        for closed in &open[..4] {
            assert!(closed.is_left().await);
        }
        // Busy sockets are not closed: the request goes over HTTP.
        let mut calls: Vec<_> = (4..12)
            .map(|trace| Box::pin(transport.send(post_with(trace))))
            .collect();
        for call in &mut calls {
            assert!(future::poll_once(call).await.is_none());
        }
        let response = transport.send(post_with(99)).await.unwrap();
        assert_eq!(body(response).await.unwrap(), "http /v1/responses");
    });
}

#[test]
fn a_server_that_opens_no_socket_is_asked_over_http() {
    for (status, by_http) in [
        (400, true),
        (404, true),
        (405, true),
        (426, true),
        (501, true),
        (200, true),
        (401, false),
        (429, false),
        (503, false),
    ] {
        // The connector has only one status, so a second attempt would fail.
        let connector = Refusals(vec![status].into());
        let executor = Arc::new(SmolExecutor::new());
        let transport = WebSocketTransport::builder(executor, connector, NoHttp).build();
        let response = block_on(transport.send(post(json!("x")))).unwrap();
        let text = block_on(body(response)).unwrap();
        if by_http {
            assert_eq!(text, "http /v1/responses", "{status}");
            let again = block_on(transport.send(post(json!("x")))).unwrap();
            assert_eq!(block_on(body(again)).unwrap(), text);
        } else {
            assert_eq!(text, "refused", "{status}");
        }
    }
}

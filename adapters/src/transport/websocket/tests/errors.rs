//! The server's errors, and lost sockets.

use chatcore::{Transport, TransportErrorKind};
use futures_lite::future::{self, block_on};
use serde_json::{Value, json};

use super::support::{Server, body, builder, post};

fn error(code: &str, param: Value) -> Value {
    let error = json!({"code": code, "message": "no", "param": param});
    json!({"type": "error", "status": 400, "error": error})
}

/// The result of one call when the server handles it with `act`.
fn one_call(act: impl Fn(&Server, &Value)) -> Result<(u16, String), TransportErrorKind> {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let server = servers.recv().await.unwrap();
        let create = server.read().await;
        act(&server, &create);
        server
    };
    let call = async {
        let response = transport.send(post(json!("x"))).await;
        let response = response.map_err(|error| error.kind())?;
        let status = response.status().as_u16();
        let text = body(response).await.map_err(|error| error.kind())?;
        Ok((status, text))
    };
    block_on(future::zip(call, server)).0
}

#[test]
fn an_error_that_comes_first_is_an_answer_with_its_status_and_headers() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let server = servers.recv().await.unwrap();
        let create = server.read().await;
        let mut error = error("rate_limit_exceeded", Value::Null);
        error["status"] = 429.into();
        error["headers"] =
            json!({"retry-after": "7", "x-n": 3, "content-length": "1", "bad name": ""});
        server.answer(&create, error);
        server
    };
    let call = transport.send(post(json!("x")));
    let (response, _server) = block_on(future::zip(call, server));
    let response = response.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(response.headers()["x-n"], "3");
    assert_eq!(response.headers().len(), 3);
    let text = block_on(body(response)).unwrap();
    assert!(text.contains("rate_limit_exceeded"));
}

#[test]
fn an_error_without_a_status_is_an_event() {
    let (status, text) = one_call(|server, create| {
        server.answer(create, json!({"type": "error", "code": "server_error"}));
    })
    .unwrap();
    assert_eq!(status, 200);
    assert!(text.starts_with("data: {"));
}

#[test]
fn a_socket_that_is_closed_before_the_answer_is_a_reset_where_a_new_one_may_help() {
    for code in [1001, 1005, 1006, 1011, 4000] {
        let kind = one_call(|server, _| server.close(code)).unwrap_err();
        assert_eq!(kind, TransportErrorKind::Reset, "{code}");
    }
    for code in [1000, 1002, 1003, 1007, 1008] {
        let kind = one_call(|server, _| server.close(code)).unwrap_err();
        assert_eq!(kind, TransportErrorKind::Protocol, "{code}");
    }
}

#[test]
fn a_socket_that_is_closed_within_the_answer_truncates_it() {
    let kind = one_call(|server, create| {
        server.answer(create, json!({"type": "response.created"}));
        server.close(1006);
    });
    assert_eq!(kind.unwrap_err(), TransportErrorKind::Truncated);
}

#[test]
fn a_call_on_a_used_socket_that_is_gone_goes_over_another_one() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let first = servers.recv().await.unwrap();
        let create = first.read().await;
        first.complete(&create, "r1", "a");
        first.read().await;
        first.close(1001);
        let second = servers.recv().await.unwrap();
        let create = second.read().await;
        second.complete(&create, "r2", "b");
        (first, second)
    };
    let calls = async {
        for text in ["msg_a", "msg_b"] {
            let response = transport.send(post(json!("x"))).await.unwrap();
            assert!(body(response).await.unwrap().contains(text));
        }
    };
    block_on(future::zip(calls, server));
}

#[test]
fn a_socket_that_is_too_old_for_its_server_is_replaced() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let old = servers.recv().await.unwrap();
        let create = old.read().await;
        old.answer(
            &create,
            error("websocket_connection_limit_reached", Value::Null),
        );
        let new = servers.recv().await.unwrap();
        let create = new.read().await;
        new.complete(&create, "r", "new");
        (old, new)
    };
    let call = async {
        let response = transport.send(post(json!("x"))).await.unwrap();
        body(response).await.unwrap()
    };
    let (text, _) = block_on(future::zip(call, server));
    assert!(text.contains("msg_new"));
}

#[test]
fn a_server_that_refuses_the_lane_s_name_gets_none() {
    let (builder, servers) = builder();
    let transport = builder.build();
    let server = async {
        let first = servers.recv().await.unwrap();
        let create = first.read().await;
        assert_eq!(create["stream_id"], "lane-0");
        first.answer(&create, error("unknown_parameter", json!("stream_id")));
        let second = servers.recv().await.unwrap();
        let create = second.read().await;
        assert!(create.get("stream_id").is_none());
        second.complete(&create, "r", "ok");
        (first, second)
    };
    let call = async {
        let response = transport.send(post(json!("x"))).await.unwrap();
        body(response).await.unwrap()
    };
    let (text, _) = block_on(future::zip(call, server));
    assert!(text.contains("msg_ok"));
}

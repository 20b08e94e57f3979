//! The control paths for tests in other processes.

use std::thread;

use super::{QUESTION, answer, ask, connect, json, raw, server};

#[test]
fn statistics_by_key() {
    let server = server();
    raw(&server, "/key/mine/text/a", "");
    raw(&server, "/key/mine/text/b", "");
    raw(&server, "/text/c", "");
    let stats = json(&server, "/_stats", "");
    assert_eq!(stats["requests"], 3);
    assert_eq!(stats["keys"]["mine"]["requests"], 2);
    assert_eq!(stats["keys"]["mine"]["answered"], 2);
    assert_eq!(stats["keys"]["/text/c"]["max_in_flight"], 1);
}

#[test]
fn requests_with_headers_and_body() {
    let server = server();
    raw(&server, "/key/mine/v1/messages", QUESTION);
    let requests = json(&server, "/_requests/mine", "");
    assert_eq!(requests[0]["method"], "POST");
    assert_eq!(requests[0]["target"], "/key/mine/v1/messages");
    assert_eq!(requests[0]["body"], QUESTION);
    assert_eq!(requests[0]["headers"][0], serde_json::json!(["host", "x"]));
    assert_eq!(json(&server, "/_wait_request/mine", "")["number"], 1);
}

#[test]
fn a_long_poll_ends_when_the_connection_does() {
    let server = server();
    let mut stream = connect(&server);
    ask(&mut stream, "POST", "/key/mine/silent/echo", "", "");
    smol::block_on(server.request("mine")).unwrap();
    let by = thread::scope(|scope| {
        let poll = scope.spawn(|| json(&server, "/_wait_closed/mine", ""));
        drop(stream);
        poll.join().unwrap()
    });
    assert_eq!(by, "client");
    raw(&server, "/key/ours/close-said/text/a", "");
    assert_eq!(json(&server, "/_wait_closed/ours", ""), "server");
}

#[test]
fn a_gate_opens_from_outside() {
    let server = server();
    thread::scope(|scope| {
        let path = "/key/gated/gate/door/close-delimited/split/1/text/ab";
        let gated = scope.spawn(|| answer(&server, path, "").1);
        smol::block_on(server.request("gated")).unwrap();
        assert!(!gated.is_finished());
        raw(&server, "/_release/door/2", "");
        assert_eq!(gated.join().unwrap(), "ab");
    });
}

#[test]
fn flaky_fails_so_many_times() {
    let server = server();
    let path = "/key/shaky/flaky/2/status/503/v1/chat/completions";
    let heads: Vec<_> = (0..4).map(|_| answer(&server, path, QUESTION).0).collect();
    let statuses: Vec<_> = heads.iter().map(|head| &head[9..12]).collect();
    assert_eq!(statuses, ["503", "503", "200", "200"]);
}

#[test]
fn browsers_may_ask() {
    let server = server();
    let mut stream = connect(&server);
    let headers = "connection: close\r\norigin: http://page\r\n\
        access-control-request-headers: authorization,content-type\r\n";
    ask(&mut stream, "OPTIONS", "/v1/chat/completions", headers, "");
    let mut came = String::new();
    std::io::Read::read_to_string(&mut stream, &mut came).unwrap();
    assert!(came.starts_with("HTTP/1.1 204 "), "{came}");
    assert!(came.contains("access-control-allow-headers: authorization,content-type\r\n"));
    assert!(
        came.contains("access-control-allow-origin: *\r\n"),
        "{came}"
    );
    assert_eq!(
        server.stats().total.requests,
        0,
        "a preflight is not counted"
    );
    let (head, _) = answer(&server, "/status/429/v1/chat/completions", "");
    assert!(
        head.contains("access-control-allow-origin: *\r\n"),
        "{head}"
    );
}

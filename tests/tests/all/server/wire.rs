//! How answers are sent on the wire, tested where a real client would not show the difference.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::{QUESTION, STREAMED, ask, connect, raw, server};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn chunks_have_sizes_and_an_end() {
    let server = server();
    let came = text(&raw(&server, "/chunked/split/2/text/hello", ""));
    assert!(
        came.ends_with("\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        "{came}"
    );
    let came = text(&raw(&server, "/chunked/cut/end/text/hello", ""));
    assert!(came.ends_with("\r\n\r\n5\r\nhello\r\n"), "{came}");
}

#[test]
fn delays_and_gaps_take_their_time() {
    let server = server();
    for path in [
        "/delay/60ms/text/a",
        "/pause/60ms/text/a",
        "/every/30ms/split/1,2/text/abc",
    ] {
        let began = Instant::now();
        raw(&server, path, "");
        assert!(
            began.elapsed() >= Duration::from_millis(60),
            "{path}: {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn keepalives_go_on_until_the_client_is_gone() {
    let server = server();
    let mut stream = connect(&server);
    let path = "/key/forever/keepalives/forever/1ms/v1/chat/completions";
    ask(&mut stream, "POST", path, "", STREAMED);
    let mut came = Vec::new();
    while text(&came).matches(": keep-alive\n").count() < 5 {
        let mut piece = [0; 512];
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "{}", text(&came));
        came.extend_from_slice(&piece[..count]);
    }
    drop(stream);
    smol::block_on(server.closed("forever")).unwrap();
    assert_eq!(server.counts("forever").in_flight, 0);
}

#[test]
fn a_silent_server_notices_that_the_client_is_gone() {
    let server = server();
    for how in ["silent", "stall/0", "delay/1000s", "hold", "gate/nobody"] {
        let mut stream = connect(&server);
        let path = format!("/key/{}/{how}/v1/messages", how.replace('/', "-"));
        ask(&mut stream, "POST", &path, "", QUESTION);
        smol::block_on(server.request(&how.replace('/', "-"))).unwrap();
        drop(stream);
    }
    smol::block_on(server.all_closed()).unwrap();
    assert_eq!(server.stats().total.in_flight, 0);
}

#[test]
fn a_kept_connection_serves_request_after_request() {
    let server = server();
    let mut stream = connect(&server);
    // Two requests at once, the second in two halves.
    write!(stream, "GET /text/a HTTP/1.1\r\n\r\nGET /te").unwrap();
    write!(stream, "xt/b HTTP/1.1\r\nconnection: close\r\n\r\n").unwrap();
    let mut came = Vec::new();
    stream.read_to_end(&mut came).unwrap();
    let came = text(&came);
    let (first, second) = (
        came.find("\r\n\r\na").unwrap(),
        came.find("\r\n\r\nb").unwrap(),
    );
    assert!(first < second, "{came}");
    assert_eq!(server.stats().accepted, 1);
}

#[test]
fn a_request_in_chunks_and_one_that_asks_first() {
    let server = server();
    let mut stream = connect(&server);
    write!(
        stream,
        "POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\
         connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    .unwrap();
    let mut came = Vec::new();
    stream.read_to_end(&mut came).unwrap();
    let came = text(&came);
    assert!(
        came.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
        "{came}"
    );
    assert!(came.ends_with("\r\n\r\nabcde"), "{came}");
}

#[test]
fn garbage_from_a_client_is_refused() {
    let server = server();
    let mut stream = connect(&server);
    stream.write_all(b"\x16\x03\x01 hello\r\n\r\n").unwrap();
    let mut came = Vec::new();
    // Part of the input may be unread, and then the connection ends with a reset.
    let _ = stream.read_to_end(&mut came);
    assert!(text(&came).starts_with("HTTP/1.1 400 "), "{}", text(&came));
}

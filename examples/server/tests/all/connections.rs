//! The limit of connections per address, and the timeout for a client that reads nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use chatcore_conformance::server::Server as Upstream;
use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::harness::{Connection, Server};

/// A connection from the address 127.0.0.`last`.
fn connect_from(server: &Server, last: u8) -> Connection {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from: IpAddr = Ipv4Addr::new(127, 0, 0, last).into();
    socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
    socket.connect(&server.addr.into()).unwrap();
    server.connection(socket.into())
}

fn is_served(connection: &mut Connection) -> bool {
    connection.ask("GET", "/healthz", &[], b"").status == 200
}

#[test]
fn one_address_leaves_room_for_the_others() {
    let server = Server::start(&[("CHATCORE_MAX_CONNECTIONS_PER_ADDRESS", "3")]);
    let mut open: Vec<_> = (0..3).map(|_| connect_from(&server, 2)).collect();
    assert!(open.iter_mut().all(is_served));
    let answer = connect_from(&server, 2).read();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (429, "too_many_connections")
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(is_served(&mut connect_from(&server, 3)));
    // A connection that ends makes room for another.
    drop(open.pop());
    server.reaches("two and the one that asks", |status| {
        status["connections"] == 3
    });
    assert!(is_served(&mut connect_from(&server, 2)));
}

#[test]
fn behind_a_proxy_all_have_its_address() {
    let server = Server::start(&[
        ("CHATCORE_MAX_CONNECTIONS_PER_ADDRESS", "1"),
        ("CHATCORE_TRUST_PROXY", "true"),
    ]);
    let mut open: Vec<_> = (0..3).map(|_| connect_from(&server, 2)).collect();
    assert!(open.iter_mut().all(is_served));
}

#[test]
fn a_client_that_takes_nothing_is_cut_off_after_the_time_that_is_set() {
    const LIMIT: u64 = 6;
    let upstream = Upstream::start().unwrap();
    // More than the buffers in between hold.
    let base = upstream.url("/pad/32m/v1");
    let server = Server::before(&base, &[("CHATCORE_WRITE_TIMEOUT", "6")]);
    let mut connection = server.connect();
    let body = json!({"message": "hi"}).to_string();
    connection.send("POST", "/api/chat", &[], body.as_bytes());
    server.reaches("the answer is there", |status| {
        status["pool"]["succeeded"] == 1
    });
    let began = Instant::now();
    server.reaches("it is cut off", |status| status["connections"] == 1);
    let took = began.elapsed();
    // The client is cut off after the timeout once, not twice. The bounds allow for a slow machine.
    let limit = Duration::from_secs(LIMIT);
    assert!(took > limit - Duration::from_secs(2), "{took:?}");
    assert!(took < limit * 2 - Duration::from_secs(1), "{took:?}");
}

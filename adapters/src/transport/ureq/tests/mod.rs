//! The transport's promises, against scripted servers on loopback.

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Instant;

use chatcore::ConnectTimeout;
use futures_lite::StreamExt;
use futures_lite::future::{block_on, poll_once};
use http::StatusCode;

use super::super::proxy::{Proxies, Proxy};
use super::super::test_server::{SOON, Server, read};
use super::*;

mod answers;
mod client_certificate;
mod connecting;
mod lifetime;
mod requests;
mod reuse;

fn transport(workers: usize) -> UreqTransport {
    let pool = ThreadPool::new(workers).unwrap();
    UreqTransport::builder(pool)
        .proxies(Proxies::none())
        .build()
}

fn send(
    transport: &UreqTransport,
    request: Request<Bytes>,
) -> Result<Response<ByteStream>, TransportError> {
    block_on(transport.send(request))
}

fn kind<T>(result: Result<T, TransportError>) -> TransportErrorKind {
    match result {
        Ok(_) => panic!("expected an error"),
        Err(error) => error.kind(),
    }
}

/// Reads a body that the server cuts short or corrupts after `answer`.
fn end_of(answer: &'static str) -> Result<String, TransportError> {
    let server = Server::start(move |_, peer| {
        peer.request();
        peer.send(answer);
    });
    read(send(&transport(1), server.post("{}"))?.into_body())
}

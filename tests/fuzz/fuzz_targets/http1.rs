//! HTTP/1.1 responses over a real socket: the result is the same wherever they are split.
#![no_main]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use chatcore::{Transport, TransportErrorKind};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;
use chatcore_fuzz::cut;
use futures_lite::{StreamExt, future::block_on};
use http::{HeaderMap, Request, StatusCode};
use libfuzzer_sys::fuzz_target;

static SERVER: LazyLock<(TcpListener, String)> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
});

type Told =
    Result<(StatusCode, HeaderMap, Vec<u8>, Option<TransportErrorKind>), TransportErrorKind>;

/// What the client reads from these bytes. The server closes the connection after them.
fn told(pieces: &[&[u8]]) -> Told {
    let (listener, url) = &*SERVER;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut socket, _) = listener.accept().unwrap();
            socket.set_nodelay(true).unwrap();
            // Reads the whole request, so that closing the socket does not reset the connection.
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0; 512];
                let count = socket.read(&mut byte).unwrap();
                head.extend_from_slice(&byte[..count]);
            }
            for piece in pieces {
                if socket.write_all(piece).is_err() {
                    return;
                }
            }
            drain(&socket);
        });
        let transport = Http1Transport::new(Arc::new(SmolExecutor::new()));
        block_on(async {
            let request = Request::get(url).body(Bytes::new()).unwrap();
            let response = transport.send(request).await.map_err(|e| e.kind())?;
            let (head, mut body) = response.into_parts();
            let mut bytes = Vec::new();
            let mut error = None;
            while let Some(chunk) = body.next().await {
                match chunk {
                    Ok(chunk) => bytes.extend_from_slice(&chunk),
                    Err(found) => {
                        error = Some(found.kind());
                        break;
                    }
                }
            }
            Ok((head.status, head.headers, bytes, error))
        })
    })
}

/// Ends the answer and waits until the client has disconnected.
fn drain(mut socket: &TcpStream) {
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let _ = socket.read_to_end(&mut Vec::new());
}

fuzz_target!(|data: &[u8]| {
    let Some((at, data)) = cut(data) else {
        return;
    };
    let whole = told(&[data]);
    let split = told(&[&data[..at], &data[at..]]);
    match (&whole, &split) {
        // An error within a body may come before or after the last piece.
        (Ok((_, _, _, Some(_))), Ok((_, _, _, Some(_)))) => {}
        _ => assert_eq!(whole, split),
    }
});

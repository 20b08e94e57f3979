//! A transport that waits until its reactor reports a socket as readable, and asks again at each
//! poll. async-io considers an event stale if it arrives in the reactor turn in which the task
//! registered, so on an event loop that polls once per frame the transport may ask forever.

use std::future::poll_fn;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::task::ready;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError, TransportErrorKind};
use futures_lite::AsyncWriteExt;
use http::{Request, Response};
use smol::Async;

#[derive(Debug)]
pub(super) struct Asking;

fn lost(error: std::io::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Reset, error.to_string())
}

#[async_trait]
impl Transport for Asking {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let authority = request.uri().authority().unwrap().to_string();
        let address: SocketAddr = authority.parse().unwrap();
        let mut socket = Async::<TcpStream>::connect(address).await.map_err(lost)?;
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n",
            request.uri().path(),
            request.body().len()
        );
        socket.write_all(head.as_bytes()).await.map_err(lost)?;
        socket.write_all(request.body()).await.map_err(lost)?;
        let (mut came, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        loop {
            let read = poll_fn(|cx| {
                ready!(socket.poll_readable(cx))?;
                socket.get_ref().read(&mut buffer).into()
            });
            match read.await {
                Ok(0) => break,
                Ok(count) => came.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(lost(error)),
            }
        }
        let end = came.windows(4).position(|four| four == b"\r\n\r\n");
        let body = came.split_off(end.map_or(0, |end| end + 4));
        // Streams are chunked, so the chunk sizes are removed.
        let streams = String::from_utf8_lossy(&came).contains("chunked");
        let body = match streams {
            true => without_sizes(&body),
            false => body,
        };
        Ok(Response::new(ByteStream::from_bytes(body)))
    }
}

/// The lines of a chunked body except the chunk sizes.
fn without_sizes(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let lines = text.split("\r\n");
    lines
        .filter(|line| u64::from_str_radix(line, 16).is_err())
        .collect::<String>()
        .into_bytes()
}

//! A minimal HTTP client, as written in an hour. It keeps one connection, uses blocking reads,
//! expects a head in one piece, and trusts every length.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError, TransportErrorKind};
use http::{Request, Response};

#[derive(Debug, Default)]
pub(super) struct Naive {
    kept: Mutex<Option<TcpStream>>,
}

fn lost(error: std::io::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Reset, error.to_string())
}

fn no_http(error: httparse::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Protocol, error.to_string())
}

#[async_trait]
impl Transport for Naive {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let authority = request.uri().authority().unwrap().to_string();
        let mut stream = match self.kept.lock().unwrap().take() {
            Some(stream) => stream,
            None => TcpStream::connect(&authority).map_err(lost)?,
        };
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let target = request.uri().path_and_query().unwrap();
        write!(
            stream,
            "{} {target} HTTP/1.1\r\nhost: {authority}\r\n",
            request.method()
        )
        .map_err(lost)?;
        for (name, value) in request.headers() {
            write!(stream, "{name}: {}\r\n", value.to_str().unwrap()).map_err(lost)?;
        }
        write!(stream, "content-length: {}\r\n\r\n", request.body().len()).map_err(lost)?;
        stream.write_all(request.body()).map_err(lost)?;

        let mut buffer = vec![0; 64 << 10];
        let count = stream.read(&mut buffer).map_err(lost)?;
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut head = httparse::Response::new(&mut headers);
        let body = match head.parse(&buffer[..count]).map_err(no_http)? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Err(no_http(httparse::Error::Status)),
        };
        let mut response = Response::builder().status(head.code.unwrap());
        let mut length = 0;
        for header in head.headers.iter() {
            response = response.header(header.name, header.value);
            if header.name == "content-length" {
                length = std::str::from_utf8(header.value).unwrap().parse().unwrap();
            }
        }
        let mut body = buffer[body..count].to_vec();
        while body.len() < length {
            match stream.read(&mut buffer).map_err(lost)? {
                0 => break,
                count => body.extend_from_slice(&buffer[..count]),
            }
        }
        *self.kept.lock().unwrap() = Some(stream);
        Ok(response.body(ByteStream::from_bytes(body)).unwrap())
    }
}

//! Reads one request from a connection: the head with `httparse`, the body by its length or chunks.

use std::io;

use smol::Async;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use std::net::TcpStream;

/// The maximum size of a head.
const MAX_HEAD: usize = 256 * 1024;
/// The maximum size of a body.
const MAX_BODY: usize = 64 * 1024 * 1024;
const MAX_HEADERS: usize = 128;

/// A whole request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the client will send no further request on this connection.
    pub(super) close: bool,
}

/// Why no request was read.
#[derive(Debug)]
pub(super) enum NoRequest {
    /// The client closed or reset the connection.
    Gone,
    /// The bytes are not a valid request.
    Bad(String),
}

impl From<io::Error> for NoRequest {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

struct Head {
    request: Request,
    length: Length,
    wants_continue: bool,
}

enum Length {
    Known(usize),
    Chunked,
}

/// Reads the next request. `buffer` holds the bytes received after the previous one.
pub(super) async fn read(
    stream: &mut Async<TcpStream>,
    buffer: &mut Vec<u8>,
) -> Result<Request, NoRequest> {
    let head = loop {
        if let Some((head, length)) = parse(buffer)? {
            buffer.drain(..length);
            break head;
        }
        if buffer.len() > MAX_HEAD {
            return Err(NoRequest::Bad("the head is too large".into()));
        }
        more(stream, buffer).await?;
    };
    if head.wants_continue {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let mut request = head.request;
    request.body = match head.length {
        Length::Known(length) => take(stream, buffer, length).await?,
        Length::Chunked => chunks(stream, buffer).await?,
    };
    Ok(request)
}

fn parse(buffer: &[u8]) -> Result<Option<(Head, usize)>, NoRequest> {
    if buffer.is_empty() {
        return Ok(None);
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(NoRequest::Bad(error.to_string())),
    };
    let mut head = Head {
        request: Request {
            method: parsed.method.unwrap_or_default().to_owned(),
            target: parsed.path.unwrap_or_default().to_owned(),
            headers: Vec::with_capacity(parsed.headers.len()),
            body: Vec::new(),
            close: parsed.version == Some(0),
        },
        length: Length::Known(0),
        wants_continue: false,
    };
    for header in parsed.headers.iter() {
        let name = header.name.to_ascii_lowercase();
        let value = String::from_utf8_lossy(header.value).into_owned();
        match name.as_str() {
            "content-length" => {
                let known = value.parse().ok().filter(|length| *length <= MAX_BODY);
                let known = known.ok_or_else(|| NoRequest::Bad("bad content-length".into()))?;
                head.length = Length::Known(known);
            }
            "transfer-encoding" => head.length = Length::Chunked,
            "connection" => head.request.close |= value.eq_ignore_ascii_case("close"),
            "expect" => head.wants_continue = value.eq_ignore_ascii_case("100-continue"),
            _ => {}
        }
        head.request.headers.push((name, value));
    }
    Ok(Some((head, length)))
}

async fn more(stream: &mut Async<TcpStream>, buffer: &mut Vec<u8>) -> Result<(), NoRequest> {
    let mut piece = [0; 8192];
    match stream.read(&mut piece).await? {
        0 => Err(NoRequest::Gone),
        count => {
            buffer.extend_from_slice(&piece[..count]);
            Ok(())
        }
    }
}

async fn take(
    stream: &mut Async<TcpStream>,
    buffer: &mut Vec<u8>,
    length: usize,
) -> Result<Vec<u8>, NoRequest> {
    while buffer.len() < length {
        more(stream, buffer).await?;
    }
    let rest = buffer.split_off(length);
    Ok(std::mem::replace(buffer, rest))
}

async fn chunks(stream: &mut Async<TcpStream>, buffer: &mut Vec<u8>) -> Result<Vec<u8>, NoRequest> {
    let mut body = Vec::new();
    loop {
        let (start, size) = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete(found)) => break found,
                Ok(httparse::Status::Partial) => more(stream, buffer).await?,
                Err(_) => return Err(NoRequest::Bad("bad chunk size".into())),
            }
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > MAX_BODY - body.len() {
            return Err(NoRequest::Bad("the body is too large".into()));
        }
        take(stream, buffer, start).await?;
        let chunk = take(stream, buffer, size + 2).await?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

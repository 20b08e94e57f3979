//! A tunnel through a SOCKS 5 proxy (RFC 1928), with a user and a password (RFC 1929).
//!
//! Implemented here, because the crates for it bring in tokio or about 70 other crates, and the
//! client side is only four messages.

use std::io;
use std::net::{IpAddr, SocketAddr};

use chatcore::{TransportError, TransportErrorKind};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use super::stream::Stream;
use crate::transport::proxy::Proxy;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;

/// The address that the proxy should connect to.
#[derive(Debug)]
pub(super) enum Destination<'a> {
    /// An address that this machine looked up.
    Address(SocketAddr),
    /// A name that the proxy looks up.
    Name(&'a str, u16),
}

impl<'a> Destination<'a> {
    /// `host`, which the proxy looks up unless it is an IP address.
    pub(super) fn unresolved(host: &'a str, port: u16) -> Self {
        match host.parse::<IpAddr>() {
            Ok(address) => Self::Address((address, port).into()),
            Err(_) => Self::Name(host, port),
        }
    }
}

/// Asks `proxy`, at the other end of `stream`, to connect to `destination`. Bytes sent over the
/// returned stream reach it. Errors call the destination `named`.
pub(super) async fn open(
    mut stream: Stream,
    destination: Destination<'_>,
    named: &str,
    proxy: &Proxy,
) -> Result<Stream, TransportError> {
    let request = request(&destination)?;
    let failed = |kind, why: String| {
        let message = format!("the proxy did not connect to {named}: {why}");
        TransportError::new(kind, message)
    };
    let lost = |error: io::Error| {
        let why = match error.kind() {
            io::ErrorKind::InvalidData => error.to_string(),
            _ => "the connection to it was lost".to_owned(),
        };
        failed(TransportErrorKind::Proxy, why).with_source(error)
    };
    if let Some(why) = authenticate(&mut stream, proxy).await.map_err(lost)? {
        return Err(failed(TransportErrorKind::ProxyRefused, why.to_owned()));
    }
    send(&mut stream, &request).await.map_err(lost)?;
    match reply(&mut stream).await.map_err(lost)? {
        0 => Ok(stream),
        code => Err(failed(kind(code), reason(code))),
    }
}

/// Signs in to the proxy. Returns why the proxy refuses, or `None`.
async fn authenticate(stream: &mut Stream, proxy: &Proxy) -> io::Result<Option<&'static str>> {
    let methods: &[u8] = match proxy.credentials() {
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
        None => &[VERSION, 1, NO_AUTHENTICATION],
    };
    send(stream, methods).await?;
    let [version, method] = read(stream).await?;
    if version != VERSION {
        return Err(not_socks());
    }
    match (method, proxy.credentials()) {
        (NO_AUTHENTICATION, _) => Ok(None),
        (USER_AND_PASSWORD, Some((user, password))) => {
            let mut message = vec![1];
            for text in [user, password] {
                // `Proxy::parse` allows at most 255 bytes.
                message.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
                message.extend_from_slice(&text.as_bytes()[..text.len().min(255)]);
            }
            send(stream, &message).await?;
            let [_, status] = read(stream).await?;
            Ok((status != 0).then_some("it rejected the user and password"))
        }
        (_, None) => Ok(Some(
            "it requires a user and password: write socks5://user:password@host",
        )),
        (_, Some(_)) => Ok(Some(
            "it accepts neither a user and password nor anonymous clients",
        )),
    }
}

fn request(destination: &Destination<'_>) -> Result<Vec<u8>, TransportError> {
    let mut request = vec![VERSION, CONNECT, 0];
    let port = match destination {
        Destination::Address(SocketAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.ip().octets());
            address.port()
        }
        Destination::Address(SocketAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.ip().octets());
            address.port()
        }
        Destination::Name(name, port) => {
            let length = u8::try_from(name.len()).map_err(|error| {
                let why = "the host name is longer than the 255 bytes that SOCKS allows";
                TransportError::new(TransportErrorKind::InvalidInput, why).with_source(error)
            })?;
            request.extend_from_slice(&[3, length]);
            request.extend_from_slice(name.as_bytes());
            *port
        }
    };
    request.extend_from_slice(&port.to_be_bytes());
    Ok(request)
}

/// Reads the reply to a request, but no byte after it, because those are the server's.
async fn reply(stream: &mut Stream) -> io::Result<u8> {
    let [version, code, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(not_socks());
    }
    // The address that the proxy connects from, which is not needed.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(read::<1>(stream).await?[0]),
        // A refusal may have an invalid address type.
        _ if code != 0 => return Ok(code),
        _ => return Err(not_socks()),
    };
    let mut address = vec![0; length + 2];
    match stream.read_exact(&mut address).await {
        Ok(()) => Ok(code),
        // Some proxies close right after the code when they refuse.
        Err(_) if code != 0 => Ok(code),
        Err(error) => Err(error),
    }
}

/// Whether another attempt may help: a server that was not reached may be reached later, but the
/// proxy's rules (2) and the commands that it knows (7 and 8) stay the same.
fn kind(code: u8) -> TransportErrorKind {
    match code {
        2 | 7 | 8 => TransportErrorKind::ProxyRefused,
        _ => TransportErrorKind::Proxy,
    }
}

fn reason(code: u8) -> String {
    match code {
        1 => "it failed".to_owned(),
        2 => "its rules do not allow it".to_owned(),
        3 => "the network is unreachable".to_owned(),
        4 => "it cannot reach or resolve the host".to_owned(),
        5 => "the connection was refused".to_owned(),
        6 => "the connection took too many hops (TTL expired)".to_owned(),
        7 => "it does not support CONNECT".to_owned(),
        8 => "it does not support this type of address; try socks5h:// instead of socks5://, or \
              the reverse"
            .to_owned(),
        code => format!("it answered with the code {code}"),
    }
}

fn not_socks() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "its reply is not SOCKS 5; for an HTTP proxy write http://",
    )
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn read<const COUNT: usize>(stream: &mut Stream) -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

//! A backend for surf that runs async-h1 over a new connection for each request.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use async_io::{Async, Timer};
use async_trait::async_trait;
use chatcore::{ConnectTimeout, Host, TransportError, TransportErrorKind as Kind};
use futures_lite::{AsyncRead, AsyncWrite, FutureExt};
use futures_rustls::TlsConnector;
use futures_rustls::pki_types::ServerName;
use futures_rustls::rustls::{self, ClientConfig, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use surf::http::{Error, Request, Response, StatusCode, Url};

/// Runs async-h1 over connections that this crate opens.
#[derive(Debug, Default)]
pub(super) struct AsyncH1 {
    /// Created at the first handshake, because it reads the system's certificates.
    tls: OnceLock<Arc<ClientConfig>>,
}

#[async_trait]
impl surf::HttpClient for AsyncH1 {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let ConnectTimeout(limit) = request.ext().get().copied().unwrap_or_default();
        let timeout = async {
            Timer::after(limit).await;
            Err(TransportError::new(
                Kind::ConnectTimeout,
                format!("no connection within {limit:?}"),
            ))
        };
        let stream = self
            .connect(request.url())
            .or(timeout)
            .await
            .map_err(wrap)?;
        let ended = Arc::new(AtomicBool::new(false));
        let connection = Connection {
            stream,
            ended: Arc::clone(&ended),
        };
        // http-types panics at some headers that it cannot represent.
        AssertUnwindSafe(async_h1::connect(connection, request))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| {
                Err(wrap(TransportError::new(
                    Kind::Protocol,
                    "the response has a header that surf cannot read",
                )))
            })
            .map_err(|error| explain(error, ended.load(Ordering::Relaxed)))
    }
}

impl AsyncH1 {
    async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, TransportError> {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().unwrap_or(80);
        let socket = tcp(resolve(host, port).await?).await?;
        if url.scheme() != "https" {
            return Ok(Box::new(socket));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(tls_failed)?;
        let session = TlsConnector::from(self.tls().await?)
            .connect(name, socket)
            .await
            .map_err(|error| match error.get_ref() {
                Some(cause) if cause.is::<rustls::Error>() => tls_failed(error),
                _ => TransportError::new(
                    Kind::Connect,
                    "the connection was lost in the TLS handshake",
                )
                .with_source(error),
            })?;
        Ok(Box::new(session))
    }

    async fn tls(&self) -> Result<Arc<ClientConfig>, TransportError> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let config = blocking::unblock(|| {
            ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_platform_verifier()
        });
        let config = config.await.map_err(tls_failed)?.with_no_client_auth();
        Ok(Arc::clone(self.tls.get_or_init(|| Arc::new(config))))
    }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, TransportError> {
    if let Some(addresses) = Host::parse(host).ok().and_then(|host| host.addresses(port)) {
        return Ok(addresses);
    }
    let name = host.to_owned();
    blocking::unblock(move || (name.as_str(), port).to_socket_addrs())
        .await
        .map(Iterator::collect)
        .map_err(|error| {
            let message = format!("the name {host} could not be resolved");
            TransportError::new(Kind::Dns, message).with_source(error)
        })
}

/// Connects to the first of `addresses` that accepts.
async fn tcp(addresses: Vec<SocketAddr>) -> Result<Async<TcpStream>, TransportError> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match Async::<TcpStream>::connect(address).await {
            Ok(socket) => {
                // Head and body are two writes, and the second must not wait until the first is
                // acknowledged.
                socket.get_ref().set_nodelay(true).ok();
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(TransportError::new(Kind::Connect, "no connection could be made").with_source(last))
}

fn tls_failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TransportError {
    TransportError::new(Kind::Tls, "the TLS handshake failed").with_source(error)
}

/// surf's errors need a status, which is ignored later: only the error inside counts.
fn wrap(error: TransportError) -> Error {
    Error::new(StatusCode::BadGateway, error)
}

/// Gives an error of async-h1 its kind. async-h1 has a type for I/O errors only, so other errors
/// are told apart by their text.
fn explain(error: Error, ended: bool) -> Error {
    if error.downcast_ref::<TransportError>().is_some() {
        return error;
    }
    let text = error.to_string();
    let (kind, message) = match error.downcast_ref::<io::Error>() {
        Some(cause) if cause.kind() == io::ErrorKind::InvalidData => (
            Kind::Protocol,
            format!("the answer is not HTTP/1.1: {text}"),
        ),
        Some(_) => (
            Kind::Reset,
            "the connection was lost before the answer".into(),
        ),
        None if ended => (
            Kind::Reset,
            "the connection was closed before the answer".into(),
        ),
        None if text.contains("less than 8kb") || text.contains("too many headers") => (
            Kind::TooLarge,
            format!("the response's head is too large: {text}"),
        ),
        None => (
            Kind::Protocol,
            format!("surf cannot read the answer: {text}"),
        ),
    };
    wrap(TransportError::new(kind, message).with_source(error.into_inner()))
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

struct Connection {
    stream: Box<dyn Stream>,
    /// Whether the server has closed its side.
    ended: Arc<AtomicBool>,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut *self.stream).poll_read(cx, buffer);
        match &result {
            Poll::Ready(Ok(0)) if !buffer.is_empty() => self.ended.store(true, Ordering::Relaxed),
            // async-h1 waits for the rest of a body's trailers without registering a waker, so a
            // body whose last bytes arrive one by one would never end.
            Poll::Ready(Ok(_)) => cx.waker().wake_by_ref(),
            _ => {}
        }
        result
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_close(cx)
    }
}

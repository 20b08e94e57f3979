//! HTTP/1.1 over smol's reactor: the default native transport.
//!
//! ```text
//!  send ─► request ──► pool ─────────────► exchange ─────► body ──► chunks
//!          head and    an idle connection, request out,    answer to its end:
//!          origin      else connect        head in         back to the pool
//!                        │
//!                        └─ names, addresses, proxy (tunnel), tls
//! ```
//!
//! `ureq-proto` implements the protocol without I/O; sockets come from `async-io`, TLS from rustls.
//! Time and background tasks come from the [`Executor`] that the transport is made with, so the
//! transport works on any executor: if smol does not run the reactor, the reactor runs on its own
//! thread.
//!
//! At any moment a connection is owned by the pool, by the future of `send`, or by a body. Dropping
//! the future or the body closes it.

mod body;
mod builder;
mod connect;
mod exchange;
mod lookout;
mod pins;
mod pool;
mod read_buffers;
mod request;
mod socks;
mod stream;
#[cfg(test)]
#[cfg(feature = "smol")]
mod tests;
mod tls;
mod tunnel;
#[cfg(feature = "websocket")]
mod upgrade;
mod verifier;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, ConnectTimeout, Executor, Secrets, Transport, TransportError};
use chatcore::{Instant, TransportErrorKind};
use futures_lite::future;
use http::{HeaderValue, Request, Response, StatusCode};

pub use self::builder::Http1Builder;
#[cfg(feature = "websocket")]
pub(in crate::transport) use self::upgrade::{Upgraded, UpgradedStream};

use self::body::Home;
use self::connect::Connector;
use self::exchange::{Connection, Failure, Incoming, Outgoing, answer_to, poll_exchange};
use self::lookout::Lookout;
use self::pool::Pool;
use self::request::Origin;
use self::tls::Tls;
use super::proxy::{Proxies, Proxy};

/// If a reused connection is lost within this time of a request, before any byte of an answer, the
/// server had closed it while it was idle, so the request is sent again on a new connection. After
/// this time the server may have worked on the request, and a chat must not be paid for twice.
const REPLACE_WITHIN: Duration = Duration::from_secs(3);

/// An HTTP/1.1 client with a connection pool of its own; see the [module](self).
///
/// Beyond what [`Transport`] requires:
///
/// - Idle connections are kept for each origin, and the most recently used is reused first;
///   [`Http1Builder`] has the limits and their defaults.
/// - Addresses are tried with happy eyeballs, 250 ms apart, all within the request's
///   [`ConnectTimeout`], which covers name lookup, TCP, proxy and TLS.
/// - Proxies come from the environment ([`Proxies::from_env`]). An HTTP proxy forwards a plain
///   request, and a request for `https` goes through a tunnel. A SOCKS proxy connects for both.
/// - Certificates are verified with the operating system's rules. If `SSL_CERT_FILE` is set, the
///   roots in that file replace the system's. A server may present a root from that file, or from
///   [`extra_roots`](Http1Builder::extra_roots), as its own certificate. The keys of
///   a host can be [pinned](Http1Builder::pinned_keys), and the client can have
///   [a certificate](Http1Builder::client_certificate).
/// - The transport sets `Host`, `Content-Length` and, unless the request has one, `User-Agent`. It
///   does not send the request's `Transfer-Encoding`, `Expect` or `Proxy-Authorization`.
/// - Interim responses (1xx) and stray empty lines before a response are skipped. The head of a
///   response has at most 64 KiB and 128 headers.
///
/// Read each body to its end, even if its content does not matter, because the connection returns
/// to the pool only then. A body that arrived completely with its headers has already returned its
/// connection.
///
/// Cloning is cheap. Clones share their connections.
///
/// ```no_run
/// use std::sync::Arc;
/// use bytes::Bytes;
/// use chatcore::Transport;
/// use chatcore_adapters::executor::SmolExecutor;
/// use chatcore_adapters::transport::Http1Transport;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = Http1Transport::new(Arc::new(SmolExecutor::new()));
/// let request = http::Request::get("https://api.deepseek.com/models").body(Bytes::new())?;
/// let response = smol::block_on(transport.send(request))?;
/// assert_eq!(response.status(), 401);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Http1Transport {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Arc<Pool>,
    tls: Box<dyn Tls>,
    lookout: Arc<Lookout>,
    proxies: Proxies,
    max_head: usize,
    user_agent: HeaderValue,
}

impl Http1Transport {
    /// A transport with the defaults of [`Http1Builder`]. It uses `executor` for time and for
    /// background tasks.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        Self::builder(executor).build()
    }

    /// A builder for limits, proxies and certificates.
    pub fn builder(executor: Arc<dyn Executor>) -> Http1Builder {
        Http1Builder::new(executor)
    }
}

#[async_trait]
impl Transport for Http1Transport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let mut task = self.inner.prepare(request, Via::Forward)?;
        if self.inner.lookout.is_busy() {
            // Requests that leave together find the server awake. Waking a server on this machine
            // for each request costs more than the rest of a chat.
            future::yield_now().await;
        }
        let mut idle = self.inner.pool.take(&task.home.origin);
        loop {
            let reused = idle.is_some();
            let mut connection = match idle.take() {
                Some(connection) => connection,
                // Boxed, because this future is large and most requests reuse a connection.
                None => Box::pin(self.inner.connect(&task)).await?,
            };
            let began = self.inner.now();
            let exchange = poll_fn(|cx| {
                poll_exchange(&mut connection, &mut task.outgoing, &mut task.incoming, cx)
            });
            match exchange.await {
                Ok(head) => return task.receive(head, connection),
                Err(Failure::Lost {
                    answered: false, ..
                }) if reused && self.inner.now() - began < REPLACE_WITHIN => {
                    task.outgoing.rewind();
                    task.incoming.rewind();
                }
                Err(failure) => return Err(failure.into_error(&task.home.origin.host)),
            }
        }
    }

    fn tell_secrets(&self, secrets: &mut Secrets) {
        self.inner.proxies.tell_secrets(secrets);
    }
}

/// How a request without TLS goes through a proxy. A request with TLS always goes through a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Via {
    /// The proxy forwards it.
    Forward,
    /// The proxy opens a connection to the origin and passes bytes on unchanged.
    #[cfg(feature = "websocket")]
    Tunnel,
}

/// One request in progress.
struct Task<'a> {
    proxy: Option<&'a Proxy>,
    via: Via,
    connect_timeout: ConnectTimeout,
    outgoing: Outgoing,
    incoming: Incoming,
    home: Home,
}

impl Inner {
    fn prepare(&self, request: Request<Bytes>, via: Via) -> Result<Task<'_>, TransportError> {
        let origin = Origin::of(request.uri())?;
        let proxy = self.proxies.for_uri(request.uri())?;
        let forwards = via == Via::Forward && !origin.tls;
        let forward = proxy.filter(|proxy| forwards && !proxy.scheme().is_socks());
        let encoded = request::encode(request, &self.user_agent, forward)?;
        Ok(Task {
            proxy,
            via,
            connect_timeout: encoded.connect_timeout,
            incoming: Incoming::new(answer_to(&encoded.method)?, self.max_head),
            outgoing: Outgoing::new(encoded.head, encoded.body),
            home: Home {
                pool: self.pool.clone(),
                origin: Arc::new(origin),
                keep_alive: encoded.keep_alive,
            },
        })
    }

    async fn connect(&self, task: &Task<'_>) -> Result<Connection, TransportError> {
        let connector = Connector {
            executor: &**self.pool.executor(),
            tls: &*self.tls,
            lookout: &self.lookout,
            user_agent: &self.user_agent,
            max_head: self.max_head,
            forwards: task.via == Via::Forward,
        };
        let stream = connector
            .connect(&task.home.origin, task.proxy, task.connect_timeout)
            .await?;
        Ok(Connection {
            stream,
            unread: Vec::new(),
            born: self.now(),
        })
    }

    fn now(&self) -> Instant {
        self.pool.executor().now()
    }
}

impl Task<'_> {
    fn receive(
        self,
        head: Response<()>,
        connection: Connection,
    ) -> Result<Response<ByteStream>, TransportError> {
        let status = head.status();
        let speaks_http = |proxy: &Proxy| !proxy.scheme().is_socks();
        if self.proxy.is_some_and(speaks_http)
            && status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            return Err(TransportError::new(
                TransportErrorKind::ProxyRefused,
                format!("the proxy refused the request: it answered {status}"),
            ));
        }
        let call = self.incoming.into_call();
        let body = body::receive(&head, call, connection, self.outgoing, self.home)?;
        Ok(head.map(|()| body))
    }
}

impl fmt::Debug for Http1Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1Transport")
            .field("pool", &self.inner.pool)
            .field("proxies", &self.inner.proxies)
            .finish_non_exhaustive()
    }
}

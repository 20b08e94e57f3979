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
//! The protocol is `ureq-proto`'s, which does no I/O; sockets come from `async-io`, TLS from
//! rustls. Time and background tasks come from the [`Executor`] that the transport is made with,
//! so that it works on any: the reactor runs on a thread of its own where smol does not run it.
//!
//! A connection is in one place at a time: in the pool, in the future of `send`, or in a body.
//! Dropping either of the last two closes it.

mod body;
mod builder;
mod connect;
mod exchange;
mod lookout;
mod pool;
mod read_buffers;
mod request;
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

/// A reused connection that is lost within this time of a request, without a byte of an answer,
/// was closed while idle, and the request is sent on a new one. When it is lost later, the server
/// may have been at work on the request: a chat must not be paid for twice.
const REPLACE_WITHIN: Duration = Duration::from_secs(3);

/// An HTTP/1.1 client with a connection pool of its own; see the [module](self).
///
/// What it does beside what [`Transport`] asks for:
///
/// - Connections are kept and reused for each origin, the last used first;
///   [`Http1Builder`] has the limits and their defaults.
/// - Addresses are tried in the happy-eyeballs way, with 250 ms between them, all within the
///   request's [`ConnectTimeout`], which covers name lookup, TCP, proxy and TLS.
/// - Proxies come from the environment ([`Proxies::from_env`]): a plain request is forwarded, one
///   for `https` goes through a tunnel.
/// - Certificates are verified as the operating system does it; where `SSL_CERT_FILE` is set, the
///   roots in that file stand instead of the system's. A server may show a root of that file, or of
///   [`extra_roots`](Http1Builder::extra_roots), as its own certificate.
/// - `Host`, `Content-Length` and, unless given, `User-Agent` are set here. `Transfer-Encoding`,
///   `Expect` and `Proxy-Authorization` of the request are not sent.
/// - Interim answers (1xx) and stray empty lines before an answer are skipped. The head of an answer
///   has at most 64 KiB and 128 headers.
///
/// Read a body to its end, even if nothing more is of interest: that is what hands the connection
/// back. A body that came whole along with its headers has handed it back already.
///
/// Cloning is cheap, and the clones share their connections.
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
    /// A transport with the defaults of [`Http1Builder`], and time and background tasks of
    /// `executor`.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        Self::builder(executor).build()
    }

    /// Sets limits, proxies or certificates first.
    pub fn builder(executor: Arc<dyn Executor>) -> Http1Builder {
        Http1Builder::new(executor)
    }
}

#[async_trait]
impl Transport for Http1Transport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let mut task = self.inner.prepare(request, Via::Forward)?;
        if self.inner.lookout.is_busy() {
            // Requests that leave right after one another find the server awake. To wake it for
            // each costs more than all else that a chat needs, where it runs on this machine.
            future::yield_now().await;
        }
        let mut idle = self.inner.pool.take(&task.home.origin);
        loop {
            let reused = idle.is_some();
            let mut connection = match idle.take() {
                Some(connection) => connection,
                // Boxed: it is large, and most requests do without.
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

/// How a plain request goes through a proxy; one with TLS always goes through a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Via {
    /// The proxy forwards it.
    Forward,
    /// The proxy connects, and passes on what comes.
    #[cfg(feature = "websocket")]
    Tunnel,
}

/// One request on its way.
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
        let forward = proxy.filter(|_| via == Via::Forward && !origin.tls);
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
        if self.proxy.is_some() && status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(TransportError::new(
                TransportErrorKind::Proxy,
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

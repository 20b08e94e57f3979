//! Implements ureq's traits for name lookup and sockets. They do three things that ureq has no
//! setting for: cancel one call without affecting others, report the step in which an error
//! happened, and apply one connect timeout to lookup, proxy and TLS together.
//!
//! A call runs on one worker thread from start to end, and ureq calls these traits on that thread.
//! So a thread-local holds the call that a connection serves.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use http::Uri;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
    ShutdownHandle, SocksConnector, TcpConnector, Transport, time,
};
use ureq::{Error, Timeout};

use chatcore::{Host, Target, TransportError, TransportErrorKind as Kind};

use super::call::{Cancelled, SharedCall};
use super::connection::Connection;
use super::error::Failure;
use super::socket::Socket;
use crate::executor::threads::lock;

/// The call that runs on this thread.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) call: SharedCall,
    connect_until: Instant,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// Marks the calling thread as running `call` until it is dropped.
pub(super) struct OnCall(());

impl OnCall {
    pub(super) fn begin(call: &SharedCall, connect_timeout: Duration) -> Self {
        let now = Instant::now();
        let current = Current {
            call: Arc::clone(call),
            // A timeout that cannot be represented means no timeout; a day stands in for it.
            connect_until: now
                .checked_add(connect_timeout)
                .unwrap_or(now + Duration::from_secs(86_400)),
        };
        CURRENT.set(Some(current));
        Self(())
    }
}

impl Drop for OnCall {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

pub(super) fn current() -> Result<Current, Error> {
    CURRENT
        .with_borrow(Clone::clone)
        .ok_or(Error::ConnectionFailed)
}

impl Current {
    fn left(&self) -> Result<NextTimeout, Error> {
        let left = self.connect_until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(Timeout::Connect));
        }
        Ok(NextTimeout {
            after: time::Duration::Exact(left),
            reason: Timeout::Connect,
            ..NextTimeout::default()
        })
    }
}

/// The connection to a proxy. Without this, ureq would restart the connect timeout for each step on
/// it: CONNECT and TLS.
#[derive(Debug)]
struct ProxyLeg(Box<dyn Transport>);

impl ProxyLeg {
    fn limit(timeout: NextTimeout) -> Result<NextTimeout, Error> {
        match timeout.reason {
            Timeout::Connect => current()?.left(),
            _ => Ok(timeout),
        }
    }
}

impl Transport for ProxyLeg {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, Self::limit(timeout)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(Self::limit(timeout)?)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

impl From<Cancelled> for Error {
    fn from(_: Cancelled) -> Self {
        Error::Io(io::Error::new(io::ErrorKind::Interrupted, "cancelled"))
    }
}

/// Name lookup within the call's connect timeout. IP addresses and `localhost` need no lookup and
/// no thread for it.
#[derive(Debug, Default)]
pub(super) struct CallResolver(DefaultResolver);

impl Resolver for CallResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let (host, port) = target(uri).map_err(|error| Error::Other(Box::new(error)))?;
        if let Some(known) = host.addresses(port) {
            let mut addresses = self.empty();
            for address in known {
                addresses.push(address);
            }
            return Ok(addresses);
        }
        self.0
            .resolve(uri, config, current()?.left()?)
            .map_err(Failure::mark(Kind::Dns))
    }
}

/// The host and port in the URL of a server or of a SOCKS proxy.
fn target(uri: &Uri) -> Result<(Host, u16), TransportError> {
    let scheme = uri.scheme_str().unwrap_or_default();
    if scheme
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("socks"))
        && let (Some(host), Some(port)) = (uri.host(), uri.port_u16())
    {
        let bad = |error| TransportError::new(Kind::Proxy, format!("it {error}"));
        return Ok((Host::parse(host).map_err(bad)?, port));
    }
    let target = Target::of(uri)?;
    Ok((target.host, target.port))
}

/// Opens connections: TCP, a proxy's CONNECT or SOCKS tunnel, TLS.
#[derive(Debug, Default)]
pub(super) struct CallConnector {
    /// Whether the agent uses a proxy.
    pub(super) proxied: bool,
    proxy: ConnectProxyConnector,
    socks: SocksConnector,
    tcp: TcpConnector,
    tls: RustlsConnector,
}

impl CallConnector {
    pub(super) fn new(proxied: bool) -> Self {
        Self {
            proxied,
            ..Self::default()
        }
    }
}

impl Connector<()> for CallConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let current = current()?;
        let socket: Arc<Mutex<Option<Weak<dyn ShutdownHandle>>>> = Arc::default();
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: time::Instant::now(),
            timeout: current.left()?,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            // A connection registers its socket here before anything else, so that a handshake can
            // be cancelled too.
            register_shutdown: {
                let call = Arc::clone(&current.call);
                let socket = Arc::clone(&socket);
                let agent = Arc::clone(&details.register_shutdown);
                Arc::new(move |handle: Weak<dyn ShutdownHandle>| {
                    call.attach(Some(Weak::clone(&handle)), false)?;
                    *lock(&socket) = Some(Weak::clone(&handle));
                    agent(handle)
                })
            },
        };

        // With a proxy, ureq calls this again for the connection to the proxy itself.
        let to_proxy = self.proxied && details.config.proxy().is_none();
        let tunnel = self
            .proxy
            .connect(&details, None::<()>)
            .map_err(Failure::mark_proxy)?;
        let tunnel = self
            .socks
            .connect(&details, tunnel)
            .map_err(Failure::mark_proxy)?;
        let stream = self
            .tcp
            .connect(&details, tunnel)
            .map_err(Failure::mark(Kind::Connect))?
            .map(Socket::new);
        let stream = self
            .tls
            .connect(&details, stream)
            .map_err(Failure::mark(Kind::Tls))?;
        let Some(stream) = stream else {
            return Ok(None);
        };
        if to_proxy {
            return Ok(Some(Box::new(ProxyLeg(Box::new(stream)))));
        }
        let socket = lock(&socket).take();
        Ok(Some(Box::new(Connection::new(Box::new(stream), socket))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transport::loopback::{authorities, taken_for_loopback};

    /// Runs on a thread without a call, so that any real lookup would fail.
    fn resolve(uri: &Uri) -> Result<ResolvedSocketAddrs, Error> {
        let never = NextTimeout {
            after: time::Duration::NotHappening,
            reason: Timeout::Connect,
            ..NextTimeout::default()
        };
        CallResolver::default().resolve(uri, &Config::default(), never)
    }

    proptest! {
        #[test]
        fn what_the_core_takes_for_this_machine_connects_to_this_machine(
            authority in authorities(),
        ) {
            if let Some(uri) = taken_for_loopback(&authority) {
                for address in resolve(&uri).unwrap().iter() {
                    prop_assert!(address.ip().is_loopback(), "{authority} is at {address}");
                }
            }
        }
    }

    #[test]
    fn what_is_below_localhost_is_not_looked_up() {
        let uri = Uri::from_static("http://no-such-name.evil.localhost:7/");
        assert_eq!(resolve(&uri).unwrap().len(), 2);
        assert!(resolve(&Uri::from_static("http://evil.test/")).is_err());
        assert!(resolve(&Uri::from_static("http://127.1/")).is_err());
    }
}

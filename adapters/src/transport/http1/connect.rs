//! Opens a connection: name lookup, addresses, proxy, TLS.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_io::Async;
use chatcore::{BoxFuture, ConnectTimeout, Executor, Host, TransportError, TransportErrorKind};
use futures_lite::future;
use http::HeaderValue;
use socket2::{SockRef, TcpKeepalive};

use super::lookout::Lookout;
use super::request::Origin;
use super::socks::{self, Destination};
use super::stream::{Socket, Stream};
use super::tls::Tls;
use super::tunnel;
use crate::transport::proxy::{self, Proxy, ProxyScheme};

/// How long to wait for one address before the next one is tried in parallel (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// How long a connection may be silent before the system probes it. A model may think for minutes,
/// and NAT routers forget a connection that is silent for that long.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What all connections of a transport share.
#[derive(Clone, Copy)]
pub(super) struct Connector<'a> {
    pub(super) executor: &'a dyn Executor,
    pub(super) tls: &'a dyn Tls,
    pub(super) lookout: &'a Arc<Lookout>,
    pub(super) user_agent: &'a HeaderValue,
    pub(super) max_head: usize,
    /// Whether a proxy forwards requests without TLS, so that they need no tunnel.
    pub(super) forwards: bool,
}

impl Connector<'_> {
    /// Opens a connection that can carry requests for `origin`.
    pub(super) async fn connect(
        self,
        origin: &Origin,
        proxy: Option<&Proxy>,
        ConnectTimeout(limit): ConnectTimeout,
    ) -> Result<Stream, TransportError> {
        let timeout = async {
            self.executor.sleep(limit).await;
            Err(TransportError::new(
                TransportErrorKind::ConnectTimeout,
                format!("no connection to {} within {limit:?}", origin.host),
            ))
        };
        future::or(self.establish(origin, proxy), timeout).await
    }

    async fn establish(
        self,
        origin: &Origin,
        proxy: Option<&Proxy>,
    ) -> Result<Stream, TransportError> {
        let stream = match proxy {
            None => self.tcp(&origin.host, origin.port).await?,
            Some(proxy) => self.through(origin, proxy).await?,
        };
        match origin.tls {
            true => self.tls.handshake(stream, &origin.host).await,
            false => Ok(stream),
        }
    }

    /// Connects to `proxy`, and opens a tunnel to `origin` unless the proxy forwards the request.
    async fn through(self, origin: &Origin, proxy: &Proxy) -> Result<Stream, TransportError> {
        let host = proxy::unbracketed(proxy.host());
        let unusable = |error: TransportError| {
            // Keeps the kind `Tls`, because a retry does not make a certificate trusted.
            let kind = match error.kind() {
                TransportErrorKind::Tls => TransportErrorKind::Tls,
                _ => TransportErrorKind::Proxy,
            };
            TransportError::new(kind, format!("the proxy: {error}")).with_source(error)
        };
        let mut stream = self.tcp(host, proxy.port()).await.map_err(unusable)?;
        if proxy.is_https() {
            stream = self.tls.handshake(stream, host).await.map_err(unusable)?;
        }
        match proxy.scheme() {
            ProxyScheme::Socks5 => {
                // If the name has several addresses, the proxy gets the first.
                let addresses = resolve(&origin.host, origin.port).await?;
                let address = addresses.first().copied().map(Destination::Address);
                let unresolved = || Destination::unresolved(&origin.host, origin.port);
                let destination = address.unwrap_or_else(unresolved);
                socks::open(stream, destination, &origin.authority(), proxy).await
            }
            ProxyScheme::Socks5h => {
                let destination = Destination::unresolved(&origin.host, origin.port);
                socks::open(stream, destination, &origin.authority(), proxy).await
            }
            _ if origin.tls || !self.forwards => {
                tunnel::open(stream, origin, proxy, self.user_agent, self.max_head).await
            }
            _ => Ok(stream),
        }
    }

    async fn tcp(self, host: &str, port: u16) -> Result<Stream, TransportError> {
        let addresses = resolve(host, port).await?;
        let socket = self
            .first_of(interleave(addresses))
            .await
            .map_err(|error| {
                let message = format!("no connection to {host}:{port}: {error}");
                TransportError::new(TransportErrorKind::Connect, message).with_source(error)
            })?;
        // A request is one write, and must not wait until the previous one is acknowledged.
        socket.get_ref().set_nodelay(true).ok();
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
        SockRef::from(socket.get_ref())
            .set_tcp_keepalive(&keepalive)
            .ok();
        Ok(Stream::Plain(Socket::new(socket, self.lookout.clone())))
    }

    /// Connects to the first of `addresses` that accepts. The next address is tried when an attempt
    /// fails or `STAGGER` has passed; slow attempts continue in parallel.
    pub(super) async fn first_of(self, addresses: Vec<SocketAddr>) -> io::Result<Async<TcpStream>> {
        let mut addresses = addresses.into_iter();
        let mut attempts: Vec<BoxFuture<'_, io::Result<Async<TcpStream>>>> = Vec::new();
        let mut patience: Option<BoxFuture<'_, ()>> = None;
        let mut last_error = io::Error::from(io::ErrorKind::AddrNotAvailable);
        poll_fn(|cx: &mut Context<'_>| {
            loop {
                let mut index = 0;
                while let Some(attempt) = attempts.get_mut(index) {
                    match attempt.as_mut().poll(cx) {
                        Poll::Ready(Ok(socket)) => return Poll::Ready(Ok(socket)),
                        Poll::Ready(Err(error)) => {
                            last_error = error;
                            drop(attempts.swap_remove(index));
                            patience = None;
                        }
                        Poll::Pending => index += 1,
                    }
                }
                if let Some(timer) = &mut patience
                    && timer.as_mut().poll(cx).is_pending()
                {
                    return Poll::Pending;
                }
                let Some(address) = addresses.next() else {
                    patience = None;
                    return match attempts.is_empty() {
                        true => Poll::Ready(Err(std::mem::replace(
                            &mut last_error,
                            io::ErrorKind::AddrNotAvailable.into(),
                        ))),
                        false => Poll::Pending,
                    };
                };
                attempts.push(Box::pin(Async::<TcpStream>::connect(address)));
                patience = (addresses.len() > 0).then(|| self.executor.sleep(STAGGER));
            }
        })
        .await
    }
}

/// The addresses of `host`: known ones (an IP address, `localhost`), or those that the system
/// finds, in the system's order. The lookup blocks, so it runs on a thread for blocking work.
async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, TransportError> {
    let known = Host::parse(host).map_err(|error| {
        let message = format!("the address {host} {error}");
        TransportError::new(TransportErrorKind::InvalidInput, message).with_source(error)
    })?;
    if let Some(addresses) = known.addresses(port) {
        return Ok(addresses);
    }
    let unknown = |why: &str| {
        let message = format!("the name {host} could not be resolved{why}");
        TransportError::new(TransportErrorKind::Dns, message)
    };
    let name = host.to_owned();
    let lookup = blocking::unblock(move || (name.as_str(), port).to_socket_addrs());
    let addresses: Vec<_> = match lookup.await {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Err(unknown(&format!(": {error}")).with_source(error)),
    };
    match addresses.is_empty() {
        true => Err(unknown(": it has no address")),
        false => Ok(addresses),
    }
}

/// Alternates between the two address families, beginning with the family of the first address, so
/// that an unreachable family costs only one attempt.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let (ours, theirs): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first);
    let mut theirs = theirs.into_iter();
    let mut mixed = Vec::with_capacity(ours.len() + theirs.len());
    for address in ours {
        mixed.push(address);
        mixed.extend(theirs.next());
    }
    mixed.extend(theirs);
    mixed
}

#[cfg(test)]
mod tests {
    use futures_lite::future::block_on;
    use proptest::prelude::*;

    use super::*;
    use crate::transport::loopback::{authorities, taken_for_loopback};

    proptest! {
        #[test]
        fn what_the_core_takes_for_this_machine_connects_to_this_machine(
            authority in authorities(),
        ) {
            if let Some(uri) = taken_for_loopback(&authority) {
                let origin = Origin::of(&uri).unwrap();
                for address in block_on(resolve(&origin.host, origin.port)).unwrap() {
                    prop_assert!(address.ip().is_loopback(), "{authority} is at {address}");
                }
            }
        }
    }

    #[test]
    fn what_is_below_localhost_is_not_looked_up() {
        let addresses = block_on(resolve("no-such-name.evil.localhost", 7)).unwrap();
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
        assert_eq!(addresses.len(), 2);
        for strange in ["127.0.0.256", "127.1", "0x7f000001"] {
            let error = block_on(resolve(strange, 7)).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::InvalidInput, "{strange}");
        }
    }

    #[test]
    fn the_families_take_turns() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|text| text.parse().unwrap()).collect()
        };
        let mixed = interleave(parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]));
        assert_eq!(
            mixed,
            parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"])
        );
        let mixed = interleave(parse(&["1.1.1.1:1", "[::1]:1", "[::2]:1"]));
        assert_eq!(mixed, parse(&["1.1.1.1:1", "[::1]:1", "[::2]:1"]));
        assert_eq!(interleave(Vec::new()), []);
    }
}

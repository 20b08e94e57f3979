//! Native HTTP transports, one feature and one folder each.

#[cfg(any(
    feature = "http1",
    feature = "surf",
    feature = "ureq",
    feature = "websocket"
))]
mod budget;
#[cfg(any(feature = "http1", feature = "ureq"))]
mod certificate;
#[cfg(any(feature = "http1", feature = "ureq"))]
mod identity;
#[cfg(any(feature = "http1", feature = "ureq"))]
pub mod proxy;

#[cfg(feature = "http1")]
pub mod http1;
#[cfg(feature = "surf")]
pub mod surf;
#[cfg(feature = "ureq")]
pub mod ureq;
#[cfg(feature = "websocket")]
pub mod websocket;

#[cfg(all(test, any(feature = "http1", feature = "ureq")))]
mod loopback;
#[cfg(any(feature = "ureq", feature = "surf"))]
#[cfg(test)]
pub(crate) mod test_server;
#[cfg(any(all(feature = "http1", feature = "smol"), feature = "ureq"))]
#[cfg(test)]
mod test_socks;

#[cfg(feature = "http1")]
pub use http1::Http1Transport;
#[cfg(any(feature = "http1", feature = "ureq"))]
pub use proxy::{Proxies, Proxy};
#[cfg(feature = "surf")]
pub use surf::SurfTransport;
#[cfg(feature = "ureq")]
pub use ureq::UreqTransport;
#[cfg(feature = "websocket")]
pub use websocket::WebSocketTransport;

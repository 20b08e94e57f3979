//! Native HTTP transports: one feature, one folder.

#[cfg(any(feature = "http1", feature = "ureq"))]
pub mod proxy;
#[cfg(feature = "ureq")]
pub mod ureq;

#[cfg(any(feature = "http1", feature = "ureq"))]
pub use proxy::{Proxies, Proxy};
#[cfg(feature = "ureq")]
pub use ureq::UreqTransport;

#[cfg(any(feature = "ureq", feature = "surf"))]
#[cfg(test)]
mod test_server;

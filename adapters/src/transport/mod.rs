//! Native HTTP transports: one feature, one folder.

#[cfg(feature = "http1")]
pub mod proxy;

#[cfg(feature = "http1")]
pub mod http1;

#[cfg(feature = "http1")]
pub use http1::Http1Transport;
#[cfg(feature = "http1")]
pub use proxy::{Proxies, Proxy};

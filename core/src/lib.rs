//! chatcore
pub mod executor;
pub mod time;
pub mod transport;

pub use executor::{BoxFuture, Executor};
pub use time::Instant;
pub use transport::{ByteStream, ConnectTimeout, Transport, TransportError, TransportErrorKind};

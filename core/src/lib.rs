//! chatcore
pub mod chat;
pub mod dialect;
pub mod error;
pub mod executor;
pub mod frame;
pub mod provider;
pub mod time;
pub mod transport;

pub use chat::{
    ChatEvent, ChatRequest, ChatResponse, FinishReason, Fold, Message, Part, Role, Usage,
};
pub use dialect::{Caps, Decoder, Dialect, Endpoint, Mode};
pub use error::{Error, ErrorKind, Phase};
pub use executor::{BoxFuture, Executor};
pub use provider::{ApiKey, Provider};
pub use time::Instant;
pub use transport::{ByteStream, ConnectTimeout, Transport, TransportError, TransportErrorKind};

//! How a request proves who asks.

mod key;

pub use key::ApiKey;

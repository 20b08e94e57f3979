//! How a request proves who asks.
//!
//! A key that stays the same is an [`ApiKey`], and costs nothing per request. A key that changes
//! (a token that expires, a function that gives one) and a signature over the request are
//! [`Credentials`]: the pipeline asks them once per attempt.

mod key;

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;

pub use key::ApiKey;

use crate::error::Error;

/// Proves who asks, once for each attempt: for tokens that expire, signatures, and keys that a
/// function gives.
///
/// A token from a service of your own, which is asked for at each attempt:
///
/// ```
/// use async_trait::async_trait;
/// use bytes::Bytes;
/// use chatcore::{Credentials, Error, Secrets};
/// use http::{HeaderValue, Request, header::AUTHORIZATION};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl Vault {
///     async fn token(&self) -> Result<String, Error> {
///         Ok("a-token-of-one-hour".to_owned())
///     }
/// }
///
/// #[async_trait]
/// impl Credentials for Vault {
///     async fn authorize(&self, request: &mut Request<Bytes>, _attempt: u32) -> Result<(), Error> {
///         let bearer = format!("Bearer {}", self.token().await?);
///         let mut value = HeaderValue::try_from(bearer)
///             .map_err(|_| Error::new(chatcore::ErrorKind::Config, "the token cannot be sent"))?;
///         value.set_sensitive(true);
///         request.headers_mut().insert(AUTHORIZATION, value);
///         Ok(())
///     }
///
///     fn redact(&self, text: &mut String) {
///         let mut secrets = Secrets::new();
///         secrets.add("a-token-of-one-hour");
///         secrets.redact(text);
///     }
/// }
/// ```
#[async_trait]
pub trait Credentials: Debug + Send + Sync + 'static {
    /// Adds to `request` what proves who asks: a header marked
    /// [sensitive](http::HeaderValue::set_sensitive), a signature. Called before each attempt is
    /// sent, under its time limits. `attempt` counts from 1 within one call, so that a cached
    /// token can be renewed after a refusal.
    ///
    /// The URI's scheme and authority must stay as they are: a request to another origin is
    /// refused before it is sent. Cancel-safe if the future is: it is dropped when the call is.
    ///
    /// # Errors
    /// Why there are no credentials. The error ends the attempt; its kind decides whether there is
    /// another one. It must hold no secret.
    async fn authorize(&self, request: &mut Request<Bytes>, attempt: u32) -> Result<(), Error>;

    /// Removes every secret that these credentials have given from a text that came from outside,
    /// such as an error of the server's. [`Secrets`](crate::Secrets) does it, in whatever form they
    /// stand there.
    fn redact(&self, text: &mut String);
}

//! How a request proves who asks.
//!
//! A key that stays the same is an [`ApiKey`], and costs nothing per request. A key that changes
//! (a token that expires, a function that gives one) and a signature over the request are
//! [`Credentials`]: the pipeline asks them once per attempt. A [`TokenSource`] makes them of an
//! async function.

mod key;
mod token;

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;

pub use key::ApiKey;
pub use token::{Token, TokenSource};

use crate::error::Error;

/// Proves who asks, once for each attempt: for tokens that expire, signatures, and keys that a
/// function gives.
///
/// [`TokenSource`] is enough for a token in a header. A key for each model of one endpoint:
///
/// ```
/// use async_trait::async_trait;
/// use bytes::Bytes;
/// use chatcore::{ApiKey, Credentials, Error, RecentSecrets};
/// use http::{Request, header::AUTHORIZATION};
///
/// #[derive(Debug, Default)]
/// struct KeyPerModel {
///     given: RecentSecrets,
/// }
///
/// #[async_trait]
/// impl Credentials for KeyPerModel {
///     async fn authorize(&self, request: &mut Request<Bytes>, _attempt: u32) -> Result<(), Error> {
///         let is_large = request.body().windows(5).any(|word| word == b"large");
///         let key = if is_large { "key-for-the-large-one" } else { "key-for-the-others" };
///         self.given.add(key);
///         let value = ApiKey::from(key).header("Bearer ")?;
///         request.headers_mut().insert(AUTHORIZATION, value);
///         Ok(())
///     }
///
///     fn redact(&self, text: &mut String) {
///         self.given.redact(text);
///     }
/// }
/// ```
#[async_trait]
pub trait Credentials: Debug + Send + Sync + 'static {
    /// Adds to `request` what proves who asks: a header marked
    /// [sensitive](http::HeaderValue::set_sensitive), a signature. Called before each attempt is
    /// sent, under its time limits. `attempt` counts from 1 within one call.
    ///
    /// The URI's scheme and authority must stay as they are: a request to another origin is
    /// refused before it is sent. Cancel-safe if the future is: it is dropped when the call is.
    ///
    /// # Errors
    /// Why there are no credentials. The error ends the attempt; its kind decides whether there is
    /// another one. It must hold no secret.
    async fn authorize(&self, request: &mut Request<Bytes>, attempt: u32) -> Result<(), Error>;

    /// Called when the provider did not accept (401) what was added to a request. Whether another
    /// attempt may be accepted, because something else will be added to it: a new token. The call
    /// is then tried once more at once, which counts neither as one of its attempts nor for the
    /// retry budget. `false` unless it is implemented; called at most once per call.
    fn renew(&self) -> bool {
        false
    }

    /// Removes every secret that these credentials have given from a text that came from outside,
    /// such as an error of the server's. [`Secrets`](crate::Secrets) and
    /// [`RecentSecrets`](crate::RecentSecrets) do it, in whatever form they stand there.
    fn redact(&self, text: &mut String);
}

//! How a request is authenticated.
//!
//! A key that never changes is an [`ApiKey`], and costs nothing per request. [`Credentials`] are
//! for keys that change (a token that expires, a function that returns a key) and for signatures
//! over the request: the pipeline calls them once per attempt. A [`TokenSource`] implements them
//! with an async function.

mod key;
mod token;

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;

pub use key::ApiKey;
pub use token::{Token, TokenSource};

use crate::error::Error;

/// Authenticates each attempt of a call: for tokens that expire, signatures, and keys from a
/// function.
///
/// [`TokenSource`] is enough for a token in a header. This example uses a key per model of one
/// endpoint:
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
    /// Adds the authentication to `request`: a header marked
    /// [sensitive](http::HeaderValue::set_sensitive), or a signature. Called before each attempt is
    /// sent, within its time limits. `attempt` counts from 1 within one call.
    ///
    /// The URI's scheme and authority must stay as they are: a request to another origin is refused
    /// before it is sent. The future is dropped when the call is, so it must be cancel-safe.
    ///
    /// # Errors
    /// Why there are no credentials. The error ends the attempt, and its kind decides whether there
    /// is another attempt. The error must hold no secret.
    async fn authorize(&self, request: &mut Request<Bytes>, attempt: u32) -> Result<(), Error>;

    /// Called when the provider refused the request's authentication (401). Returns whether the
    /// next request will get another one, such as a new token. The call is then retried once at
    /// once, which counts neither as one of its attempts nor towards the retry budget. The default
    /// returns `false`. Called at most once per call.
    fn renew(&self) -> bool {
        false
    }

    /// Removes every secret that these credentials have given from a text that came from outside,
    /// such as a server's error. [`Secrets`](crate::Secrets) and
    /// [`RecentSecrets`](crate::RecentSecrets) do that for every form in which a server may echo a
    /// secret.
    fn redact(&self, text: &mut String);
}

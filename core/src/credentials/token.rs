//! Tokens that expire.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use http::header::AUTHORIZATION;
use http::{HeaderName, Request};

use super::{ApiKey, Credentials};
use crate::error::Error;
use crate::executor::BoxFuture;
use crate::secrets::RecentSecrets;

/// A token, and how long it is valid.
///
/// ```
/// use std::time::{Duration, Instant};
/// use chatcore::Token;
///
/// let expires = Instant::now() + Duration::from_secs(3_500);
/// let token = Token::new("ya29.…").valid_while(move || Instant::now() < expires);
/// # let _ = token;
/// ```
#[derive(Clone)]
pub struct Token {
    key: ApiKey,
    is_valid: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Token {
    /// Creates a token that is used until the provider refuses it.
    pub fn new(token: impl Into<ApiKey>) -> Self {
        Self {
            key: token.into(),
            is_valid: None,
        }
    }

    /// Uses the token only while `is_valid` returns `true`. `is_valid` is called before each
    /// attempt, and brings its own clock, because chatcore's core has none. If a new token is never
    /// valid, another one is requested for each attempt.
    #[must_use]
    pub fn valid_while(mut self, is_valid: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.is_valid = Some(Arc::new(is_valid));
        self
    }

    fn is_valid(&self) -> bool {
        self.is_valid.as_ref().is_none_or(|is_valid| is_valid())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

type Asking = BoxFuture<'static, Result<Token, Error>>;

/// [`Credentials`] from an async function that returns a [`Token`].
///
/// The function is called before the first attempt, and again when its token is no longer valid or
/// the provider refused it with 401; that call is then retried once. Calls that need a token at the
/// same time share one call of the function. Neither the function itself nor the closure of
/// [`Token::valid_while`] may use the same source. The function runs within the time limits of the
/// attempt. Its future is dropped when all calls that wait for it have ended.
///
/// The token is sent as `authorization: Bearer …`, unless [`header`](Self::header) names another
/// header.
///
/// ```
/// use std::time::{Duration, Instant};
/// use chatcore::{Provider, Token, TokenSource};
///
/// let source = TokenSource::new(|| async {
///     // From a service of your own. The minute is for requests that are on their way.
///     let (token, lifetime) = ("token-of-one-hour", Duration::from_secs(3600));
///     let expires = Instant::now() + lifetime - Duration::from_secs(60);
///     Ok(Token::new(token).valid_while(move || Instant::now() < expires))
/// });
/// let provider = Provider::deepseek().with_credentials(source);
/// # let _ = provider;
/// ```
pub struct TokenSource {
    ask: Box<dyn Fn() -> Asking + Send + Sync>,
    header: HeaderName,
    prefix: &'static str,
    state: Mutex<State>,
    given: RecentSecrets,
}

enum State {
    None,
    /// Weak, so that the future is dropped when no call waits for it.
    Asking(WeakShared<Asking>),
    Held(Token),
}

impl TokenSource {
    /// Calls `ask` whenever a token is needed. An error of `ask` ends the attempt, and its
    /// [kind](crate::ErrorKind) decides whether there is another attempt. Its message says that it is
    /// about the token, so that nobody looks for the fault at the provider. The error must hold no
    /// secret.
    pub fn new<F>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Token, Error>> + Send + 'static,
    {
        Self {
            ask: Box::new(move || Box::pin(ask())),
            header: AUTHORIZATION,
            prefix: "Bearer ",
            state: Mutex::new(State::None),
            given: RecentSecrets::default(),
        }
    }

    /// Sends the token in this header, after `prefix`: for Anthropic, `x-api-key` and an empty
    /// prefix.
    #[must_use]
    pub fn header(mut self, header: HeaderName, prefix: &'static str) -> Self {
        self.header = header;
        self.prefix = prefix;
        self
    }

    async fn token(&self) -> Result<Token, Error> {
        let asking = match self.held_or_asking() {
            Ok(token) => return Ok(token),
            Err(asking) => asking,
        };
        let asked = asking.clone().await;
        let mut state = self.lock();
        let is_current = match &*state {
            State::Asking(current) => current.upgrade().is_some_and(|it| it.ptr_eq(&asking)),
            _ => false,
        };
        // The first of the waiting calls stores the token, unless another one was requested since.
        if is_current {
            *state = match &asked {
                Ok(token) => {
                    self.given.add(token.key.expose());
                    State::Held(token.clone())
                }
                Err(_) => State::None,
            };
        }
        drop(state);
        asked
    }

    /// The token that is held, or the shared future that will return one. The caller's functions
    /// run under the lock, so that two calls cannot both find the token invalid and both ask.
    fn held_or_asking(&self) -> Result<Token, Shared<Asking>> {
        let mut state = self.lock();
        match &*state {
            State::Held(token) if token.is_valid() => return Ok(token.clone()),
            State::Asking(current) => {
                if let Some(asking) = current.upgrade() {
                    return Err(asking);
                }
            }
            _ => {}
        }
        let asking = (self.ask)().shared();
        *state = asking.downgrade().map_or(State::None, State::Asking);
        Err(asking)
    }

    /// Ignores poisoning, because a panic in the caller's function leaves the state as it was.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Credentials for TokenSource {
    async fn authorize(&self, request: &mut Request<Bytes>, _attempt: u32) -> Result<(), Error> {
        let failed = |error: Error| error.with_context("there is no token to send");
        let token = self.token().await.map_err(failed)?;
        let value = token.key.header(self.prefix).map_err(failed)?;
        request.headers_mut().insert(self.header.clone(), value);
        Ok(())
    }

    fn renew(&self) -> bool {
        let mut state = self.lock();
        if matches!(*state, State::Held(_)) {
            *state = State::None;
        }
        true
    }

    fn redact(&self, text: &mut String) {
        self.given.redact(text);
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

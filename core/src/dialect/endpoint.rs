//! A checked provider, ready for requests.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, Method, Request, Uri};

use crate::error::{Error, ErrorKind};
use crate::models::{ModelRule, ModelRules};
use crate::quote::Quoted;
use crate::secrets::{Secrets, names_credential};

/// A checked provider, ready for requests. Each client derives it once, by
/// [`Provider::endpoint`](crate::Provider::endpoint).
///
/// The key and the base URL are bound together here. Every request is built below this base URL, so
/// that the key never goes to another origin.
///
/// ```
/// use chatcore::Provider;
///
/// let endpoint = Provider::deepseek().with_api_key("sk-0123456789").endpoint()?;
/// assert_eq!(endpoint.uri("/models")?, "https://api.deepseek.com/models");
/// # Ok::<(), chatcore::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint {
    provider: Arc<str>,
    model: String,
    /// The rule for `model`.
    rule: ModelRule,
    rules: ModelRules,
    scheme: Scheme,
    authority: Authority,
    path: String,
    query: Query,
    headers: HeaderMap,
    key: KeyRules,
    /// The URI of the first `POST`, kept because most clients send all requests to the same one.
    posted: OnceLock<Posted>,
}

/// The beginning of every request's URI.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    /// Without a slash at its end.
    pub(crate) path: String,
    /// Without a trailing slash.
    pub(crate) query: String,
}

/// What the client knows about the key and other credentials.
#[derive(Clone, Debug)]
pub(crate) struct KeyRules {
    /// Whether a header of one call may hold a credential. It may not if the request would be
    /// unencrypted.
    pub(crate) may_be_sent: bool,
    /// The secrets that every request carries.
    pub(crate) secrets: Secrets,
    /// A hint about the key, for the error that says that the provider did not accept it.
    pub(crate) advice: Option<Arc<str>>,
}

/// The query of the base URL. It may hold a key, so `Debug` does not show it.
#[derive(Clone)]
struct Query(String);

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "" } else { "[redacted]" })
    }
}

/// A path and its URI. The URI has the query in it, so `Debug` does not show it.
#[derive(Clone)]
struct Posted {
    path: String,
    uri: Uri,
}

impl std::fmt::Debug for Posted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)
    }
}

impl Endpoint {
    /// An endpoint for requests to `model` of `provider` below `base`. `rules` say which parameters
    /// the models take.
    pub(crate) fn new(
        provider: &str,
        model: &str,
        rules: ModelRules,
        base: Base,
        headers: HeaderMap,
        key: KeyRules,
    ) -> Self {
        Self {
            provider: provider.into(),
            model: model.to_owned(),
            rule: rules.find(model).clone(),
            rules,
            scheme: base.scheme,
            authority: base.authority,
            path: base.path,
            query: Query(base.query),
            headers,
            key,
            posted: OnceLock::new(),
        }
    }

    /// The name or address of the host that requests go to.
    #[cfg(feature = "tracing")]
    pub(crate) fn host(&self) -> &str {
        self.authority.host()
    }

    /// The port that requests go to.
    #[cfg(feature = "tracing")]
    pub(crate) fn port(&self) -> u16 {
        let usual = if self.scheme == Scheme::HTTPS {
            443
        } else {
            80
        };
        self.authority.port_u16().unwrap_or(usual)
    }

    /// The provider's name.
    pub fn provider(&self) -> &Arc<str> {
        &self.provider
    }

    /// The model that is used if the request names none.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The rule for the model `named` by a request, or for the endpoint's own model.
    pub fn model_rule(&self, named: Option<&str>) -> &ModelRule {
        match named {
            Some(model) if *model != self.model => self.rules.find(model),
            _ => &self.rule,
        }
    }

    /// The headers that every request carries.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The path of the base URL, without a slash at its end; empty for the root.
    pub fn base_path(&self) -> &str {
        &self.path
    }

    /// The URI of `path` below the base URL. `path` begins with a slash. The query of the base URL
    /// is appended to the query of `path`.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if `path` is not a valid path.
    pub fn uri(&self, path: &str) -> Result<Uri, Error> {
        self.uri_below(&self.path, path)
    }

    fn uri_below(&self, base: &str, path: &str) -> Result<Uri, Error> {
        let invalid = || Error::invalid(format!("{} is not a valid URL path", Quoted(path)));
        let mut full = [base, path].concat();
        if !self.query.0.is_empty() {
            full.push(if path.contains('?') { '&' } else { '?' });
            full.push_str(&self.query.0);
        }
        let full = PathAndQuery::from_maybe_shared(Bytes::from(full)).map_err(|_| invalid())?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(full);
        Uri::from_parts(parts).map_err(|_| invalid())
    }

    /// A `POST` of `body` to `path` below the base URL, with the headers that every request
    /// carries.
    ///
    /// # Errors
    /// As [`uri`](Self::uri).
    pub fn post(&self, path: &str, body: impl Into<Bytes>) -> Result<Request<Bytes>, Error> {
        let mut request = Request::new(body.into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = match self.posted.get() {
            Some(posted) if posted.path == path => posted.uri.clone(),
            _ => {
                let uri = self.uri(path)?;
                self.posted.get_or_init(|| Posted {
                    path: path.to_owned(),
                    uri: uri.clone(),
                });
                uri
            }
        };
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }

    /// A `GET` of `path` below the base URL, with the headers that every request carries. The
    /// content type is left out, because the request has no body.
    ///
    /// # Errors
    /// As [`uri`](Self::uri).
    pub fn get(&self, path: &str) -> Result<Request<Bytes>, Error> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.uri(path)?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().remove(CONTENT_TYPE);
        Ok(request)
    }

    /// Like [`post`](Self::post), for a path that begins at the root instead of below the base URL.
    #[cfg(all(feature = "provider-batches", feature = "gemini"))]
    pub(crate) fn post_at_root(
        &self,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Request<Bytes>, Error> {
        let mut request = self.get_at_root(path)?;
        *request.method_mut() = Method::POST;
        *request.body_mut() = body.into();
        Ok(request)
    }

    /// Like [`get`](Self::get), for a path that begins at the root instead of below the base URL.
    #[cfg(all(feature = "provider-batches", feature = "gemini"))]
    pub(crate) fn get_at_root(&self, path: &str) -> Result<Request<Bytes>, Error> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.uri_below("", path)?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().remove(CONTENT_TYPE);
        Ok(request)
    }

    /// Whether `uri` has the endpoint's own origin. The key may go there only.
    pub(crate) fn is_own(&self, uri: &Uri) -> bool {
        uri.scheme() == Some(&self.scheme) && uri.authority() == Some(&self.authority)
    }

    /// Whether a call may set the header `name`. A credential must not be sent unencrypted unless
    /// `Provider::allow_http` was called.
    pub(crate) fn may_send(&self, name: &HeaderName) -> bool {
        self.key.may_be_sent || !names_credential(name.as_str())
    }

    /// The secrets that every request carries.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.key.secrets
    }

    /// Adds the advice about the key to an error that says that the provider did not accept it.
    pub(crate) fn advise(&self, error: &mut Error) {
        if let Some(advice) = &self.key.advice
            && error.kind() == ErrorKind::Auth
        {
            error.set_advice(advice);
        }
    }
}

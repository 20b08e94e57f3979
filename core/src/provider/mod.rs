//! A provider is a value, not code: a name, a base URL, a key, a model and a dialect.

mod base_url;
mod endpoint;
mod key_form;
mod known;
mod query;
mod table;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) use base_url::host_of;
pub use key_form::{KEY_FORMS, KeyForm};
pub use known::KnownProvider;
pub use table::KNOWN_PROVIDERS;

use crate::credentials::{ApiKey, Credentials};
use crate::dialect::{CONNECTION_HEADERS, Dialect};
use crate::error::Error;
use crate::models::{ModelPrice, ModelRule, ModelRules};
use crate::quote::Quoted;

/// The provider of a client's chats: a name, a base URL, a key, a model and the dialect.
///
/// Nothing is checked here; [`LlmClientBuilder::build`](crate::LlmClientBuilder::build) checks the
/// provider.
///
/// ```
/// use chatcore::Provider;
///
/// let deepseek = Provider::deepseek().with_api_key("sk-…");
/// let local = Provider::openai_compatible("http://127.0.0.1:8080/v1", "tiny");
/// assert!(!format!("{deepseek:?}").contains("sk-"));
/// # let _ = local;
/// ```
#[derive(Clone)]
pub struct Provider {
    name: Cow<'static, str>,
    base_url: Cow<'static, str>,
    /// The parameters of every request's URL, percent-encoded.
    query: Vec<(String, String)>,
    model: Cow<'static, str>,
    key: Option<ApiKey>,
    key_vars: &'static [&'static str],
    credentials: Option<Arc<dyn Credentials>>,
    headers: HeaderMap,
    allow_http: bool,
    dialect: Arc<dyn Dialect>,
    rules: ModelRules,
}

impl Provider {
    /// A provider at `base_url` with this dialect. Requests that name no model use `model`.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        base_url: impl Into<Cow<'static, str>>,
        model: impl Into<Cow<'static, str>>,
        dialect: impl Dialect,
    ) -> Self {
        Self {
            name: name.into(),
            base_url: base_url.into(),
            query: Vec::new(),
            model: model.into(),
            key: None,
            key_vars: &[],
            credentials: None,
            headers: HeaderMap::new(),
            rules: ModelRules::of(dialect.facts().name()),
            allow_http: false,
            dialect: Arc::new(dialect),
        }
    }

    /// Sets the name, which appears in errors and metrics.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the base URL, for example that of a proxy with the same dialect.
    ///
    /// - White space and quotes around the URL, and slashes at its end, are removed. So is the path
    ///   of an endpoint at its end (`/chat/completions`, `/completions`, `/messages`, `/responses`),
    ///   because the dialect adds it, and `/v1` for `ollama_chat`, because Ollama's API is not below
    ///   it.
    /// - A query in the URL (`?api-version=2024-10-21`, for classic Azure endpoints) is sent with
    ///   every request. It is never shown, because it may contain a key.
    /// - The scheme is `https`, or `http` for this machine. Other hosts may have `http` if no key
    ///   is sent, or if [`allow_http`](Self::allow_http) was called.
    #[must_use]
    pub fn with_base_url(mut self, base_url: impl Into<Cow<'static, str>>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Sets a parameter of every request's URL, such as `api-version`. Name and value are
    /// percent-encoded here. A parameter of the same name is replaced, whether it was set before or
    /// is in the base URL. `Debug` and errors do not show the value, because it may be a key.
    ///
    /// ```
    /// use chatcore::Provider;
    ///
    /// let gateway = Provider::openai_compatible("https://gateway.example/v1", "tiny")
    ///     .with_query("tenant", "R&D")
    ///     .with_query("api-version", "2024-10-21");
    /// assert_eq!(
    ///     gateway.endpoint()?.uri("/chat/completions")?,
    ///     "https://gateway.example/v1/chat/completions?tenant=R%26D&api-version=2024-10-21"
    /// );
    /// # Ok::<(), chatcore::Error>(())
    /// ```
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        let [name, value] = [name, value].map(query::encoded);
        match self.query.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.query.push((name, value)),
        }
        self
    }

    /// Sets the model for requests that name none.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<Cow<'static, str>>) -> Self {
        self.model = model.into();
        self
    }

    /// Sets the key. It is sent only to the origin of the base URL.
    #[must_use]
    pub fn with_api_key(mut self, key: impl Into<ApiKey>) -> Self {
        self.key = Some(key.into());
        self.credentials = None;
        self
    }

    /// Sets credentials instead of a key: an expiring token, a signature, or a function that
    /// returns a key. They are called once for each attempt.
    #[must_use]
    pub fn with_credentials(mut self, credentials: impl Credentials) -> Self {
        self.key = None;
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Sends no key, and requires none: for your own server that adds the key.
    #[must_use]
    pub fn without_api_key(mut self) -> Self {
        self.key = None;
        self.credentials = None;
        self.key_vars = &[];
        self
    }

    /// Allows the key to be sent unencrypted, if the base URL is `http` and not on this machine
    /// (`http://ollama:11434`, `http://192.168.1.7:8080`). Anyone on the network path can read it,
    /// so use this only on a trusted network. The variable `LLM_ALLOW_HTTP` does the same.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Sets the dialect.
    #[must_use]
    pub fn with_dialect(mut self, dialect: impl Dialect) -> Self {
        if self.rules.provider() == self.dialect.facts().name() {
            self.rules.set_provider(dialect.facts().name());
        }
        self.dialect = Arc::new(dialect);
        self
    }

    /// Adds your own model rules. They take precedence over the table
    /// [`MODEL_RULES`](crate::MODEL_RULES), and over rules that were added earlier.
    #[must_use]
    pub fn with_model_rules(mut self, rules: impl IntoIterator<Item = ModelRule>) -> Self {
        self.rules.put_first(rules);
        self
    }

    /// The rule for a model: the first rule that matches its name.
    pub fn model_rule(&self, model: &str) -> &ModelRule {
        self.rules.find(model)
    }

    /// Adds a header to every request. It replaces a header of the dialect with the same name.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the name or the value cannot be a header, or the
    /// header belongs to the connection ([`CONNECTION_HEADERS`]).
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let header = HeaderName::try_from(name)
            .map_err(|_| Error::config(format!("{} is not a valid header name", Quoted(name))))?;
        let shown = header.as_str().to_owned();
        if CONNECTION_HEADERS.contains(&&*shown) {
            return Err(Error::config(format!(
                "the header {shown} cannot be set: it belongs to the connection"
            )));
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            Error::config(format!("the value of the header {shown} cannot be sent"))
        })?;
        // It may be a key in a header of another name.
        value.set_sensitive(true);
        self.headers.insert(header, value);
        Ok(self)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The base URL, as given.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The model for requests that name none.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What the provider asks for the tokens of its [`model`](Self::model), if
    /// [`MODEL_PRICES`](crate::MODEL_PRICES) has it. `None` if another server answers at the
    /// [`base_url`](Self::base_url).
    pub fn price(&self) -> Option<&'static ModelPrice> {
        self.price_of(&self.model)
    }

    /// Like [`price`](Self::price), for another model of the provider.
    pub fn price_of(&self, model: &str) -> Option<&'static ModelPrice> {
        let own = Self::by_name(self.name())?;
        let is_own = own.base_url() == self.base_url();
        is_own.then(|| ModelPrice::find(self.name(), model))?
    }

    /// The key.
    pub fn api_key(&self) -> Option<&ApiKey> {
        self.key.as_ref()
    }

    /// The credentials, which are called once for each attempt.
    pub fn credentials(&self) -> Option<&Arc<dyn Credentials>> {
        self.credentials.as_ref()
    }

    /// The environment variable from which the provider's own tools read the key, for example
    /// `DEEPSEEK_API_KEY`. `None` if no key is needed.
    pub fn api_key_var(&self) -> Option<&'static str> {
        self.key_vars.first().copied()
    }

    /// The environment variables that may hold the provider's key. The first one that is set
    /// counts.
    pub fn api_key_vars(&self) -> &'static [&'static str] {
        self.key_vars
    }

    /// Whether a key may be sent unencrypted: see [`allow_http`](Self::allow_http).
    pub fn allows_http(&self) -> bool {
        self.allow_http
    }

    /// The headers added to every request.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The dialect.
    pub fn dialect(&self) -> &Arc<dyn Dialect> {
        &self.dialect
    }

    /// The parameters of every request's URL, percent-encoded.
    fn query(&self) -> &[(String, String)] {
        &self.query
    }

    pub(crate) fn model_rules(&self) -> &ModelRules {
        &self.rules
    }
}

impl fmt::Debug for Provider {
    /// Shows neither the key, nor the values of headers, nor the query of the base URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("base_url", &base_url::without_query(&self.base_url))
            .field("model", &self.model)
            .field("key", &self.key)
            .field("headers", &self.headers)
            .field("allow_http", &self.allow_http)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

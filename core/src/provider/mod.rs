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

pub use key_form::{KEY_FORMS, KeyForm};
pub use known::KnownProvider;
pub use table::KNOWN_PROVIDERS;

use crate::credentials::{ApiKey, Credentials};
use crate::dialect::{CONNECTION_HEADERS, Dialect};
use crate::error::Error;
use crate::models::{ModelRule, ModelRules};
use crate::quote::Quoted;

/// Where to send chats: a name, a base URL, a key, a model, and the dialect spoken there.
///
/// Nothing is checked here; [`LlmClientBuilder::build`](crate::LlmClientBuilder::build) does.
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
    /// Parameters of every request's URL, encoded.
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
    /// A provider at `base_url` that speaks `dialect`; requests that name no model ask `model`.
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

    /// Sets the name, which errors and metrics show.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the base URL, for example that of a proxy that speaks the same dialect.
    ///
    /// - White space and quotes around it, and slashes at its end, are left out. So is the path of
    ///   an endpoint at its end (`/chat/completions`, `/messages`, `/responses`), which the dialect
    ///   adds, and `/v1` for `ollama_chat`, which is not below it.
    /// - A query in it (`?api-version=2024-10-21`, as classic Azure endpoints want it) goes with
    ///   every request. It is shown nowhere, since it may hold a key.
    /// - It is `https`, or `http` to this machine. Other hosts may be `http` where no key is sent,
    ///   or where [`allow_http`](Self::allow_http) says so.
    #[must_use]
    pub fn with_base_url(mut self, base_url: impl Into<Cow<'static, str>>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Sets a parameter of every request's URL, such as `api-version`. It is encoded here, and
    /// replaces one of the same name that was set before or that the base URL has. `Debug` does not
    /// show it, and no error holds its value, because it may be a key.
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

    /// Sets the model that is asked where a request names none.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<Cow<'static, str>>) -> Self {
        self.model = model.into();
        self
    }

    /// Sets the key. It goes only to the origin of the base URL.
    #[must_use]
    pub fn with_api_key(mut self, key: impl Into<ApiKey>) -> Self {
        self.key = Some(key.into());
        self.credentials = None;
        self
    }

    /// Sets credentials that act once per attempt, in the place of a key: a token that expires, a
    /// signature, a key that a function gives.
    #[must_use]
    pub fn with_credentials(mut self, credentials: impl Credentials) -> Self {
        self.key = None;
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Sends no key, and demands none: for a server of your own that adds it.
    #[must_use]
    pub fn without_api_key(mut self) -> Self {
        self.key = None;
        self.credentials = None;
        self.key_vars = &[];
        self
    }

    /// Sends the key unencrypted where the base URL is `http` and not on this machine
    /// (`http://ollama:11434`, `http://192.168.1.7:8080`). Whoever is on the way can read it: for
    /// a network that is trusted. The variable `LLM_ALLOW_HTTP` does the same.
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

    /// Adds rules of your own, which count before those of the table
    /// [`MODEL_RULES`](crate::MODEL_RULES) and before those that were added earlier.
    #[must_use]
    pub fn with_model_rules(mut self, rules: impl IntoIterator<Item = ModelRule>) -> Self {
        self.rules.put_first(rules);
        self
    }

    /// What is known of a model: the first rule that is for it.
    pub fn model_rule(&self, model: &str) -> &ModelRule {
        self.rules.find(model)
    }

    /// Adds a header to every request; it replaces one of the dialect's own.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) if the name or the value cannot be a header, or the
    /// header belongs to the connection ([`CONNECTION_HEADERS`]).
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let header = HeaderName::try_from(name)
            .map_err(|_| Error::config(format!("{} cannot be a header's name", Quoted(name))))?;
        let shown = header.as_str().to_owned();
        if CONNECTION_HEADERS.contains(&&*shown) {
            return Err(Error::config(format!(
                "the header {shown} cannot be set: it belongs to the connection"
            )));
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            Error::config(format!("the value of the header {shown} cannot be sent"))
        })?;
        // It may well be a key under another name.
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

    /// The model that is asked where a request names none.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The key.
    pub fn api_key(&self) -> Option<&ApiKey> {
        self.key.as_ref()
    }

    /// The credentials that act once per attempt.
    pub fn credentials(&self) -> Option<&Arc<dyn Credentials>> {
        self.credentials.as_ref()
    }

    /// The environment variable that the provider's own tools read the key from, if it demands
    /// a key: `DEEPSEEK_API_KEY`.
    pub fn api_key_var(&self) -> Option<&'static str> {
        self.key_vars.first().copied()
    }

    /// The environment variables that the provider's key may stand in, the first that is set.
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

    /// The parameters of every request's URL, encoded.
    fn query(&self) -> &[(String, String)] {
        &self.query
    }

    pub(crate) fn model_rules(&self) -> &ModelRules {
        &self.rules
    }
}

impl fmt::Debug for Provider {
    /// Shows neither the key, nor the values of headers, nor a query of the base URL.
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

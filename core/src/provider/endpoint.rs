//! Checks a provider, and derives what its requests have in common.

use std::sync::Arc;

use http::uri::Scheme;
use http::{HeaderMap, HeaderName};

use super::base_url::BaseUrl;
use super::query::parameters;
use super::{KeyForm, Provider, query, table};
use crate::dialect::{Endpoint, KeyRules};
use crate::error::Error;
use crate::quote::Quoted;
use crate::secrets::{Secrets, may_hold_secret, names_credential};

impl Provider {
    /// Checks this provider, and derives what its requests have in common.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config), with the reason as its code:
    ///
    /// - `missing_api_key` if the provider requires a key and there is none (over `http` no key is
    ///   required);
    /// - `unencrypted` if a key would be sent over `http` to another machine, and
    ///   [`allow_http`](Self::allow_http) was not called;
    /// - `placeholder` if the base URL still has a placeholder such as REGION in it;
    /// - if there is no base URL, or it is not an absolute `http(s)` URL, or it has user
    ///   information or a fragment in it;
    /// - if the key or a header cannot be sent, or a model rule has invalid JSON in it.
    pub fn endpoint(&self) -> Result<Endpoint, Error> {
        if self.base_url().is_empty() {
            return Err(self.no_base_url());
        }
        let mut url = BaseUrl::parse(self.base_url())?;
        // For Ollama, the base URL of its chat completions API (`…/v1`) is accepted too.
        if self.dialect().facts().name() == "ollama_chat"
            && let Some(path) = url.base.path.strip_suffix("/v1")
        {
            url.base.path = path.trim_end_matches('/').to_owned();
        }
        query::put(&mut url.base.query, self.query());
        if let (None, None, Some(var)) = (self.api_key(), self.credentials(), self.api_key_var())
            && url.base.scheme == Scheme::HTTPS
        {
            return Err(missing_key(self.name(), var));
        }
        for rule in self.model_rules().own() {
            rule.off_members().map_err(|error| {
                Error::config(format!(
                    "reasoning_off of the model rule for {} is not a valid list of JSON members: \
                     {error}",
                    Quoted(&rule.models)
                ))
            })?;
        }
        let mut headers = self.dialect().headers()?;
        if let Some(key) = self.api_key() {
            let header = self.dialect().facts().key_header();
            headers.insert(header.name().clone(), key.header(header.prefix())?);
        }
        for (name, value) in self.headers() {
            headers.insert(name.clone(), value.clone());
        }
        let may_be_sent = !url.is_open || self.allows_http();
        if !may_be_sent && let Some(what) = self.credential(&url) {
            return Err(unencrypted(&what, &url));
        }
        let key = KeyRules {
            may_be_sent,
            secrets: self.secrets(&headers, &url.base.query),
            advice: self.key_advice(&url),
        };
        Ok(Endpoint::new(
            self.name(),
            self.model(),
            self.model_rules().clone(),
            url.base,
            headers,
            key,
        ))
    }

    /// The error for a provider without a base URL. It shows the form of the URL, if that is known.
    pub(crate) fn no_base_url(&self) -> Error {
        let form = match table::find(self.name()) {
            Some(row) if !row.base_url_form.is_empty() => {
                format!(", for example {}", row.base_url_form)
            }
            _ => String::new(),
        };
        Error::config(format!(
            "{} has no default base URL: set LLM_BASE_URL or Provider::with_base_url{form}",
            self.name()
        ))
        .with_code(Some("no_scheme".to_owned()))
    }

    /// What the requests would send that must not be read on the way.
    fn credential(&self, url: &BaseUrl) -> Option<String> {
        if self.api_key().is_some() {
            return Some("the API key".to_owned());
        }
        if self.credentials().is_some() {
            return Some("the credentials".to_owned());
        }
        let mut names = self.headers().keys().map(HeaderName::as_str);
        if let Some(name) = names.find(|name| names_credential(name)) {
            return Some(format!("the header {name}"));
        }
        let mut parameters = parameters(&url.base.query);
        let (name, _) = parameters.find(|(name, _)| names_credential(name))?;
        Some(format!("the parameter {name} of the URL"))
    }

    /// All secrets in the requests: the key, and those in the headers and the query.
    fn secrets(&self, headers: &HeaderMap, query: &str) -> Secrets {
        let mut secrets = Secrets::new();
        if let Some(key) = self.api_key() {
            secrets.add(key.expose());
        }
        for (name, value) in headers {
            if value.is_sensitive()
                && may_hold_secret(name.as_str())
                && let Ok(value) = value.to_str()
            {
                secrets.add(value);
            }
        }
        for (name, value) in parameters(query) {
            if may_hold_secret(name) {
                secrets.add_escaped(value);
            }
        }
        secrets
    }

    /// The probable reason for a refused key, if the key's form shows whose key it is.
    fn key_advice(&self, url: &BaseUrl) -> Option<Arc<str>> {
        let form = KeyForm::of(self.api_key()?.expose())?;
        if form.suits(self.name(), &url.host) {
            return None;
        }
        let advice = format!(
            "the key looks like a key for {}, but was sent to {}: set {}",
            form.owner,
            url.host,
            form.what_to_set()
        );
        Some(advice.into())
    }
}

fn unencrypted(what: &str, url: &BaseUrl) -> Error {
    Error::config(format!(
        "{what} would be sent unencrypted to {}: use https; or leave the key out, if the server \
         does not require one; or set LLM_ALLOW_HTTP=true (Provider::allow_http), if you trust the \
         network",
        url.base.authority
    ))
    .with_code(Some("unencrypted".to_owned()))
}

fn missing_key(provider: &str, var: &str) -> Error {
    Error::config(format!(
        "no API key for {provider}: set {var} or LLM_API_KEY, or Provider::with_api_key, or \
         USE_MOCK_LLM=true for the offline demo model"
    ))
    .with_code(Some("missing_api_key".to_owned()))
}

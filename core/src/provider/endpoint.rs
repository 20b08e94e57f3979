//! From a provider to what its requests have in common.

use http::HeaderName;
use http::uri::Scheme;

use super::{Provider, base_url};
use crate::dialect::Endpoint;
use crate::error::Error;
use crate::shown::Quoted;

impl Provider {
    /// Checks this provider, and derives what its requests have in common.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) with the code `missing_api_key` if the provider
    /// demands a key and there is none (on loopback none is demanded); if the base URL is not an
    /// absolute `http(s)` URL, has user information, a query or a fragment in it, or is `http` off
    /// loopback; if the key or a header cannot be sent; or if a model rule has broken JSON in it.
    pub fn endpoint(&self) -> Result<Endpoint, Error> {
        let base = base_url::check(self.base_url())?;
        if let (None, Some(var)) = (self.api_key(), self.api_key_var())
            && base.scheme == Scheme::HTTPS
        {
            return Err(missing_key(self.name(), var));
        }
        for rule in self.model_rules().own() {
            rule.off_members().map_err(|error| {
                Error::config(format!(
                    "reasoning_off of the model rule for {} is not made of JSON members: {error}",
                    Quoted(&rule.models)
                ))
            })?;
        }
        let mut headers = self.dialect().headers()?;
        if let Some(key) = self.api_key() {
            let header = self.dialect().facts().key_header();
            let name = HeaderName::try_from(header.name()).map_err(|_| {
                Error::config(format!(
                    "the dialect {} names a key header that cannot be sent",
                    self.dialect().facts().name()
                ))
            })?;
            headers.insert(name, key.header(header.prefix())?);
        }
        for (name, value) in self.headers() {
            headers.insert(name, value.clone());
        }
        Ok(Endpoint::new(
            self.name(),
            self.model(),
            self.model_rules().clone(),
            (base.scheme, base.authority, base.path),
            headers,
        ))
    }
}

fn missing_key(provider: &str, var: &str) -> Error {
    Error::config(format!(
        "no API key for {provider}: set {var} or LLM_API_KEY, or USE_MOCK_LLM=true for the \
         offline demo model"
    ))
    .with_code(Some("missing_api_key".to_owned()))
}

//! Settings, all defined in one table.

mod async_config;
#[cfg(test)]
mod cases;
mod nearest;
mod parse;
mod table;

pub use async_config::AsyncConfig;
pub use table::{SETTINGS, Setting, SettingKind};

use crate::error::Error;
use crate::policy::retry::RetryPolicy;
use crate::provider::{KNOWN_PROVIDERS, KeyForm, Provider, host_of};
use crate::quote::Quoted;

use parse::Vars;

/// All settings that the environment may hold for a client.
///
/// ```
/// use chatcore::Config;
///
/// let config = Config::from_vars(|name| match name {
///     "LLM_PROVIDER" => Some("openai".to_owned()),
///     "LLM_ASYNC_WORKERS" => Some("8".to_owned()),
///     _ => None,
/// })?;
/// assert_eq!(config.provider.name(), "openai");
/// assert_eq!(config.scheduling.worker_count(), 8);
/// # Ok::<(), chatcore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The provider: `LLM_PROVIDER`, `LLM_BASE_URL`, `LLM_MODEL` and the key.
    pub provider: Provider,
    /// Concurrency, the queue and the time limit: the `LLM_ASYNC_…` variables.
    pub scheduling: AsyncConfig,
    /// The total number of attempts, the first one included: `LLM_MAX_RETRIES`, default 3; 0 counts
    /// as 1.
    pub max_attempts: u32,
    /// Whether the offline demo model answers: `USE_MOCK_LLM`, default false. If so, the provider
    /// is [`Provider::demo`].
    pub mock: bool,
}

impl Config {
    /// Settings that are not read from the environment: this provider, and the defaults of the
    /// table [`SETTINGS`] for everything else.
    ///
    /// ```
    /// use chatcore::{Config, Provider};
    ///
    /// let config = Config::new(Provider::openai().with_api_key("sk-…")).max_attempts(5);
    /// assert_eq!(config.scheduling.worker_count(), 5);
    /// ```
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            scheduling: AsyncConfig::default(),
            max_attempts: RetryPolicy::default().max_attempts,
            mock: false,
        }
    }

    /// Sets the provider.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = provider;
        self
    }

    /// Sets concurrency, the queue and the time limit.
    #[must_use]
    pub fn scheduling(mut self, scheduling: AsyncConfig) -> Self {
        self.scheduling = scheduling;
        self
    }

    /// Sets the total number of attempts, the first one included. 1 means no retries; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// Sets whether the offline demo model answers. If so, the provider becomes
    /// [`Provider::demo`].
    #[must_use]
    pub fn mock(mut self, mock: bool) -> Self {
        self.mock = mock;
        if mock {
            self.provider = Provider::demo();
        }
        self
    }

    /// Reads the settings from the process's environment.
    ///
    /// # Errors
    /// As [`from_vars`](Self::from_vars).
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(parse::env)
    }

    /// Reads the settings from `get`, a function from a variable's name to its value. An empty or
    /// blank value counts as not set. [`SETTINGS`] lists all variables.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) for a value that does not parse. The message names the
    /// variable, the value and the allowed values. The code of an unknown provider is
    /// `unknown_provider`, and the message suggests the nearest name. A missing key is an error when
    /// the client is built.
    pub fn from_vars(get: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let vars = Vars::new(&get);
        let mock = vars.boolean(table::USE_MOCK_LLM)?;
        let max_attempts = match vars.text("LLM_MAX_RETRIES") {
            Some(_) => vars.count(table::LLM_MAX_RETRIES)?,
            // The name in the old Python client.
            None => vars.count(table::XWE_MAX_LLM_RETRIES)?,
        };
        let scheduling = AsyncConfig::read(&vars)?;
        let provider = if mock {
            Provider::demo()
        } else {
            read_provider(&vars)?
        };
        Ok(Self {
            provider,
            scheduling,
            max_attempts: u32::try_from(max_attempts).unwrap_or(u32::MAX),
            mock,
        })
    }
}

fn read_provider(vars: &Vars<'_>) -> Result<Provider, Error> {
    let chosen = vars.text("LLM_PROVIDER");
    // A caller that sets a base URL has chosen where the key is sent.
    let is_named = chosen.is_some();
    let base_url = vars.text("LLM_BASE_URL");
    let name = chosen.unwrap_or_else(|| unnamed(base_url.as_deref()).to_owned());
    let Some(mut provider) = Provider::by_name(&name.to_ascii_lowercase()) else {
        return Err(unknown_provider(&name));
    };
    let is_default = !is_named && base_url.is_none();
    if let Some(base_url) = base_url {
        provider = provider.with_base_url(base_url);
    }
    if let Some(model) = vars.text("LLM_MODEL") {
        provider = provider.with_model(model);
    }
    if provider.base_url().is_empty() {
        return Err(provider.no_base_url());
    }
    if provider.model().is_empty() && !is_named {
        return Err(Error::config(
            "LLM_BASE_URL is set and LLM_PROVIDER is not, so the server may be any that speaks \
             OpenAI's chat completions, and has no model of its own: set LLM_MODEL, or name the \
             provider in LLM_PROVIDER",
        ));
    }
    if provider.model().is_empty() {
        return Err(Error::config(format!(
            "LLM_PROVIDER is {}, which has no default model: set LLM_MODEL",
            Quoted(&name)
        )));
    }
    if vars.boolean(table::LLM_ALLOW_HTTP)? {
        provider = provider.allow_http();
    }
    let own = provider.api_key_vars().iter().copied();
    for var in ["LLM_API_KEY"].into_iter().chain(own) {
        if let Some(key) = vars.text(var) {
            if is_default {
                check_key(&provider, var, &key)?;
            }
            return Ok(provider.with_api_key(key));
        }
    }
    Ok(provider)
}

fn unknown_provider(name: &str) -> Error {
    let names = || KNOWN_PROVIDERS.iter().map(|known| known.name);
    let guess = match nearest::nearest(name, names()) {
        Some(meant) => format!("did you mean {meant}? It"),
        None => "it".to_owned(),
    };
    let names: Vec<_> = names().collect();
    Error::config(format!(
        "LLM_PROVIDER is {}, which is not the name of a provider: {guess} must be one of {}; for any \
         other server with OpenAI's chat completions, use openai_compatible and set LLM_BASE_URL",
        Quoted(name),
        names.join(", ")
    ))
    .with_code(Some("unknown_provider".to_owned()))
}

/// The provider where `LLM_PROVIDER` is not set: the default one, or any server that speaks OpenAI's
/// chat completions where there is an address that is not the default provider's. An address that
/// cannot be read is reported when the client is built.
fn unnamed(base_url: Option<&str>) -> &'static str {
    let default = table::LLM_PROVIDER.default;
    match base_url {
        Some(base_url) if is_elsewhere(base_url) => "openai_compatible",
        _ => default,
    }
}

fn is_elsewhere(base_url: &str) -> bool {
    let default = Provider::by_name(table::LLM_PROVIDER.default);
    let own = default.and_then(|provider| host_of(provider.base_url()));
    host_of(base_url).is_some_and(|host| Some(host) != own)
}

/// Refuses a key that can only belong to another provider, if no provider was chosen. The key would
/// be sent to the default provider, which cannot use it.
fn check_key(provider: &Provider, var: &str, key: &str) -> Result<(), Error> {
    let Some(form) = KeyForm::of(key).filter(|form| !form.is_of(provider.name())) else {
        return Ok(());
    };
    let message = format!(
        "{var} looks like a key for {}, but would be sent to {}, the default provider: set {} (or \
         LLM_PROVIDER={} to send it there anyway)",
        form.owner,
        provider.name(),
        form.what_to_set(),
        provider.name(),
    );
    Err(Error::config(message).with_code(Some("key_of_another_provider".to_owned())))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Config, Error> {
        let vars: HashMap<_, _> = vars.iter().copied().collect();
        Config::from_vars(|name| vars.get(name).map(|&value| value.to_owned()))
    }

    #[test]
    fn the_defaults_are_the_tables() {
        let config = read(&[]).unwrap();
        assert_eq!(config.provider.name(), "deepseek");
        assert_eq!(config.provider.model(), "deepseek-flash");
        assert_eq!(config.scheduling.worker_count(), 5);
        assert_eq!(config.scheduling.queue_size(), 100);
        assert_eq!(config.scheduling.timeout(), Duration::from_secs(30));
        assert!(config.scheduling.is_async_enabled());
        assert_eq!(config.max_attempts, 3);
        assert!(!config.mock);
    }

    #[test]
    fn each_variable_counts() {
        let config = read(&[
            ("LLM_PROVIDER", "Anthropic"),
            ("LLM_MODEL", "claude-x"),
            ("LLM_BASE_URL", "https://proxy.example/anthropic"),
            ("ANTHROPIC_API_KEY", "own"),
            ("LLM_ASYNC_WORKERS", "7"),
            ("LLM_ASYNC_QUEUE_SIZE", "0"),
            ("LLM_ASYNC_TIMEOUT", "1.5"),
            ("LLM_ASYNC_ENABLED", "no"),
            ("XWE_MAX_LLM_RETRIES", "9"),
        ])
        .unwrap();
        assert_eq!(config.provider.name(), "anthropic");
        assert_eq!(config.provider.model(), "claude-x");
        assert_eq!(
            config.provider.base_url(),
            "https://proxy.example/anthropic"
        );
        let header = config.provider.api_key().unwrap().header("").unwrap();
        assert_eq!(header, "own");
        assert_eq!(config.scheduling.worker_count(), 7);
        assert_eq!(config.scheduling.queue_size(), 0);
        assert_eq!(config.scheduling.timeout(), Duration::from_millis(1500));
        assert!(!config.scheduling.is_async_enabled());
        assert_eq!(config.max_attempts, 9);
        let both = read(&[("LLM_MAX_RETRIES", "2"), ("XWE_MAX_LLM_RETRIES", "9")]);
        assert_eq!(both.unwrap().max_attempts, 2);
    }

    #[test]
    fn no_attempts_count_as_one() {
        let config = Config::new(Provider::demo()).max_attempts(0);
        assert_eq!(config.max_attempts, 1);
    }

    #[test]
    fn llm_api_key_stands_above_the_providers_own() {
        let config = read(&[("LLM_API_KEY", "general"), ("DEEPSEEK_API_KEY", "own")]).unwrap();
        let header = config.provider.api_key().unwrap().header("").unwrap();
        assert_eq!(header, "general");
        // The key of another provider is not used.
        let config = read(&[("OPENAI_API_KEY", "other")]).unwrap();
        assert!(config.provider.api_key().is_none());
    }

    #[test]
    fn a_key_of_another_provider_needs_a_provider_that_was_chosen() {
        let key = "sk-ant-api03-0123456789abcdef";
        for var in ["LLM_API_KEY", "DEEPSEEK_API_KEY"] {
            let error = read(&[(var, key)]).unwrap_err();
            assert_eq!(error.code(), Some("key_of_another_provider"));
            let error = error.to_string();
            assert!(error.contains(var), "{error}");
            assert!(error.contains("LLM_PROVIDER=anthropic"), "{error}");
            assert!(!error.contains("sk-ant"), "{error}");
        }
        for chosen in [
            ("LLM_PROVIDER", "anthropic"),
            ("LLM_PROVIDER", "deepseek"),
            ("LLM_BASE_URL", "https://gateway.example/v1"),
        ] {
            let model = ("LLM_MODEL", "m");
            assert!(
                read(&[("LLM_API_KEY", key), chosen, model]).is_ok(),
                "{chosen:?}"
            );
        }
        assert!(read(&[("LLM_API_KEY", "sk-0123456789abcdef0123456789abcdef")]).is_ok());
    }

    #[test]
    fn an_address_without_a_provider_is_that_of_any_compatible_server() {
        let named = |base_url, model| {
            let vars = [("LLM_BASE_URL", base_url), ("LLM_MODEL", model)];
            read(&vars).map(|config| config.provider.name().to_owned())
        };
        for (base_url, expected) in [
            ("http://127.0.0.1:8080/v1", "openai_compatible"),
            ("https://deepseek.gateway.example/v1", "openai_compatible"),
            ("https://API.DeepSeek.com/v1", "deepseek"),
            ("nonsense", "deepseek"),
        ] {
            assert_eq!(named(base_url, "m").unwrap(), expected, "{base_url}");
        }
        assert_eq!(named("https://api.deepseek.com", "").unwrap(), "deepseek");
        let error = named("http://127.0.0.1:8080/v1", "")
            .unwrap_err()
            .to_string();
        for part in ["LLM_BASE_URL", "LLM_MODEL", "LLM_PROVIDER"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn quotes_around_a_value_are_none_of_it() {
        let config = read(&[
            ("LLM_PROVIDER", "\"openai\""),
            ("LLM_API_KEY", "\"\""),
            ("OPENAI_API_KEY", "'sk-1'\n"),
            ("LLM_BASE_URL", " 'http://ollama:11434/v1' "),
            ("LLM_ALLOW_HTTP", "\"true\""),
            ("LLM_ASYNC_WORKERS", "\"7\""),
        ])
        .unwrap();
        assert_eq!(config.provider.name(), "openai");
        assert_eq!(config.provider.base_url(), "http://ollama:11434/v1");
        assert!(config.provider.allows_http());
        assert_eq!(config.scheduling.worker_count(), 7);
        let header = config.provider.api_key().unwrap().header("").unwrap();
        assert_eq!(header, "sk-1");
    }

    #[test]
    fn mock_needs_no_key() {
        let config = read(&[("USE_MOCK_LLM", "true")]).unwrap();
        assert!(config.mock);
        assert_eq!(config.provider.name(), "demo");
    }

    #[test]
    fn blank_is_not_set() {
        let config = read(&[("LLM_ASYNC_WORKERS", " "), ("LLM_API_KEY", "")]).unwrap();
        assert_eq!(config.scheduling.worker_count(), 5);
        assert!(config.provider.api_key().is_none());
    }

    #[test]
    fn bad_values_name_variable_value_and_what_is_allowed() {
        for (name, value, allowed) in [
            ("LLM_ASYNC_WORKERS", "many", "a whole number of at least 1"),
            ("LLM_ASYNC_WORKERS", "0", "a whole number of at least 1"),
            ("LLM_ASYNC_WORKERS", "-3", "a whole number of at least 1"),
            (
                "LLM_ASYNC_QUEUE_SIZE",
                "1.5",
                "a whole number of at least 0",
            ),
            ("LLM_ASYNC_TIMEOUT", "soon", "seconds"),
            ("LLM_ASYNC_TIMEOUT", "0", "seconds"),
            ("LLM_ASYNC_TIMEOUT", "NaN", "seconds"),
            ("LLM_ASYNC_TIMEOUT", "inf", "seconds"),
            ("LLM_ASYNC_ENABLED", "maybe", "true or false"),
            ("LLM_MAX_RETRIES", "0", "a whole number of at least 1"),
            ("XWE_MAX_LLM_RETRIES", "x", "a whole number of at least 1"),
            ("USE_MOCK_LLM", "2", "true or false"),
            ("LLM_ALLOW_HTTP", "perhaps", "true or false"),
            (
                "LLM_PROVIDER",
                "skynet",
                ": it must be one of deepseek, openai",
            ),
            (
                "LLM_PROVIDER",
                "opnai",
                ": did you mean openai? It must be one of",
            ),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Config);
            let error = error.to_string();
            for part in [name, value, allowed] {
                assert!(error.contains(part), "{name}={value}: {error}");
            }
        }
        let error = read(&[("LLM_PROVIDER", "openai_compatible")]).unwrap_err();
        assert!(error.to_string().contains("set LLM_BASE_URL"), "{error}");
    }

    #[test]
    fn every_variable_of_the_table_is_read() {
        let asked = std::cell::RefCell::new(Vec::new());
        Config::from_vars(|name| {
            asked.borrow_mut().push(name.to_owned());
            None
        })
        .unwrap();
        for setting in SETTINGS {
            assert!(
                asked.borrow().iter().any(|name| name == setting.var),
                "{} is in the table and never read",
                setting.var
            );
        }
    }

    #[test]
    fn every_provider_is_taken_by_its_name_and_its_keys() {
        for known in KNOWN_PROVIDERS {
            let base_url = match known.base_url {
                "" => "https://own.example/v1",
                base_url => base_url,
            };
            for var in known.key_vars {
                let own = [
                    ("LLM_PROVIDER", known.name),
                    ("LLM_BASE_URL", base_url),
                    ("LLM_MODEL", "m"),
                    (var, "k-0123456789"),
                ];
                let provider = read(&own).unwrap().provider;
                assert_eq!(provider.name(), known.name);
                assert!(provider.api_key().is_some(), "{} {var}", known.name);
            }
            let doc = SETTINGS.iter().find(|row| row.var == "LLM_PROVIDER");
            let name = format!("`{}`", known.name);
            assert!(
                doc.unwrap().doc.contains(&name),
                "LLM_PROVIDER lacks {name}"
            );
        }
        // The first variable that is set counts.
        let keys = [("GOOGLE_API_KEY", "second"), ("GEMINI_API_KEY", "first")];
        let provider = read(&[("LLM_PROVIDER", "gemini"), keys[0], keys[1]]);
        let provider = provider.unwrap().provider;
        assert_eq!(provider.api_key().unwrap().header("").unwrap(), "first");
        let error = read(&[("LLM_PROVIDER", "azure")]).unwrap_err().to_string();
        assert!(
            error.contains("https://RESOURCE.openai.azure.com"),
            "{error}"
        );
        let error = read(&[("LLM_PROVIDER", "openrouter")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("set LLM_MODEL"), "{error}");
    }
}

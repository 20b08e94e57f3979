//! Settings, all defined in one table.

mod async_config;
#[cfg(test)]
mod cases;
mod nearest;
mod parse;
mod provider;
mod table;
#[cfg(test)]
mod tests;

pub use async_config::AsyncConfig;
pub use table::{SETTINGS, Setting, SettingKind};

use crate::error::Error;
use crate::policy::retry::RetryPolicy;
use crate::provider::Provider;

use parse::Vars;

/// All settings that the environment may hold for a client.
///
/// ```
/// use chatcore::Config;
///
/// let config = Config::from_vars(|name| match name {
///     "LLM_PROVIDER" => Some("mistral".to_owned()),
///     "LLM_ASYNC_WORKERS" => Some("8".to_owned()),
///     _ => None,
/// })?;
/// assert_eq!(config.provider.name(), "mistral");
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
    /// let config = Config::new(Provider::deepseek().with_api_key("sk-…")).max_attempts(5);
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
            provider::read(&vars)?
        };
        Ok(Self {
            provider,
            scheduling,
            max_attempts: u32::try_from(max_attempts).unwrap_or(u32::MAX),
            mock,
        })
    }
}

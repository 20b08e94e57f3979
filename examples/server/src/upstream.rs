//! The client for the provider, or for the demo model if no key is set.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{Config, Error, Executor, LlmClient, Provider, Transport};
use chatcore_adapters::demo::DemoTransport;
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;
use chatcore_examples::instead_of;

use crate::metrics::Metrics;

/// The demo model's delay before the first word.
const FIRST: Duration = Duration::from_millis(120);
/// The demo model's delay before each further word.
const PER_WORD: Duration = Duration::from_millis(12);

/// Where answers come from.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) client: LlmClient,
    pub(crate) provider: String,
    pub(crate) model: String,
    /// The name of the provider's dialect.
    pub(crate) dialect: &'static str,
    /// Whether this is the offline demo model.
    pub(crate) is_demo: bool,
    /// How to get a real model, if the demo model answers because no key is set.
    pub(crate) advice: Option<String>,
}

impl Upstream {
    /// The provider that the variables name. The demo model is used with `USE_MOCK_LLM`, and if no
    /// provider is named and no key is set.
    ///
    /// # Errors
    /// If a setting does not parse or cannot be used, or if the named provider has no key.
    pub(crate) fn from_vars(
        var: impl Fn(&str) -> Option<String>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let mut config = Config::from_vars(&var)?;
        let mut advice = None;
        if !config.mock {
            let error = match Self::new(config.clone(), Arc::clone(&metrics), false) {
                Err(error) => error,
                made => return made,
            };
            let is_named = |name: &&str| var(name).is_some_and(|value| !value.trim().is_empty());
            if !["LLM_PROVIDER", "LLM_BASE_URL"].iter().any(is_named) {
                advice = instead_of(&error);
            }
            if advice.is_none() {
                return Err(error);
            }
            config.provider = Provider::demo();
        }
        let mut demo = Self::new(config, metrics, true)?;
        demo.advice = advice;
        Ok(demo)
    }

    fn new(config: Config, metrics: Arc<Metrics>, is_demo: bool) -> Result<Self, Error> {
        let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
        let transport: Arc<dyn Transport> = match is_demo {
            true => Arc::new(DemoTransport::new().latency(Arc::clone(&executor), FIRST, PER_WORD)),
            false => Arc::new(Http1Transport::new(Arc::clone(&executor))),
        };
        Ok(Self {
            provider: config.provider.name().to_owned(),
            model: config.provider.model().to_owned(),
            dialect: config.provider.dialect().facts().name(),
            is_demo,
            advice: None,
            client: LlmClient::builder(executor, transport)
                .config(config)
                .observer(metrics)
                .build()?,
        })
    }
}

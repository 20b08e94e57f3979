//! The environment and the options → settings and a client.

use chatcore::{Config, Error};

use crate::args::Who;

/// The settings of the environment, with the options in their place.
pub(crate) fn config(who: &Who) -> Result<Config, Error> {
    Config::from_vars(|name| {
        let option = match name {
            "LLM_PROVIDER" => who.provider.clone(),
            "LLM_MODEL" => who.model.clone(),
            "LLM_BASE_URL" => who.base_url.clone(),
            "USE_MOCK_LLM" if who.mock => Some("true".to_owned()),
            _ => None,
        };
        option.or_else(|| std::env::var(name).ok())
    })
}

//! Reads settings from the environment and the options, and creates a client.

use chatcore::{Config, Error, KNOWN_PROVIDERS, LlmClient};

use crate::args::Who;

/// Reads the settings from the environment. Options override variables.
pub(crate) fn config(who: &Who) -> Result<Config, Error> {
    Config::from_vars(vars(who)).map_err(|error| in_options(error, who))
}

/// Names the options in an error about settings that were given by options.
fn in_options(error: Error, who: &Who) -> Error {
    let mut message = error.message().to_owned();
    for (option, given, variable) in [
        ("--provider", &who.provider, "LLM_PROVIDER"),
        ("--model", &who.model, "LLM_MODEL"),
        ("--base-url", &who.base_url, "LLM_BASE_URL"),
    ] {
        message = match given {
            Some(_) => message.replace(variable, option),
            // It is advised with its value.
            None if option == "--provider" => message,
            None => message.replace(
                &format!("set {variable}"),
                &format!("set {option} or {variable}"),
            ),
        };
    }
    Error::new(error.kind(), message).with_code(error.code().map(str::to_owned))
}

/// Reads a variable from the options, or else from the environment.
pub(crate) fn vars(who: &Who) -> impl Fn(&str) -> Option<String> {
    |name| {
        let option = match name {
            "LLM_PROVIDER" => who.provider.clone(),
            "LLM_MODEL" => who.model.clone(),
            "LLM_BASE_URL" => who.base_url.clone(),
            "USE_MOCK_LLM" if who.mock => Some("true".to_owned()),
            _ => None,
        };
        option.or_else(|| std::env::var(name).ok())
    }
}

/// Creates a client with these settings.
pub(crate) fn client(config: Config) -> Result<LlmClient, Error> {
    let key_var = key_var(&config);
    chatcore_adapters::smol_client(config)
        .map_err(|error| on_the_command_line(error, key_var.as_deref()))
}

/// The variable from which the provider's key is read.
pub(crate) fn key_var(config: &Config) -> Option<String> {
    config.provider.api_key_var().map(str::to_owned)
}

/// Replaces the library's advice in an error about the settings with advice for the command line.
pub(crate) fn on_the_command_line(error: Error, key_var: Option<&str>) -> Error {
    match (error.code(), key_var) {
        (Some(code @ "missing_api_key"), Some(var)) => {
            let why = format!(
                "there is no API key: set {var} or LLM_API_KEY, or ask the offline demo model with \
                 --mock{}",
                key_of_another().unwrap_or_default()
            );
            Error::new(error.kind(), why).with_code(Some(code.to_owned()))
        }
        _ => error,
    }
}

/// Advice for a user who set the key of another provider than the chosen one.
fn key_of_another() -> Option<String> {
    let is_set = |var: &str| std::env::var(var).is_ok_and(|key| !key.trim().is_empty());
    KNOWN_PROVIDERS.iter().find_map(|known| {
        let var = known.key_vars.iter().find(|var| is_set(var))?;
        let name = known.name;
        Some(format!(
            "; {var} is set: to ask {name}, set LLM_PROVIDER={name} or use --provider {name}"
        ))
    })
}

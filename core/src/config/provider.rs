//! The provider that the variables choose, its address, model and key.

use crate::error::Error;
use crate::provider::{KNOWN_PROVIDERS, KeyForm, Provider, host_of};
use crate::quote::Quoted;

use super::nearest::nearest;
use super::parse::Vars;
use super::table;

/// Reads `LLM_PROVIDER`, `LLM_BASE_URL`, `LLM_MODEL`, `LLM_ALLOW_HTTP` and the key.
pub(super) fn read(vars: &Vars<'_>) -> Result<Provider, Error> {
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
    let guess = match nearest(name, names()) {
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

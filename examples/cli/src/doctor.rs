//! `chatcore doctor`: shows the settings and checks whether they work.

use std::time::{Duration, Instant, SystemTime};

use chatcore::{Config, Error, ErrorKind, SETTINGS};

use crate::args::Who;
use crate::failure::{FAILED, Failure, WRONG};
use crate::models;
use crate::say::{self, BAD, DIM, GOOD, WARN};
use crate::setup;

/// The variables from which the proxy is read.
const PROXIES: &[&str] = &[
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// Seconds since 1970 at a time before this program was written. A clock that shows less is wrong,
/// and certificates would not be valid yet.
const BUILT_AFTER: Duration = Duration::from_secs(1_764_547_200);

pub(crate) async fn run(who: &Who) -> Result<u8, Failure> {
    let mut text = String::new();
    for setting in SETTINGS {
        if let Ok(value) = std::env::var(setting.var)
            && !value.trim().is_empty()
        {
            let shown = match setting.var.contains("KEY") {
                true => "(set)".to_owned(),
                false => without_secrets(&value),
            };
            text.push_str(&format!("  {} = {shown}\n", setting.var));
        }
    }
    for var in PROXIES {
        if let Ok(value) = std::env::var(var)
            && !value.is_empty()
        {
            text.push_str(&format!("  {var} = {}\n", without_secrets(&value)));
        }
    }
    if text.is_empty() {
        text.push_str("  no variable is set\n");
    }
    say::out(&format!("Settings\n{text}"))?;
    let config = match setup::config(who) {
        Ok(config) => config,
        Err(error) => return told("settings", &error),
    };
    say::out(&provider(&config))?;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    match since.is_ok_and(|since| since > BUILT_AFTER) {
        true => good("clock", "plausible"),
        false => bad("clock", "it is wrong: set it, or no certificate is valid"),
    }?;
    let own = config.provider.model().to_owned();
    let is_demo = config.mock;
    let client = match setup::client(config) {
        Ok(client) => client,
        Err(error) => return told("settings", &error),
    };
    let began = Instant::now();
    match client.ask("Say OK.").max_tokens(16).await {
        Ok(answer) => good(
            "one call",
            &format!("{} ms, {}", began.elapsed().as_millis(), answer.model),
        )?,
        // The key, the network and the model work.
        Err(error) if error.kind() == ErrorKind::OutOfTokens => good(
            "one call",
            &format!("{} ms, no text in 16 tokens", began.elapsed().as_millis()),
        )?,
        Err(error) => return told("one call", &error),
    }
    if is_demo {
        good("models", "the demo model is the only one")?;
        return Ok(0);
    }
    match client.models().await {
        Ok(list) => match models::warning(&list, &own, SystemTime::now()) {
            Some(warning) => say::out(&format!("  {WARN}!{WARN:#} model: {warning}\n"))?,
            None => good("models", &format!("{} are offered", list.len()))?,
        },
        Err(error) => say::out(&format!("  {DIM}- models: {error}{DIM:#}\n"))?,
    }
    Ok(0)
}

fn provider(config: &Config) -> String {
    let provider = &config.provider;
    let base_url = provider.base_url().split('?').next().unwrap_or_default();
    let key = match (provider.api_key(), provider.api_key_var()) {
        (Some(_), _) => "set".to_owned(),
        (None, Some(var)) => format!("not set ({var})"),
        (None, None) => "none needed".to_owned(),
    };
    format!(
        "Provider\n  {}, {} at {base_url}\n  dialect {}, key {key}\nChecks\n",
        provider.name(),
        provider.model(),
        provider.dialect().facts().name(),
    )
}

/// A value without what may hold a secret if it is a URL: the user, the password and the query.
fn without_secrets(value: &str) -> String {
    let (url, query) = match value.split_once('?') {
        Some((url, _)) => (url, "?…"),
        None => (value, ""),
    };
    match url.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            let colon = if scheme.is_empty() { "" } else { "://" };
            format!("{scheme}{colon}…@{host}{query}")
        }
        None => format!("{url}{query}"),
    }
}

fn good(what: &str, how: &str) -> std::io::Result<()> {
    say::out(&format!("  {GOOD}✓{GOOD:#} {what}: {how}\n"))
}

fn bad(what: &str, how: &str) -> std::io::Result<()> {
    say::out(&format!("  {BAD}✗{BAD:#} {what}: {how}\n"))
}

/// Prints the error of the check `what`, and returns the exit status.
fn told(what: &str, error: &Error) -> Result<u8, Failure> {
    bad(what, &error.to_string())?;
    Ok(match error.kind() {
        ErrorKind::Config | ErrorKind::InvalidInput => WRONG,
        _ => FAILED,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (value, shown) in [
            ("deepseek", "deepseek"),
            ("https://llm.example/v1", "https://llm.example/v1"),
            ("https://llm.example/v1?key=a@b", "https://llm.example/v1?…"),
            ("http://me:a@b@proxy:1", "http://…@proxy:1"),
            ("me:hunter2@proxy:1", "…@proxy:1"),
        ] {
            assert_eq!(without_secrets(value), shown);
        }
    }
}

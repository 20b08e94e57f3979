//! The settings that a run must have in common with the run that it resumes.

use std::collections::BTreeMap;

use chatcore::{Error, ErrorKind, Provider};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The settings that a run must have in common with the run that it resumes: the provider, the
/// model, and anything else that would change its answers. Without this check, the results of two
/// models could end up in one file unnoticed.
///
/// ```
/// use chatcore::Provider;
/// use chatcore_adapters::journal::files::Identity;
///
/// let identity = Identity::of(&Provider::deepseek().with_model("deepseek-flash"))
///     .with("temperature", 0.2);
/// # let _ = identity;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(BTreeMap<String, String>);

impl Identity {
    /// An empty identity: any run with an empty identity can be resumed.
    pub fn new() -> Self {
        Self::default()
    }

    /// The provider's dialect, base URL and model, and a digest of its key, which identifies the
    /// account. The key cannot be recovered from the digest.
    pub fn of(provider: &Provider) -> Self {
        // A query may hold a key.
        let base_url = provider.base_url().split('?').next().unwrap_or_default();
        let identity = Self::new()
            .with("dialect", provider.dialect().facts().name())
            .with("base URL", base_url.trim_end_matches('/'))
            .with("model", provider.model());
        let key = provider.api_key().and_then(|key| key.header("").ok());
        match key {
            Some(key) => {
                let digest = Sha256::digest([b"chatcore run ", key.as_bytes()].concat());
                let shown = digest[..8].iter().map(|byte| format!("{byte:02x}"));
                identity.with("key", shown.collect::<String>())
            }
            None => identity,
        }
    }

    /// Adds a setting that must be the same.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.0.insert(name.into(), value.to_string());
        self
    }

    /// Compares with the run to be resumed. The error lists all differences, and names `other` as a
    /// way out.
    pub(in crate::journal) fn check(&self, before: &Self, other: &str) -> Result<(), Error> {
        let names = self.0.keys().chain(before.0.keys());
        let mut differences: Vec<_> = names
            .filter(|name| self.0.get(*name) != before.0.get(*name))
            .map(|name| match (before.0.get(name), self.0.get(name)) {
                (Some(_), Some(_)) if name == "key" => "the key has changed".to_owned(),
                (Some(was), Some(is)) => format!("{name} was {was} and is now {is}"),
                (Some(was), None) => format!("{name} was {was} and is no longer set"),
                (None, is) => format!(
                    "{name} was not set and is now {}",
                    is.map_or("", String::as_str)
                ),
            })
            .collect();
        differences.sort();
        differences.dedup();
        if differences.is_empty() {
            return Ok(());
        }
        let why = format!(
            "this run was begun with other settings: {}; restore the settings, {other}, or force the \
             run",
            differences.join("; ")
        );
        Err(Error::new(ErrorKind::Config, why).with_code(Some("another_run".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_no_key_is_shown() {
        let provider = Provider::deepseek().with_api_key("sk-0123456789abcdef");
        let before = Identity::of(&provider).with("temperature", 0.2);
        assert!(before.check(&before.clone(), "").is_ok());
        let now = Identity::of(&provider.with_model("other").with_api_key("sk-secret"));
        let error = now
            .check(&before, "choose another output")
            .unwrap_err()
            .to_string();
        for part in [
            "model was deepseek-flash and is now other",
            "temperature was 0.2 and is no longer set",
            "the key has changed",
            "force the run",
        ] {
            assert!(error.contains(part), "{error}");
        }
        let stored = serde_json::to_string(&before).unwrap();
        assert!(!stored.contains("0123456789abcdef") && !error.contains("secret"));
        let read: Identity = serde_json::from_str(&stored).unwrap();
        assert!(read.check(&before, "").is_ok());
    }
}

//! Recognizes the owner of a key by its form.

use std::borrow::Cow;

use super::table;
use crate::host::Host;

/// The form of a provider's keys: one row of [`KEY_FORMS`].
///
/// ```
/// let owners: Vec<_> = chatcore::KEY_FORMS.iter().map(|form| form.owner).collect();
/// assert!(owners.contains(&"Anthropic"));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct KeyForm {
    /// The prefix of all keys of this form. No other provider's keys have it.
    pub prefix: &'static str,
    /// The provider's name in its own spelling.
    pub owner: &'static str,
    /// The domain of the provider's API.
    domain: &'static str,
    /// The provider's name in `LLM_PROVIDER`.
    provider: &'static str,
}

const fn form(
    prefix: &'static str,
    owner: &'static str,
    domain: &'static str,
    provider: &'static str,
) -> KeyForm {
    KeyForm {
        prefix,
        owner,
        domain,
        provider,
    }
}

/// The forms that only one provider uses, as of November 2026. A bare `sk-` is not included,
/// because keys of DeepSeek, old keys of OpenAI and keys of many proxies begin with it.
///
/// ```
/// let form = chatcore::KEY_FORMS.iter().find(|form| "sk-ant-api03-…".starts_with(form.prefix));
/// assert_eq!(form.unwrap().owner, "Anthropic");
/// ```
#[rustfmt::skip]
pub const KEY_FORMS: &[KeyForm] = &[
    form("sk-ant-", "Anthropic", "anthropic.com", "anthropic"),
    form("sk-proj-", "OpenAI", "openai.com", "openai"),
    form("sk-svcacct-", "OpenAI", "openai.com", "openai"),
    form("sk-or-", "OpenRouter", "openrouter.ai", "openrouter"),
    form("gsk_", "Groq", "groq.com", "groq"),
    form("AIza", "Google", "googleapis.com", "gemini"),
    form("xai-", "xAI", "x.ai", "xai"),
    form("pplx-", "Perplexity", "perplexity.ai", "perplexity"),
    form("nvapi-", "NVIDIA", "nvidia.com", "nvidia"),
];

impl KeyForm {
    /// The least number of characters in a key. A shorter one is a placeholder.
    pub const MIN_LEN: usize = 16;

    /// The form of `key`, if only one provider uses that form.
    pub(crate) fn of(key: &str) -> Option<&'static Self> {
        let known = |form: &&Self| key.starts_with(form.prefix) && key.len() >= Self::MIN_LEN;
        KEY_FORMS.iter().find(known)
    }

    /// Whether the form belongs to the provider with this name in `LLM_PROVIDER`.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.provider == name
    }

    /// Whether a key of this form is right for the provider `name`, or for a server at `host`. A
    /// server on this machine may take any key.
    pub(crate) fn suits(&self, name: &str, host: &Host) -> bool {
        let is_below = match host {
            Host::Name(host) => host
                .trim_end_matches('.')
                .strip_suffix(self.domain)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            Host::Ip(_) => false,
        };
        self.is_of(name) || is_below || host.is_loopback()
    }

    /// The settings with which a key of this form reaches its provider.
    pub fn what_to_set(&self) -> Cow<'static, str> {
        let name = self.provider;
        match table::find(name) {
            Some(row) if row.model.is_empty() => format!("LLM_PROVIDER={name} and LLM_MODEL"),
            _ => format!("LLM_PROVIDER={name}"),
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_by_their_prefix_and_their_length() {
        let owner = |key: &str| KeyForm::of(key).map(|form| form.owner);
        assert_eq!(owner("sk-ant-api03-0123456789"), Some("Anthropic"));
        assert_eq!(owner("sk-or-v1-0123456789abc"), Some("OpenRouter"));
        assert_eq!(owner("sk-0123456789abcdef0123456789abcdef"), None);
        assert_eq!(owner("sk-ant-x"), None);
    }

    #[test]
    fn a_form_suits_its_own_provider_its_own_domain_and_this_machine() {
        let suits = |key: &str, name: &str, host: &str| {
            let host = Host::parse(host).unwrap();
            KeyForm::of(key).unwrap().suits(name, &host)
        };
        let anthropic = "sk-ant-api03-0123456789";
        assert!(suits(anthropic, "anthropic", "gateway.example"));
        assert!(suits(anthropic, "mine", "api.anthropic.com."));
        assert!(suits(anthropic, "mine", "localhost"));
        assert!(!suits(anthropic, "deepseek", "api.deepseek.com"));
        assert!(!suits("xai-0123456789abcdef", "mine", "mistral.fix.ai"));
    }
}

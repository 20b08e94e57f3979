//! The providers that chatcore knows by name.

use std::borrow::Cow;
use std::sync::Arc;

use http::HeaderMap;

use super::Provider;
use super::table::{self, Row};
#[cfg(feature = "gemini")]
use crate::dialect::kit::escape::escape;
use crate::dialect::{Dialect, JsonOutput, OpenAiChat, Quirks};
use crate::host::DEMO_URL;
use crate::models::ModelRules;

/// A provider that chatcore knows by name: one row of [`KNOWN_PROVIDERS`](super::KNOWN_PROVIDERS).
///
/// ```
/// use chatcore::{KNOWN_PROVIDERS, Provider};
///
/// let known = KNOWN_PROVIDERS.iter().find(|known| known.name == "deepseek").unwrap();
/// assert_eq!(known.key_var(), Some("DEEPSEEK_API_KEY"));
/// assert_eq!(Provider::by_name("deepseek").unwrap().base_url(), known.base_url);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct KnownProvider {
    /// The name in `LLM_PROVIDER`.
    pub name: &'static str,
    /// The environment variables for the key, in order. They are read only if `LLM_API_KEY` is not
    /// set. Empty if no key is needed.
    pub key_vars: &'static [&'static str],
    /// The base URL. Empty if each user has their own.
    pub base_url: &'static str,
    /// An example of the base URL if each user has their own. Otherwise empty.
    pub base_url_form: &'static str,
    /// The model if none is set. Empty if the provider has no default model, because it serves
    /// models of many makers, or because no model is certain to be available.
    pub model: &'static str,
    /// The documentation that the row is based on.
    pub source: &'static str,
    /// The date on which it was read.
    pub date: &'static str,
}

impl KnownProvider {
    /// The first of [`key_vars`](Self::key_vars), which the provider's own tools read. `None` if no
    /// key is needed.
    pub fn key_var(&self) -> Option<&'static str> {
        self.key_vars.first().copied()
    }
}

impl Provider {
    /// DeepSeek, the default: `https://api.deepseek.com`, model `deepseek-flash`.
    pub fn deepseek() -> Self {
        Self::known(&table::DEEPSEEK)
    }

    /// OpenAI: `https://api.openai.com/v1`, model `gpt-6-luna`. A call uses chat completions, or
    /// Responses if it needs them: see [`OpenAi`](crate::dialect::OpenAi).
    #[cfg(feature = "openai-responses")]
    pub fn openai() -> Self {
        Self::known(&table::OPENAI)
    }

    /// Anthropic's messages: `https://api.anthropic.com`, model `claude-haiku-5-5`.
    #[cfg(feature = "anthropic")]
    pub fn anthropic() -> Self {
        Self::known(&table::ANTHROPIC)
    }

    /// Google's Gemini API: `https://generativelanguage.googleapis.com/v1beta`, model
    /// `gemini-3.8-flash`.
    #[cfg(feature = "gemini")]
    pub fn gemini() -> Self {
        Self::known(&table::GEMINI)
    }

    /// Gemini models on Vertex AI, in a project and a location. A location is, for example,
    /// `us-central1`, `global`, or one of the multi-regions `us` and `eu`.
    ///
    /// The key is an access token. It expires after an hour, so that a program that runs longer
    /// should set a [`TokenSource`](crate::TokenSource) with
    /// [`with_credentials`](Self::with_credentials) instead.
    ///
    /// ```
    /// use chatcore::{Provider, Token, TokenSource};
    ///
    /// let source = TokenSource::new(|| async { Ok(Token::new("ya29.…")) });
    /// let provider = Provider::vertex("my-project", "global", "gemini-3.8-flash")
    ///     .with_credentials(source);
    /// # let _ = provider;
    /// ```
    #[cfg(feature = "gemini")]
    pub fn vertex(project: &str, location: &str, model: impl Into<Cow<'static, str>>) -> Self {
        // An empty name becomes a placeholder, which is refused by name when the client is built.
        let project = if project.is_empty() {
            "PROJECT"
        } else {
            project
        };
        let location = if location.is_empty() {
            "LOCATION"
        } else {
            location
        };
        let [mut place, mut owner] = [String::new(), String::new()];
        escape(&mut place, location);
        escape(&mut owner, project);
        let host = match location {
            "global" => "aiplatform.googleapis.com".to_owned(),
            "us" | "eu" => format!("aiplatform.{place}.rep.googleapis.com"),
            _ => format!("{place}-aiplatform.googleapis.com"),
        };
        let base =
            format!("https://{host}/v1/projects/{owner}/locations/{place}/publishers/google");
        Self::known(&table::VERTEX)
            .with_base_url(base)
            .with_model(model)
    }

    /// Ollama on this machine, through its native API: `http://127.0.0.1:11434`. Name a model that
    /// is installed.
    #[cfg(feature = "ollama")]
    pub fn ollama(model: impl Into<Cow<'static, str>>) -> Self {
        Self::known(&table::OLLAMA).with_model(model)
    }

    /// A server at `base_url` with OpenAI's chat completions. Without a key, none is sent. Many
    /// such servers are known by name, with their quirks: see [`by_name`](Self::by_name).
    pub fn openai_compatible(
        base_url: impl Into<Cow<'static, str>>,
        model: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::known(&table::OPENAI_COMPATIBLE)
            .with_base_url(base_url)
            .with_model(model)
    }

    /// The offline demo model of the adapters: no key is needed, and nothing leaves the process. It
    /// answers only through the adapters' demo transport. Every other transport refuses its base
    /// URL, which is not `http`, and sends nothing.
    pub fn demo() -> Self {
        let quirks = Quirks::default().json_output(JsonOutput::Grammar);
        Self::new("demo", DEMO_URL, "demo", OpenAiChat::new(quirks))
    }

    /// The provider that `LLM_PROVIDER` names, with its defaults: a row of
    /// [`KNOWN_PROVIDERS`](crate::KNOWN_PROVIDERS). If the row has no base URL or no model, set
    /// one.
    ///
    /// ```
    /// use chatcore::Provider;
    ///
    /// let groq = Provider::by_name("groq").expect("a name of the table");
    /// assert_eq!(groq.api_key_var(), Some("GROQ_API_KEY"));
    /// ```
    pub fn by_name(name: &str) -> Option<Self> {
        table::find(name).map(Self::known)
    }

    pub(super) fn known(row: &Row) -> Self {
        let dialect: Arc<dyn Dialect> = (row.dialect)();
        // The rules for a provider's models are under the provider's name.
        let rules = match row.key_vars {
            [] => dialect.facts().name(),
            // The models are the same, whichever dialect is used.
            _ if row.base_url == table::OPENAI_CHAT.base_url => "openai",
            _ => row.name,
        };
        Self {
            name: row.name.into(),
            base_url: row.base_url.into(),
            query: Vec::new(),
            model: row.model.into(),
            key: None,
            key_vars: row.key_vars,
            credentials: None,
            headers: HeaderMap::new(),
            allow_http: false,
            dialect,
            rules: ModelRules::of(rules),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KNOWN_PROVIDERS;
    use crate::dialect::CONNECTION_HEADERS;

    #[cfg(all(
        feature = "anthropic",
        feature = "gemini",
        feature = "openai-responses"
    ))]
    #[test]
    fn a_price_is_that_of_the_providers_own_server() {
        for known in KNOWN_PROVIDERS {
            let provider = Provider::by_name(known.name).unwrap();
            let model = provider.model().to_owned();
            let price = provider.price();
            let row = crate::MODEL_PRICES.iter().find(|row| {
                row.model == model && row.providers.split(' ').any(|name| name == known.name)
            });
            assert_eq!(price, row, "{}", known.name);
        }
        let names = crate::MODEL_PRICES
            .iter()
            .flat_map(|row| row.providers.split(' '));
        for name in names {
            assert!(Provider::by_name(name).is_some(), "{name}");
        }
        let other = Provider::openai().with_base_url("http://localhost:1/v1");
        assert_eq!(other.price(), None);
    }

    #[test]
    fn each_is_what_its_row_says() {
        for known in KNOWN_PROVIDERS {
            let provider = Provider::by_name(known.name).unwrap();
            assert_eq!(provider.name(), known.name);
            assert_eq!(provider.base_url(), known.base_url);
            assert_eq!(provider.model(), known.model);
            assert_eq!(provider.api_key_var(), known.key_var());
            // Each row has a base URL or an example of one.
            let is_any = known.name == "openai_compatible";
            assert_eq!(
                known.base_url.is_empty(),
                is_any || !known.base_url_form.is_empty(),
                "{known:?}"
            );
            assert!(known.source.starts_with("https://"), "{known:?}");
            assert_eq!(known.date.len(), "2026-11-29".len(), "{known:?}");
            let named = KNOWN_PROVIDERS.iter().filter(|row| row.name == known.name);
            assert_eq!(named.count(), 1, "{}", known.name);
        }
        assert!(Provider::by_name("skynet").is_none());
    }

    #[test]
    fn each_can_be_asked() {
        for known in KNOWN_PROVIDERS {
            let mut provider = Provider::by_name(known.name).unwrap();
            if known.base_url.is_empty() {
                provider = provider.with_base_url("https://own.example/v1");
            }
            let endpoint = provider.with_api_key("k-0123456789").endpoint();
            assert!(endpoint.is_ok(), "{}: {endpoint:?}", known.name);
        }
    }

    #[cfg(all(
        feature = "anthropic",
        feature = "gemini",
        feature = "openai-responses"
    ))]
    #[test]
    fn placeholders_are_refused_by_name() {
        let vertex = |project, location| Provider::vertex(project, location, "m");
        let form = |known: &KnownProvider| {
            let provider = Provider::by_name(known.name).unwrap();
            provider.with_base_url(known.base_url_form)
        };
        let mut all = vec![(vertex("", "us"), "PROJECT"), (vertex("p", ""), "LOCATION")];
        let of_users = KNOWN_PROVIDERS
            .iter()
            .filter(|known| !known.base_url_form.is_empty());
        for (known, word) in of_users.zip(["LOCATION", "RESOURCE", "RESOURCE", "REGION"]) {
            all.push((form(known), word));
        }
        assert_eq!(all.len(), 6);
        for (provider, word) in all {
            let error = provider
                .with_api_key("k-0123456789")
                .endpoint()
                .unwrap_err();
            assert_eq!(error.code(), Some("placeholder"), "{error}");
            let what = format!("replace {word} with your own value");
            assert!(error.to_string().contains(&what), "{error}");
        }
        let whole = vertex("p", "us").with_api_key("k-0123456789");
        assert!(whole.endpoint().is_ok());
    }

    #[cfg(all(
        feature = "anthropic",
        feature = "gemini",
        feature = "openai-responses"
    ))]
    #[test]
    fn an_address_that_is_missing_or_incomplete_is_shown_as_it_should_be() {
        for (name, form) in [
            ("bedrock", "https://bedrock-mantle.REGION.api.aws/v1"),
            ("azure", "https://RESOURCE.openai.azure.com/openai/v1"),
            ("vertex", "https://LOCATION-aiplatform.googleapis.com/"),
        ] {
            let error = Provider::by_name(name).unwrap().endpoint().unwrap_err();
            let error = error.to_string();
            assert!(error.contains(name), "{error}");
            assert!(error.contains("Provider::with_base_url"), "{error}");
            assert!(error.contains(form), "{error}");
            assert!(!error.contains("deepseek"), "{error}");
        }
        for (base_url, meant) in [
            ("localhost:11434", "http://localhost:11434"),
            ("127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
            ("llm.example/v1?key=hunter2", "https://llm.example/v1"),
            ("not a url", "one like https://api.deepseek.com/v1"),
            ("no host/v1", "one like https://api.deepseek.com/v1"),
        ] {
            let provider = Provider::openai_compatible(base_url, "m");
            let error = provider.endpoint().unwrap_err().to_string();
            let advice = format!("set LLM_BASE_URL to {meant}");
            assert!(error.contains(&advice), "{base_url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[cfg(feature = "ollama")]
    #[test]
    fn ollamas_own_protocol_is_not_below_v1() {
        for path in ["", "/", "/v1", "/v1/", "/v1/chat/completions"] {
            let base_url = format!("http://127.0.0.1:11434{path}");
            let ollama = Provider::ollama("m").with_base_url(base_url.clone());
            let uri = ollama.endpoint().unwrap().uri("/api/chat").unwrap();
            assert_eq!(uri, "http://127.0.0.1:11434/api/chat", "{path}");
            let chat = Provider::openai_compatible(base_url, "m");
            let is_v1 = chat.endpoint().unwrap().base_path() == "/v1";
            assert_eq!(is_v1, path.starts_with("/v1"), "{path}");
        }
    }

    #[cfg(feature = "openai-responses")]
    #[test]
    fn openais_models_are_known_by_each_of_its_names() {
        for name in ["openai", "openai_chat", "openai_responses"] {
            let provider = Provider::by_name(name).unwrap();
            let rule = provider.model_rule("gpt-99");
            assert_eq!(rule.models, "@openai", "{name}");
        }
    }

    #[test]
    fn no_header_of_the_connection_can_be_set() {
        for name in CONNECTION_HEADERS {
            let error = Provider::demo().with_header(name, "x").unwrap_err();
            assert!(error.to_string().contains("belongs to the connection"));
        }
    }
}

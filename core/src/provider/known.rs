//! The providers that chatcore knows by name, in one table.

use std::borrow::Cow;
use std::sync::Arc;

use http::HeaderMap;

use super::Provider;
use crate::dialect::kit::escape::escape;
use crate::dialect::{
    Anthropic, Dialect, Gemini, OllamaChat, OpenAi, OpenAiChat, Quirks, ReasoningField,
};
use crate::host::DEMO_URL;
use crate::models::ModelRules;

/// A provider that chatcore knows by name: one row of [`KNOWN_PROVIDERS`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct KnownProvider {
    /// Its name, which `LLM_PROVIDER` takes.
    pub name: &'static str,
    /// The variable that its key is read from where `LLM_API_KEY` is not set; `None` where it
    /// demands no key.
    pub key_var: Option<&'static str>,
    /// Its address; empty where it has none of its own.
    pub base_url: &'static str,
    /// The model that is asked where nobody names one; empty where it has none of its own.
    pub model: &'static str,
    /// What is spoken there.
    dialect: fn() -> Arc<dyn Dialect>,
}

/// The providers that `LLM_PROVIDER` names, in the order of the documentation.
pub const KNOWN_PROVIDERS: &[KnownProvider] =
    &[DEEPSEEK, OPENAI, ANTHROPIC, OLLAMA, OPENAI_COMPATIBLE];

const DEEPSEEK: KnownProvider = KnownProvider {
    name: "deepseek",
    key_var: Some("DEEPSEEK_API_KEY"),
    base_url: "https://api.deepseek.com",
    model: "deepseek-flash",
    dialect: || {
        Arc::new(OpenAiChat::new(Quirks {
            reasoning_field: Some(ReasoningField::ReasoningContent),
            ..Quirks::default()
        }))
    },
};

const OPENAI: KnownProvider = KnownProvider {
    name: "openai",
    key_var: Some("OPENAI_API_KEY"),
    base_url: "https://api.openai.com/v1",
    model: "gpt-6-luna",
    dialect: || Arc::new(OpenAi::default()),
};

const ANTHROPIC: KnownProvider = KnownProvider {
    name: "anthropic",
    key_var: Some("ANTHROPIC_API_KEY"),
    base_url: "https://api.anthropic.com",
    model: "claude-haiku-5-5",
    dialect: || Arc::new(Anthropic::default()),
};

const GEMINI: KnownProvider = KnownProvider {
    name: "gemini",
    key_var: Some("GEMINI_API_KEY"),
    base_url: "https://generativelanguage.googleapis.com/v1beta",
    model: "gemini-3.8-flash",
    dialect: || Arc::new(Gemini::default()),
};

const VERTEX: KnownProvider = KnownProvider {
    name: "vertex",
    key_var: Some("CLOUDSDK_AUTH_ACCESS_TOKEN"),
    base_url: "",
    model: "",
    dialect: || Arc::new(Gemini::vertex()),
};

const OLLAMA: KnownProvider = KnownProvider {
    name: "ollama",
    key_var: None,
    base_url: "http://127.0.0.1:11434",
    model: "",
    dialect: || Arc::new(OllamaChat::default()),
};

const OPENAI_COMPATIBLE: KnownProvider = KnownProvider {
    name: "openai_compatible",
    key_var: None,
    base_url: "",
    model: "",
    dialect: || Arc::new(OpenAiChat::new(Quirks::default())),
};

impl Provider {
    /// DeepSeek, the default: `https://api.deepseek.com`, model `deepseek-flash`.
    pub fn deepseek() -> Self {
        Self::known(&DEEPSEEK)
    }

    /// OpenAI: `https://api.openai.com/v1`, model `gpt-6-luna`. A call goes by chat completions, and
    /// by Responses where it needs them: see [`OpenAi`](crate::dialect::OpenAi).
    pub fn openai() -> Self {
        Self::known(&OPENAI)
    }

    /// Anthropic's messages: `https://api.anthropic.com`, model `claude-haiku-5-5`.
    pub fn anthropic() -> Self {
        Self::known(&ANTHROPIC)
    }

    /// Google's Gemini API: `https://generativelanguage.googleapis.com/v1beta`, model
    /// `gemini-3.8-flash`.
    pub fn gemini() -> Self {
        Self::known(&GEMINI)
    }

    /// Gemini models at Vertex AI, in a project and a location such as `us-central1`, `global`, or
    /// one of the multi-regions `us` and `eu`.
    ///
    /// An access token proves who asks. It lives for an hour, so that a program that lives longer
    /// gives a [`TokenSource`](crate::TokenSource) by [`with_credentials`](Self::with_credentials)
    /// in the place of a key.
    ///
    /// ```
    /// use chatcore::{Provider, Token, TokenSource};
    ///
    /// let source = TokenSource::new(|| async { Ok(Token::new("ya29.…")) });
    /// let provider = Provider::vertex("my-project", "global", "gemini-3.8-flash")
    ///     .with_credentials(source);
    /// # let _ = provider;
    /// ```
    pub fn vertex(project: &str, location: &str, model: impl Into<Cow<'static, str>>) -> Self {
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
        Self::known(&VERTEX).with_base_url(base).with_model(model)
    }

    /// Ollama on this machine, by its own protocol: `http://127.0.0.1:11434`. Name a model that
    /// was pulled.
    pub fn ollama(model: impl Into<Cow<'static, str>>) -> Self {
        Self::known(&OLLAMA).with_model(model)
    }

    /// A server at `base_url` that speaks OpenAI's chat completions, such as llama.cpp, vLLM,
    /// LM Studio, Groq, Mistral, OpenRouter or a proxy. Without a key, none is sent.
    pub fn openai_compatible(
        base_url: impl Into<Cow<'static, str>>,
        model: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::known(&OPENAI_COMPATIBLE)
            .with_base_url(base_url)
            .with_model(model)
    }

    /// The offline demo model of the adapters: no key, and nothing leaves the process. It answers
    /// only through their demo transport; every other one refuses its base URL, which is not
    /// `http`, and sends nothing.
    pub fn demo() -> Self {
        Self::new("demo", DEMO_URL, "demo", OpenAiChat::new(Quirks::default()))
    }

    /// The provider that `LLM_PROVIDER` names, with its own defaults: a row of
    /// [`KNOWN_PROVIDERS`]. An `openai_compatible` one has no base URL and no model yet.
    pub fn by_name(name: &str) -> Option<Self> {
        let known = KNOWN_PROVIDERS.iter().find(|known| known.name == name)?;
        Some(Self::known(known))
    }

    fn known(known: &KnownProvider) -> Self {
        let dialect = (known.dialect)();
        // The models of a provider of its own are known under its name.
        let rules = match known.key_var {
            Some(_) => known.name,
            None => dialect.facts().name(),
        };
        Self {
            name: known.name.into(),
            base_url: known.base_url.into(),
            model: known.model.into(),
            key: None,
            key_var: known.key_var,
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
    use crate::config::SETTINGS;
    use crate::dialect::CONNECTION_HEADERS;

    #[test]
    fn each_is_what_its_row_says() {
        for known in KNOWN_PROVIDERS {
            let provider = Provider::by_name(known.name).unwrap();
            assert_eq!(provider.name(), known.name);
            assert_eq!(provider.base_url(), known.base_url);
            assert_eq!(provider.model(), known.model);
            assert_eq!(provider.api_key_var(), known.key_var);
            let is_read = |var| SETTINGS.iter().any(|setting| setting.var == var);
            assert!(known.key_var.is_none_or(is_read), "{known:?}");
        }
        assert!(Provider::by_name("skynet").is_none());
    }

    #[test]
    fn no_header_of_the_connection_can_be_set() {
        for name in CONNECTION_HEADERS {
            let error = Provider::demo().with_header(name, "x").unwrap_err();
            assert!(error.to_string().contains("belongs to the connection"));
        }
    }
}

//! OpenAI's chat completions, and the many servers that call themselves compatible with it.

mod quirks;

pub use quirks::{MaxTokensField, Quirks, ReasoningField};

/// OpenAI's chat completions: `POST {base}/chat/completions`.
#[derive(Clone, Debug, Default)]
pub struct OpenAiChat {
    quirks: Quirks,
}

impl OpenAiChat {
    /// The dialect as a server with these quirks speaks it.
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }
}

impl super::Dialect for OpenAiChat {
    fn name(&self) -> &'static str {
        "openai_chat"
    }

    fn headers(&self, _provider: &crate::Provider) -> Result<http::HeaderMap, crate::Error> {
        Err(crate::Error::config("not there yet"))
    }

    fn encode(
        &self,
        _endpoint: &super::Endpoint,
        _request: &crate::ChatRequest,
        _mode: super::Mode,
    ) -> Result<http::Request<bytes::Bytes>, crate::Error> {
        Err(crate::Error::config("not there yet"))
    }

    fn decoder(
        &self,
        _head: &http::response::Parts,
        _mode: super::Mode,
        _caps: super::Caps,
    ) -> Box<dyn super::Decoder> {
        todo!()
    }

    fn limits(&self, _headers: &http::HeaderMap) -> super::LimitHints {
        super::LimitHints::default()
    }
}

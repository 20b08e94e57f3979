//! OpenAI, by whichever of its two dialects a call needs.

mod need;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::kit::response_headers;
use super::openai_chat::{API_KEY, limits};
use super::{
    Caps, Decoder, Dialect, EmbedDialect, Endpoint, Facts, JsonOutput, KeyHeader, LimitHints,
    MaxTokensField, Mode, ModelsDialect, OpenAiChat, OpenAiResponses, Quirks,
};
use crate::chat::ChatRequest;
use crate::error::Error;

static FACTS: Facts =
    Facts::new("openai").with_response_headers(response_headers::OPENAI.as_flattened());

static AZURE: Facts = Facts::new("openai")
    .with_response_headers(response_headers::OPENAI.as_flattened())
    .with_key_header(KeyHeader::new(&API_KEY, ""));

/// OpenAI, by [chat completions](OpenAiChat), or by [Responses](OpenAiResponses) if the call needs
/// them. A call needs Responses in each of these cases:
///
/// - it has tools and the model reasons, because chat completions refuse tools then;
/// - it sets `previous_response_id`, `conversation`, `include` or another field that only Responses
///   have, with [`extra`](ChatRequest::extra) (`store` does not count, because both have it);
/// - its conversation has content that came from Responses. This does not count if the call sets
///   `stop`, `seed` or another field that only chat completions have, or has audio in it.
///
/// If the chosen dialect cannot express a field of the call, the call is refused before anything is
/// sent. For example, `stop` together with tools and reasoning is an error.
///
/// ```
/// use chatcore::Provider;
/// use chatcore::dialect::OpenAiResponses;
///
/// let either = Provider::openai();
/// let responses_always = Provider::openai().with_dialect(OpenAiResponses::default());
/// # let _ = (either, responses_always);
/// ```
#[derive(Clone, Debug)]
pub struct OpenAi {
    chat: OpenAiChat,
    responses: Arc<dyn Dialect>,
    /// Whether the key is sent in the header `api-key`.
    is_azure: bool,
}

impl OpenAi {
    /// The dialect of Azure's `/openai/v1`. It differs only in the header for the key, `api-key`.
    pub fn azure() -> Self {
        Self {
            is_azure: true,
            ..Self::default()
        }
    }
}

impl Default for OpenAi {
    fn default() -> Self {
        Self {
            chat: OpenAiChat::new(Quirks {
                max_tokens_field: MaxTokensField::MaxCompletionTokens,
                json_output: JsonOutput::Strict,
                ..Quirks::default()
            }),
            responses: Arc::new(OpenAiResponses::default()),
            is_azure: false,
        }
    }
}

impl Dialect for OpenAi {
    fn facts(&self) -> &'static Facts {
        match self.is_azure {
            true => &AZURE,
            false => &FACTS,
        }
    }

    fn variant(&self, endpoint: &Endpoint, request: &ChatRequest) -> Option<Arc<dyn Dialect>> {
        let rule = endpoint.model_rule(request.model.as_deref());
        need::of_responses(request, rule).then(|| Arc::clone(&self.responses))
    }

    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<Request<Bytes>, Error> {
        match self.variant(endpoint, request) {
            Some(dialect) => dialect.encode(endpoint, request, mode),
            None => self.chat.encode(endpoint, request, mode),
        }
    }

    fn decoder(&self, head: &http::response::Parts, mode: Mode, caps: Caps) -> Box<dyn Decoder> {
        self.chat.decoder(head, mode, caps)
    }

    fn embeddings(&self) -> Option<&dyn EmbedDialect> {
        self.chat.embeddings()
    }

    fn models(&self) -> Option<&dyn ModelsDialect> {
        self.chat.models()
    }

    #[cfg(feature = "provider-batches")]
    fn batches(&self) -> Option<&dyn super::batches::BatchDialect> {
        Some(&super::batches::OpenAiBatches)
    }

    fn json_output(&self, _: &Endpoint, _: &ChatRequest) -> JsonOutput {
        JsonOutput::Strict
    }

    fn limits(&self, headers: &HeaderMap) -> LimitHints {
        limits(headers)
    }
}

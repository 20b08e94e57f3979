//! OpenAI's Responses.

mod call;
mod decode;
mod encode;
mod input;
mod item;
mod items;
mod media;
mod merge;
mod open;
mod print;
mod slot;
#[cfg(test)]
mod tests;
mod usage;
mod wire;
mod writing;

use bytes::Bytes;
use http::{HeaderMap, Request};

#[cfg(feature = "provider-batches")]
use super::batches::{BatchDialect, OpenAiBatches};
use super::kit::decoder::AnswerDecoder;
use super::kit::ids::with_ids;
use super::kit::response_headers;
use super::openai_chat::{OpenAiEmbeddings, OpenAiModels, limits};
use super::{
    Caps, Decoder, Dialect, EmbedDialect, Endpoint, Facts, JsonOutput, LimitHints, Mode,
    ModelsDialect,
};
use crate::chat::ChatRequest;
use crate::error::Error;
use crate::models::ModelRule;
use decode::Events;

pub(super) static FACTS: Facts =
    Facts::new("openai_responses").with_response_headers(response_headers::OPENAI.as_flattened());

pub(super) const DIALECT: &str = FACTS.name();

/// The member of a part's own fields that holds its item.
const ITEM: &str = "item";

/// The member of a part's own fields that shows whether its text was edited.
const FINGERPRINT: &str = "fingerprint";

/// OpenAI's Responses (`POST {base}/responses`), with the embeddings and the list of models of
/// [`OpenAiChat`](super::OpenAiChat). DeepSeek, OpenRouter, xAI, Azure, Bedrock, vLLM, LM Studio,
/// Ollama and llama.cpp have this API too.
///
/// - **Nothing is stored at the server**: `store` is false, and the reasoning is sent encrypted
///   (`include: ["reasoning.encrypted_content"]`), so that it can be sent back with the
///   conversation. To change this, set `store`, `previous_response_id`, `conversation` or `include`
///   with [`extra`](crate::ChatRequest::extra).
/// - **Items** of an answer (messages, reasoning, calls, calls of built-in tools) are sent back as
///   they came. What a part has no field for is kept in its `extra`, under `openai_responses`. An
///   item of any other type is a [`Part::Other`](crate::Part::Other). An edited text is sent
///   without the ids and annotations of the received one. Reasoning of other dialects is left out.
/// - **`stop` and `seed`** are refused before anything is sent, because Responses have neither. A
///   message's `name` is left out, and audio cannot be sent.
/// - **Tools** that are functions are not `strict` unless they say so, as in chat completions. A
///   custom tool is one whose `extra` has `{"openai_responses": {"type": "custom"}}`; its calls
///   have plain text as input.
/// - **Extra fields of chat completions** are converted: `reasoning_effort` to `reasoning.effort`,
///   `response_format` to `text.format`, `verbosity` to `text.verbosity`, the token limit to
///   `max_output_tokens`, and `tools` and `tool_choice` to their form without the inner object.
///
/// ```
/// use chatcore::{Provider, dialect::OpenAiResponses};
///
/// let local = Provider::new("local", "http://127.0.0.1:8080/v1", "tiny", OpenAiResponses::default());
/// # let _ = local;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OpenAiResponses {}

impl Dialect for OpenAiResponses {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<Request<Bytes>, Error> {
        let request = &*with_ids(request);
        let model = request.model.as_deref().unwrap_or(endpoint.model());
        let rule = endpoint.model_rule(request.model.as_deref());
        endpoint.post("/responses", encode::body(rule, model, request, mode)?)
    }

    fn decoder(&self, head: &http::response::Parts, _: Mode, caps: Caps) -> Box<dyn Decoder> {
        Box::new(AnswerDecoder::new(head, caps, Events::default()))
    }

    fn embeddings(&self) -> Option<&dyn EmbedDialect> {
        Some(&OpenAiEmbeddings)
    }

    fn models(&self) -> Option<&dyn ModelsDialect> {
        Some(&OpenAiModels)
    }

    #[cfg(feature = "provider-batches")]
    fn batches(&self) -> Option<&dyn BatchDialect> {
        Some(&OpenAiBatches)
    }

    fn limits(&self, headers: &HeaderMap) -> LimitHints {
        limits(headers)
    }

    fn json_output(&self, _: &Endpoint, _: &ChatRequest) -> JsonOutput {
        JsonOutput::Strict
    }

    fn reasoning_off<'a>(&self, _: &'a ModelRule) -> &'a str {
        r#""reasoning":{"effort":"none"}"#
    }
}

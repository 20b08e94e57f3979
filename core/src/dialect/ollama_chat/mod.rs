//! Ollama's native chat API: `POST {base}/api/chat`.
//!
//! This folder is written like a crate outside of chatcore: it uses only public items, under the
//! name `chatcore`. The tests compile the same files as such a crate.

mod decode;
mod embed;
mod encode;
mod models;
mod wire;

use bytes::Bytes;
use chatcore::dialect::kit::{AnswerDecoder, JsonValues};
use chatcore::dialect::{
    Caps, Decoder, Dialect, EmbedDialect, Endpoint, Facts, JsonOutput, Mode, ModelsDialect,
};
use chatcore::{ChatRequest, Error, ModelRule};
use http::Request;

use decode::Answer;

const NAME: &str = "ollama_chat";

pub(crate) static FACTS: Facts = Facts::new(NAME).with_options_member(encode::OPTIONS);

/// Ollama's native API: chats (`POST {base}/api/chat`, with answers as lines of JSON), embeddings
/// (`POST {base}/api/embed`) and the installed models (`GET {base}/api/tags`).
///
/// The differences from OpenAI's chat completions, which Ollama also has below `/v1`:
///
/// - **`max_tokens`, `temperature`, `top_p`, `seed` and `stop`** are members of `options`. Other
///   options are the members of the extra field `options`, for example `num_ctx`.
/// - **`reasoning_effort`** is `think`. `none` turns reasoning off, `minimal` is sent as `low`,
///   `xhigh` and `max` as `high`. Models without levels take any of them as "on".
/// - **Images** are sent in base64, because Ollama fetches no URLs.
/// - **A tool cannot be required**: `tool_choice` is `auto`, or `none`, which leaves the tools out.
/// - **A tool's result** is sent with the tool's name, which is taken from the call that the result
///   belongs to.
///
/// ```
/// use chatcore::{Provider, dialect::OllamaChat};
///
/// let local = Provider::new("ollama", "http://127.0.0.1:11434", "qwen3:4b", OllamaChat::default());
/// # let _ = local;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OllamaChat {}

impl Dialect for OllamaChat {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<Request<Bytes>, Error> {
        let model = request.model.as_deref().unwrap_or(endpoint.model());
        endpoint.post("/api/chat", encode::body(model, request, mode)?)
    }

    fn decoder(&self, head: &http::response::Parts, _: Mode, caps: Caps) -> Box<dyn Decoder> {
        let decoder = AnswerDecoder::new(head, caps, Answer::default());
        Box::new(decoder.framing(JsonValues::new(caps.event)))
    }

    fn json_output(&self, _: &Endpoint, _: &ChatRequest) -> JsonOutput {
        JsonOutput::Grammar
    }

    fn reasoning_off<'a>(&self, _: &'a ModelRule) -> &'a str {
        r#""think":false"#
    }

    fn embeddings(&self) -> Option<&dyn EmbedDialect> {
        Some(&embed::OllamaEmbeddings)
    }

    fn models(&self) -> Option<&dyn ModelsDialect> {
        Some(&models::OllamaModels)
    }
}

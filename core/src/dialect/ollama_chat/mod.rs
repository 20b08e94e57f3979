//! Ollama's own chat: `POST {base}/api/chat`.
//!
//! This folder is written as a crate outside of chatcore would write it: it uses public items only,
//! by the name `chatcore`. The tests compile the same files as such a crate.

mod decode;
mod embed;
mod encode;
mod models;
mod wire;

use bytes::Bytes;
use chatcore::dialect::kit::{AnswerDecoder, JsonValues};
use chatcore::dialect::{
    Caps, Decoder, Dialect, EmbedDialect, Endpoint, Facts, Mode, ModelsDialect,
};
use chatcore::{ChatRequest, Error, ModelRule};
use http::Request;

use decode::Answer;

const NAME: &str = "ollama_chat";

pub(crate) static FACTS: Facts = Facts::new(NAME).with_options_member(encode::OPTIONS);

/// Ollama's own chat: `POST {base}/api/chat`, with answers as lines of JSON; and its embeddings,
/// `POST {base}/api/embed`, and the models that it has, `GET {base}/api/tags`.
///
/// What differs from OpenAI's chat completions, which Ollama also speaks below `/v1`:
///
/// - **`max_tokens`, `temperature`, `top_p`, `seed` and `stop`** go into `options`. Other options
///   are the members of the extra field `options`, for example `num_ctx`.
/// - **`reasoning_effort`** is `think`: `none` turns it off; `minimal` goes as `low`, `xhigh` and
///   `max` as `high`. Models without levels take any of them for "on".
/// - **Images** are sent in base64; Ollama fetches none from a URL.
/// - **A tool cannot be demanded**: `tool_choice` is `auto`, or `none`, which leaves the tools out.
/// - **A result of a tool** carries the tool's name, which is taken from the call it answers.
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

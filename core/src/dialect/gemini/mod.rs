//! Google's generateContent, in the Gemini API and on Vertex AI.

mod args;
#[cfg(feature = "provider-batches")]
mod batches;
mod calls;
mod contents;
mod decode;
mod embed;
mod embed_vertex;
mod encode;
mod media;
mod models;
mod parts;
mod path;
#[cfg(test)]
mod tests;
mod thinking;
mod usage;
mod wire;

use bytes::Bytes;
use http::{HeaderName, Request};
use serde_json::Value;

use super::kit::decoder::AnswerDecoder;
use super::kit::escape::escape;
use super::kit::model_name;
use super::{
    Caps, Decoder, Dialect, EmbedDialect, Endpoint, Facts, JsonOutput, KeyHeader, Mode,
    ModelsDialect,
};
use crate::chat::{ChatRequest, Part};
use crate::error::Error;
use crate::models::ModelRule;
use decode::Chunks;

/// The facts for Vertex AI, where the key is a Bearer token.
static VERTEX_FACTS: Facts = Facts::new("gemini").with_options_member(encode::CONFIG);

pub(super) static FACTS: Facts = VERTEX_FACTS.with_key_header(KeyHeader::new(&KEY_HEADER, ""));

static KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// The dialect's name. Its own data is stored in `extra` fields under this name.
const NAME: &str = FACTS.name();

/// Google's generateContent: `POST {base}/models/{model}:generateContent`, and
/// `:streamGenerateContent?alt=sse` for streams. Also embeddings: `:batchEmbedContents` or, on
/// Vertex AI, `:predict` or `:embedContent`. The Gemini API also has a list of models
/// (`GET {base}/models`).
///
/// The base URL ends in the API's version (`https://generativelanguage.googleapis.com/v1beta`). If
/// the base URL has no path, `/v1beta` is added. The differences from other dialects:
///
/// - **Thought signatures** are kept with the part that they came with, in its
///   `extra["gemini"]["thoughtSignature"]`, and are sent back with that part. A signature without
///   text is a [`Reasoning`](crate::chat::Reasoning) without text. A conversation that began in
///   another dialect has no signatures: for models that require one, the first call of a message
///   gets the placeholder that Google's documentation names.
/// - **`reasoning_effort`** is a level or, for models up to 2.5, a budget of tokens, according to
///   the table [`MODEL_RULES`](crate::MODEL_RULES). The budget is 512 (`minimal`), 1,024 (`low`),
///   8,192 (`medium`) or 24,576 (`high` and more), and at most four fifths of `max_tokens`. A
///   `max_tokens` below 640 is refused, because not every model accepts a budget of less than 512.
///   The effort also asks for summaries of the thoughts. Reasoning of other dialects is left out.
/// - **Extra fields** of a request replace the dialect's fields of the same name, with two
///   exceptions: the members of `generationConfig` are merged with chatcore's, and the list `tools`
///   (`[{"googleSearch": {}}]`) is added to the functions.
/// - **A tool's result** is sent with the tool's name, which is taken from the call that the result
///   belongs to. A JSON object is sent as it is; any other text as `output` or `error`.
/// - **Images and files by URL** are sent as `fileData`. The Gemini API accepts its own files, and
///   URLs that it can fetch.
/// - **Messages** of the same side in a row are sent as one content.
/// - **A blocked prompt** finishes with [`ContentFilter`](crate::FinishReason::ContentFilter) and
///   the provider's word for the reason.
///
/// ```
/// use chatcore::{Provider, dialect::Gemini};
///
/// let base = "https://generativelanguage.googleapis.com/v1beta";
/// let gemini = Provider::new("gemini", base, "gemini-3.8-flash", Gemini::default());
/// # let _ = gemini;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Gemini {
    /// Whether the dialect is for Vertex AI, where the key is a Bearer token, embeddings have
    /// another form, and there is no list of models. Default false.
    pub vertex: bool,
}

impl Gemini {
    /// The dialect of Vertex AI.
    pub fn vertex() -> Self {
        Self { vertex: true }
    }
}

impl Dialect for Gemini {
    fn facts(&self) -> &'static Facts {
        match self.vertex {
            true => &VERTEX_FACTS,
            false => &FACTS,
        }
    }

    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<Request<Bytes>, Error> {
        let model = request.model.as_deref().unwrap_or(endpoint.model());
        let rule = endpoint.model_rule(request.model.as_deref());
        let method = match mode {
            Mode::Whole => ":generateContent",
            Mode::Stream => ":streamGenerateContent?alt=sse",
        };
        let path = model_path(endpoint, model, method)?;
        endpoint.post(&path, encode::body(rule, request)?)
    }

    fn decoder(&self, head: &http::response::Parts, _: Mode, caps: Caps) -> Box<dyn Decoder> {
        Box::new(AnswerDecoder::new(head, caps, Chunks::default()))
    }

    fn json_output(&self, _: &Endpoint, _: &ChatRequest) -> JsonOutput {
        JsonOutput::Gemini
    }

    fn reasoning_off<'a>(&self, _: &'a ModelRule) -> &'a str {
        r#""thinkingConfig":{"thinkingBudget":0}"#
    }

    fn embeddings(&self) -> Option<&dyn EmbedDialect> {
        Some(match self.vertex {
            true => &embed_vertex::VertexEmbeddings,
            false => &embed::GeminiEmbeddings,
        })
    }

    fn models(&self) -> Option<&dyn ModelsDialect> {
        match self.vertex {
            true => None,
            false => Some(&models::GeminiModels),
        }
    }

    #[cfg(feature = "provider-batches")]
    fn batches(&self) -> Option<&dyn super::batches::BatchDialect> {
        match self.vertex {
            true => None,
            false => Some(&batches::GeminiBatches),
        }
    }
}

/// The path of a model's method below the base URL. The model's name may begin with its collection,
/// as in the list of models: `models/gemini-3.8-flash`.
fn model_path(endpoint: &Endpoint, model: &str, method: &str) -> Result<String, Error> {
    let (collection, name) = split_model(model);
    model_name::check_segment(name)?;
    let mut path = [version(endpoint), "/", collection, "/"].concat();
    escape(&mut path, name);
    path.push_str(method);
    Ok(path)
}

/// The collection of a model, and the model's name in it.
fn split_model(model: &str) -> (&'static str, &str) {
    for collection in ["models", "tunedModels"] {
        let name = model.strip_prefix(collection);
        if let Some(name) = name.and_then(|name| name.strip_prefix('/')) {
            return (collection, name);
        }
    }
    ("models", model)
}

/// The API's version to add to the path, if the base URL has no path.
fn version(endpoint: &Endpoint) -> &'static str {
    match endpoint.base_path() {
        "" => "/v1beta",
        _ => "",
    }
}

/// The part for a block of any other type.
fn other(value: Value) -> Part {
    Part::Other {
        dialect: Some(NAME.to_owned()),
        value,
    }
}

//! Google's generateContent, at the Gemini API and at Vertex AI.

mod args;
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
use http::Request;
use serde_json::Value;

use super::kit::decoder::AnswerDecoder;
use super::kit::escape::escape;
use super::kit::model_name;
use super::{
    Caps, Decoder, Dialect, EmbedDialect, Endpoint, Facts, KeyHeader, Mode, ModelsDialect,
};
use crate::chat::{ChatRequest, Part};
use crate::error::Error;
use crate::models::ModelRule;
use decode::Chunks;

/// Those at Vertex AI, where a key is a Bearer token.
const VERTEX_FACTS: Facts = Facts::new("gemini").with_options_member(encode::CONFIG);

pub(super) const FACTS: Facts = VERTEX_FACTS.with_key_header(KeyHeader::new("x-goog-api-key", ""));

/// The dialect's name, below which its own data stands in `extra` fields.
const NAME: &str = FACTS.name();

/// Google's generateContent: `POST {base}/models/{model}:generateContent`, and
/// `:streamGenerateContent?alt=sse` for streams; and its embeddings, `:batchEmbedContents`, at Vertex
/// AI `:predict` or `:embedContent`. At the Gemini API, also its list of models, `GET
/// {base}/models`.
///
/// The base URL ends in the API's version (`https://generativelanguage.googleapis.com/v1beta`);
/// below a base URL without a path, that is `/v1beta`. What differs from other dialects:
///
/// - **Thought signatures** stay with the part that they came with, in its
///   `extra["gemini"]["thoughtSignature"]`, and go back in its place. A signature without a text is
///   a [`Reasoning`](crate::chat::Reasoning) without one. A conversation that was begun with
///   another dialect has none: for models that demand one, the first call of a message gets the
///   word that Google's documentation names for that.
/// - **`reasoning_effort`** is a level, or for models up to 2.5 a budget of tokens, by the table
///   [`MODEL_RULES`](crate::MODEL_RULES); 512 (`minimal`), 1,024 (`low`), 8,192 (`medium`) or
///   24,576 (`high` and more), and at most four fifths of `max_tokens`; a `max_tokens` below 640 is
///   refused, because no model is sure to take a budget of less than 512. It asks for summaries of
///   the thoughts as well. Reasoning of other dialects is left out.
/// - **Extra fields** of a request replace those of the same name, but for two: the members of
///   `generationConfig` are merged with chatcore's, and the list `tools` (`[{"googleSearch": {}}]`)
///   stands beside the functions.
/// - **A result of a tool** carries the tool's name, which is taken from the call it answers. A
///   JSON object goes as it is; another text as `output`, or `error`.
/// - **Images and files by URL** go as `fileData`: the Gemini API takes its own files, and URLs
///   that it can fetch.
/// - **Messages** of one side that follow each other go as one.
/// - **A prompt that was blocked** finishes with
///   [`ContentFilter`](crate::FinishReason::ContentFilter), and the provider's reason as its word.
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
    /// Whether it is spoken at Vertex AI, where a key is a Bearer token, embeddings have another
    /// form, and there is no list of models. Default false.
    pub vertex: bool,
}

impl Gemini {
    /// The dialect as it is spoken at Vertex AI.
    pub fn vertex() -> Self {
        Self { vertex: true }
    }
}

impl Dialect for Gemini {
    fn facts(&self) -> &'static Facts {
        static GEMINI: Facts = FACTS;
        static VERTEX: Facts = VERTEX_FACTS;
        match self.vertex {
            true => &VERTEX,
            false => &GEMINI,
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
}

/// The path of a method of a model below the base URL. A model's name may begin with the
/// collection that it is in, as the list of models writes it: `models/gemini-3.8-flash`.
fn model_path(endpoint: &Endpoint, model: &str, method: &str) -> Result<String, Error> {
    let (collection, name) = split_model(model);
    model_name::check_segment(name)?;
    let mut path = [version(endpoint), "/", collection, "/"].concat();
    escape(&mut path, name);
    path.push_str(method);
    Ok(path)
}

/// The collection that a model is in, and its name there.
fn split_model(model: &str) -> (&'static str, &str) {
    for collection in ["models", "tunedModels"] {
        let name = model.strip_prefix(collection);
        if let Some(name) = name.and_then(|name| name.strip_prefix('/')) {
            return (collection, name);
        }
    }
    ("models", model)
}

/// The API's version, where the base URL does not end in one.
fn version(endpoint: &Endpoint) -> &'static str {
    match endpoint.base_path() {
        "" => "/v1beta",
        _ => "",
    }
}

/// A part that has no name here.
fn other(value: Value) -> Part {
    Part::Other {
        dialect: Some(NAME.to_owned()),
        value,
    }
}

//! What a dialect may have beside chats: embeddings and the list of models.

use std::fmt::Debug;

use bytes::Bytes;
use http::Request;

use super::Endpoint;
use crate::catalogue::ModelInfo;
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::Error;

/// How a dialect asks for embeddings. A [`Dialect`](super::Dialect) gives it out by
/// [`embeddings`](super::Dialect::embeddings).
pub trait EmbedDialect: Debug + Send + Sync {
    /// How much one request may hold. What is more is sent in several requests.
    fn limits(&self) -> EmbedLimits;

    /// Writes one request. It has at least one text, and no empty one.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what cannot be said in this
    /// protocol.
    fn encode(&self, endpoint: &Endpoint, request: &EmbedRequest) -> Result<Request<Bytes>, Error>;

    /// Reads the answer to a request with so many texts: the vectors in the order of the texts, an
    /// empty one where one is missing, the model and the usage. What else is in [`Embeddings`] is
    /// filled in by the caller, which also checks the number of the vectors.
    ///
    /// # Errors
    /// What is wrong with the answer. An error that the provider reports in it is found by the
    /// caller, where this function finds no embeddings.
    fn decode(&self, body: &str, inputs: usize) -> Result<Embeddings, Error>;
}

/// How much one request for embeddings may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbedLimits {
    /// How many texts.
    pub inputs: usize,
    /// How many tokens all texts together. `None` for no limit.
    pub tokens: Option<u64>,
}

impl EmbedLimits {
    /// So many texts in a request, however long they are.
    pub const fn new(inputs: usize) -> Self {
        Self {
            inputs,
            tokens: None,
        }
    }

    /// Sets how many tokens all texts of a request may have together.
    #[must_use]
    pub const fn with_tokens(self, tokens: u64) -> Self {
        Self {
            tokens: Some(tokens),
            ..self
        }
    }
}

/// How a dialect asks which models there are. A [`Dialect`](super::Dialect) gives it out by
/// [`models`](super::Dialect::models).
pub trait ModelsDialect: Debug + Send + Sync {
    /// Writes the request for the first page, or for the one that follows the page with this
    /// [`next`](ModelPage::next).
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what cannot be said in this
    /// protocol.
    fn encode(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error>;

    /// Reads one page.
    ///
    /// # Errors
    /// What is wrong with the answer. An error that the provider reports in it is found by the
    /// caller, where this function finds no list.
    fn decode(&self, body: &str) -> Result<ModelPage, Error>;
}

/// One page of a list of models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelPage {
    /// The models of the page.
    pub models: Vec<ModelInfo>,
    /// What asks for the next page; `None` on the last one.
    pub next: Option<String>,
}

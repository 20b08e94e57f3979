//! The optional jobs of a dialect: embeddings and the list of models.

use std::fmt::Debug;

use bytes::Bytes;
use http::Request;

use super::Endpoint;
use crate::catalogue::ModelInfo;
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::Error;

/// How a dialect requests embeddings. A [`Dialect`](super::Dialect) returns it from
/// [`embeddings`](super::Dialect::embeddings).
pub trait EmbedDialect: Debug + Send + Sync {
    /// How much one request may hold. Larger jobs are split into several requests.
    fn limits(&self) -> EmbedLimits;

    /// Writes one request. It has at least one text, and none of its texts is empty.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what this protocol cannot express.
    fn encode(&self, endpoint: &Endpoint, request: &EmbedRequest) -> Result<Request<Bytes>, Error>;

    /// Reads the response to a request with `inputs` texts: the vectors in the order of the texts
    /// (empty for a text without one), the model and the usage. The caller fills in the other
    /// fields of [`Embeddings`], and checks the number of vectors.
    ///
    /// # Errors
    /// What is wrong with the response. If this function finds no embeddings, the caller looks for
    /// an error that the provider reports in the response.
    fn decode(&self, body: &str, inputs: usize) -> Result<Embeddings, Error>;
}

/// How much one request for embeddings may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbedLimits {
    /// The most texts.
    pub inputs: usize,
    /// The most tokens of all texts together. `None` for no limit.
    pub tokens: Option<u64>,
}

impl EmbedLimits {
    /// At most `inputs` texts in a request, however long they are.
    pub const fn new(inputs: usize) -> Self {
        Self {
            inputs,
            tokens: None,
        }
    }

    /// Sets the most tokens of all texts in a request.
    #[must_use]
    pub const fn with_tokens(self, tokens: u64) -> Self {
        Self {
            tokens: Some(tokens),
            ..self
        }
    }
}

/// How a dialect requests the list of models. A [`Dialect`](super::Dialect) returns it from
/// [`models`](super::Dialect::models).
pub trait ModelsDialect: Debug + Send + Sync {
    /// Writes the request for the first page, or for the page that follows the one with this
    /// [`next`](ModelPage::next).
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what this protocol cannot express.
    fn encode(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error>;

    /// Reads one page.
    ///
    /// # Errors
    /// What is wrong with the response. If this function finds no list, the caller looks for an
    /// error that the provider reports in the response.
    fn decode(&self, body: &str) -> Result<ModelPage, Error>;
}

/// One page of a list of models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelPage {
    /// The models of the page.
    pub models: Vec<ModelInfo>,
    /// The token that requests the next page. `None` on the last page.
    pub next: Option<String>,
}

//! Embeddings: texts → vectors.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::{Extra, Usage};

/// A request for embeddings: one vector for each text.
///
/// A field that is `None` is not sent, so the provider's own default applies.
///
/// ```
/// use chatcore::EmbedRequest;
///
/// let request = EmbedRequest::new(["a cat", "a dog"]).model("text-embedding-3-small");
/// assert_eq!(request.inputs.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EmbedRequest {
    /// The model. `None` means the provider's default model, which must support embeddings.
    pub model: Option<String>,
    /// The texts. If there are more than the provider accepts in one request, they are split over
    /// several requests, and the vectors are joined in the order of the texts.
    pub inputs: Vec<String>,
    /// The length of each vector, for models that can return shorter vectors.
    pub dimensions: Option<u32>,
    /// Provider-specific fields that chatcore has no setter for. They are sent unchanged, and
    /// replace a field of the same name. `input` is not allowed.
    pub extra: Extra,
}

impl EmbedRequest {
    /// Creates a request for a vector for each of `inputs`.
    pub fn new<S: Into<String>>(inputs: impl IntoIterator<Item = S>) -> Self {
        Self {
            inputs: inputs.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Sets the model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets the length of each vector.
    #[must_use]
    pub fn dimensions(mut self, dimensions: u32) -> Self {
        self.dimensions = Some(dimensions);
        self
    }

    /// Adds a provider-specific field, which is sent unchanged.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }
}

/// The vectors of an [`EmbedRequest`], in the order of its texts.
///
/// ```
/// # #[cfg(feature = "jobs")]
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let embeddings = client.embed(["a cat", "a dog"]).model("text-embedding-3-small").await?;
/// let [cat, dog] = &embeddings.vectors[..] else { unreachable!("a vector for each text") };
/// let closeness: f32 = cat.iter().zip(dog).map(|(a, b)| a * b).sum();
/// println!("{closeness}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Embeddings {
    /// A vector for each text.
    pub vectors: Vec<Vec<f32>>,
    /// The model that answered; empty if the provider did not report it.
    pub model: String,
    /// The usage of all requests together; `None` if the provider did not report it. The provider's
    /// own usage object is kept only if there was a single request.
    pub usage: Option<Usage>,
    /// The provider's id of the last request, from the response's headers.
    pub request_id: Option<String>,
    /// How many requests were sent in all, including failed ones that were retried.
    pub attempts: u32,
}

impl fmt::Debug for Embeddings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The vectors are left out, because thousands of numbers would hide the rest.
        f.debug_struct("Embeddings")
            .field("vectors", &self.vectors.len())
            .field("dimensions", &self.vectors.first().map_or(0, Vec::len))
            .field("model", &self.model)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

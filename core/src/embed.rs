//! Embeddings: texts → vectors.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::{Extra, Usage};

/// What is asked of an embedding model: a vector for each text.
///
/// A field that is `None` is not sent: the provider's own default holds.
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
    /// The model. `None` asks for the provider's model, which must be one that embeds.
    pub model: Option<String>,
    /// The texts. There may be more than the provider takes in one request: they are sent in
    /// several, and the vectors are joined in the order of the texts.
    pub inputs: Vec<String>,
    /// How many numbers each vector should have, for models that can shorten theirs.
    pub dimensions: Option<u32>,
    /// Fields for the provider that chatcore has no name for, sent as they are. They replace a
    /// field of the same name; `input` cannot be one of them.
    pub extra: Extra,
}

impl EmbedRequest {
    /// Asks for a vector for each of `inputs`.
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

    /// Sets how many numbers each vector should have.
    #[must_use]
    pub fn dimensions(mut self, dimensions: u32) -> Self {
        self.dimensions = Some(dimensions);
        self
    }

    /// Adds a field for the provider, sent as it is.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }
}

/// The vectors of an [`EmbedRequest`], in the order of its texts.
///
/// ```
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
    /// The model that answered; empty where the provider did not say.
    pub model: String,
    /// What it cost over all requests; `None` where the provider did not say. The provider's own
    /// object is there if it was one request.
    pub usage: Option<Usage>,
    /// The provider's id of the last request, from the response's headers.
    pub request_id: Option<String>,
    /// How many requests were sent in all, those that failed and were sent again included.
    pub attempts: u32,
}

impl fmt::Debug for Embeddings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Thousands of numbers would hide the rest.
        f.debug_struct("Embeddings")
            .field("vectors", &self.vectors.len())
            .field("dimensions", &self.vectors.first().map_or(0, Vec::len))
            .field("model", &self.model)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

//! The list of models that a provider offers.

use serde::{Deserialize, Serialize};

use crate::chat::Extra;

/// A model that a provider offers.
///
/// ```
/// # #[cfg(feature = "jobs")]
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let models = client.models().await?;
/// for model in models.iter().filter(|model| model.context_tokens >= Some(100_000)) {
///     println!("{}", model.id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// The model's name in requests.
    pub id: String,
    /// The model's owner; `None` if the provider does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The size of the context window, in tokens of prompt and answer, if the provider reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// When the model shuts down, in the provider's own form (`2027-01-14`), if the provider
    /// reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shutdown_date: Option<String>,
    /// Other fields that the provider reports.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

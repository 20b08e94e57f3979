//! Which models a provider offers.

use serde::{Deserialize, Serialize};

use crate::chat::Extra;

/// A model that a provider offers.
///
/// ```
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
    /// The name to ask it by.
    pub id: String,
    /// Who made it; `None` where the provider does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How many tokens of prompt and answer fit in it, where the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// When it shuts down, as the provider writes it (`2027-01-14`), where the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shutdown_date: Option<String>,
    /// What else the provider says of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

//! What a client does other than chats.

use std::sync::Arc;

use super::{EmbedCall, LlmClient};
use crate::catalogue::ModelInfo;
use crate::embed::EmbedRequest;
use crate::error::Error;
use crate::pipeline::JobCall;

impl LlmClient {
    /// Requests an embedding of each text: a vector that represents its meaning. The default model
    /// is the provider's; the model used must support embeddings.
    ///
    /// The returned [`EmbedCall`] has setters; await it for the result. Nothing is sent until then.
    pub fn embed<S: Into<String>>(&self, inputs: impl IntoIterator<Item = S>) -> EmbedCall {
        self.embed_request(EmbedRequest::new(inputs))
    }

    /// Sends `request` as [`embed`](Self::embed) does.
    pub fn embed_request(&self, request: EmbedRequest) -> EmbedCall {
        let call = JobCall::new(request, self.rules());
        EmbedCall::new(Arc::clone(&self.inner.backend), call)
    }

    /// Lists the models that the provider offers, from all pages of its list. The client's time
    /// limits and retries apply. An explicit overall time limit covers all pages together.
    ///
    /// ```
    /// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// for model in client.models().await? {
    ///     println!("{} {:?}", model.id, model.context_tokens);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the dialect or the backend cannot list
    /// models; otherwise the same errors as a chat.
    ///
    /// Cancel-safe: dropping the future ends the call.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, Error> {
        let call = JobCall::new((), self.rules());
        self.inner.backend.models(call).await
    }

    /// As [`models`](Self::models), and passes a value to the transport; see
    /// [`ChatCall::extension`](crate::ChatCall::extension).
    ///
    /// # Errors
    /// As [`models`](Self::models).
    pub async fn models_with_extension(
        &self,
        value: impl Clone + Send + Sync + 'static,
    ) -> Result<Vec<ModelInfo>, Error> {
        let mut call = JobCall::new((), self.rules());
        call.rules.extensions.insert(value);
        self.inner.backend.models(call).await
    }
}

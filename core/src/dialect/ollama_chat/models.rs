//! The models that are installed on an Ollama server: `GET {base}/api/tags`.

use bytes::Bytes;
use chatcore::Error;
use chatcore::dialect::kit;
use chatcore::dialect::{Endpoint, ModelPage, ModelsDialect};
use http::Request;

/// Ollama's list of models. It has one page.
#[derive(Debug)]
pub(super) struct OllamaModels;

impl ModelsDialect for OllamaModels {
    fn encode(&self, endpoint: &Endpoint, _: Option<&str>) -> Result<Request<Bytes>, Error> {
        endpoint.get("/api/tags")
    }

    fn decode(&self, body: &str) -> Result<ModelPage, Error> {
        kit::model_page(body, "models", "name")
    }
}

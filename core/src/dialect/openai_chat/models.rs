//! OpenAI's list of models: `GET {base}/models`.

use bytes::Bytes;
use http::Request;

use crate::dialect::kit;
use crate::dialect::{Endpoint, ModelPage, ModelsDialect};
use crate::error::Error;

/// OpenAI's list of models. It has one page.
#[derive(Debug)]
pub(in crate::dialect) struct OpenAiModels;

impl ModelsDialect for OpenAiModels {
    fn encode(&self, endpoint: &Endpoint, _: Option<&str>) -> Result<Request<Bytes>, Error> {
        endpoint.get("/models")
    }

    fn decode(&self, body: &str) -> Result<ModelPage, Error> {
        let page = kit::model_page(body, "data", "id")?;
        Ok(ModelPage { next: None, ..page })
    }
}

//! Anthropic's list of models: `GET {base}/v1/models`, page by page.

use bytes::Bytes;
use http::Request;

use super::platform::below_v1;
use crate::dialect::kit;
use crate::dialect::kit::escape::escape;
use crate::dialect::{Endpoint, ModelPage, ModelsDialect};
use crate::error::Error;

/// Anthropic's list of models.
#[derive(Debug)]
pub(super) struct AnthropicModels;

impl ModelsDialect for AnthropicModels {
    fn encode(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error> {
        // The largest page. Without `limit` a page has 20 models.
        let mut path = format!("{}?limit=1000", below_v1(endpoint, "/v1/models"));
        if let Some(last) = next {
            path.push_str("&after_id=");
            escape(&mut path, last);
        }
        endpoint.get(&path)
    }

    fn decode(&self, body: &str) -> Result<ModelPage, Error> {
        kit::model_page(body, "data", "id")
    }
}

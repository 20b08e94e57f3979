//! The Gemini API's list of models: `GET {base}/models`, page by page.

use bytes::Bytes;
use http::Request;

use super::version;
use crate::dialect::kit;
use crate::dialect::kit::escape::escape;
use crate::dialect::{Endpoint, ModelPage, ModelsDialect};
use crate::error::Error;

/// The Gemini API's list of models.
#[derive(Debug)]
pub(super) struct GeminiModels;

impl ModelsDialect for GeminiModels {
    fn encode(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error> {
        // The largest page. Without `pageSize` a page has 50 models.
        let mut path = format!("{}/models?pageSize=1000", version(endpoint));
        if let Some(token) = next {
            path.push_str("&pageToken=");
            escape(&mut path, token);
        }
        endpoint.get(&path)
    }

    fn decode(&self, body: &str) -> Result<ModelPage, Error> {
        let mut page = kit::model_page(body, "models", "name")?;
        for model in &mut page.models {
            if let Some(name) = model.id.strip_prefix("models/") {
                model.id = name.to_owned();
            }
        }
        Ok(page)
    }
}

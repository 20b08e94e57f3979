//! Anthropic's list of models: `GET {base}/v1/models`, page by page.

use std::fmt::Write;

use bytes::Bytes;
use http::Request;

use super::path;
use crate::dialect::kit;
use crate::dialect::{Endpoint, ModelPage, ModelsDialect};
use crate::error::Error;

/// Anthropic's list of models.
#[derive(Debug)]
pub(super) struct AnthropicModels;

impl ModelsDialect for AnthropicModels {
    fn encode(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error> {
        // The most that a page may have; 20 without it.
        let mut path = format!("{}?limit=1000", path(endpoint, "/v1/models"));
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

/// Writes a value of a query: the server has chosen it.
fn escape(out: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into());
            }
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
}

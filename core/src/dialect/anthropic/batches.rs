//! Anthropic's Message Batches: `{base}/v1/messages/batches`.
//!
//! Source: platform.claude.com/docs/en/api/messages/batches, 2026-11-29.

use bytes::Bytes;
use http::Request;

use super::platform::below_v1;
use crate::dialect::Endpoint;
use crate::dialect::batches::{
    BatchCounts, BatchDialect, BatchLimits, BatchPage, BatchState, LineResult, NewBatch,
    ProviderBatch, Submission, error_of, expect_id, list, member, text,
};
use crate::error::{Error, ErrorKind};
use crate::json::Writer;
use crate::quote::Quoted;

const PATH: &str = "/v1/messages/batches";

/// Anthropic's Message Batches.
#[derive(Debug)]
pub(super) struct AnthropicBatches;

impl BatchDialect for AnthropicBatches {
    fn limits(&self) -> BatchLimits {
        BatchLimits::new(100_000, 256_000_000)
    }

    /// A batch has neither a name nor metadata.
    fn shows_names(&self) -> bool {
        false
    }

    fn begin(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(b"{\"requests\":[");
    }

    fn add(&self, to: &mut Vec<u8>, is_first: bool, id: &str, _: &str, body: &str) {
        if !is_first {
            to.push(b',');
        }
        let mut item = Writer::with_capacity(128);
        item.open('{');
        item.member("custom_id", id);
        item.key("params");
        to.extend_from_slice(&item.into_bytes());
        to.extend_from_slice(body.as_bytes());
        to.push(b'}');
    }

    fn submit(
        &self,
        endpoint: &Endpoint,
        _: &NewBatch,
        mut body: Vec<u8>,
    ) -> Result<Submission, Error> {
        body.extend_from_slice(b"]}");
        let request = endpoint.post(below_v1(endpoint, PATH), body)?;
        Ok(Submission::Create(request))
    }

    fn read_upload(&self, _: &str) -> Result<String, Error> {
        Err(no_files())
    }

    fn create(&self, _: &Endpoint, _: &NewBatch, _: &str) -> Result<Request<Bytes>, Error> {
        Err(no_files())
    }

    fn get(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error> {
        endpoint.get(&[below_v1(endpoint, PATH), "/", checked(id)?].concat())
    }

    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error> {
        let path = [below_v1(endpoint, PATH), "/", checked(id)?, "/cancel"].concat();
        endpoint.post(&path, Bytes::new())
    }

    fn list(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error> {
        let mut path = format!("{}?limit=100", below_v1(endpoint, PATH));
        if let Some(last) = next {
            path.push_str("&after_id=");
            path.push_str(checked(last)?);
        }
        endpoint.get(&path)
    }

    fn read(&self, body: &str) -> Result<ProviderBatch, Error> {
        let mut batch = ProviderBatch::new("", BatchState::Running);
        let (mut id, mut word, mut url) = (None, None, None);
        let mut tally = Tally::default();
        member(body, |name, raw| {
            match name {
                "id" => id = text(raw)?,
                "processing_status" => word = text(raw)?,
                "results_url" => url = text(raw)?,
                "request_counts" if raw.starts_with('{') => tally = Tally::read(raw)?,
                _ => {}
            }
            Ok(())
        })?;
        batch.id = expect_id(id, "batch")?;
        batch.state = match word.as_deref() {
            Some("in_progress") => BatchState::Running,
            Some("canceling") => BatchState::Cancelling,
            // Each result says whether its request was answered, cancelled or expired.
            Some("ended") => BatchState::Completed,
            other => BatchState::Other(other.unwrap_or_default().to_owned()),
        };
        batch.counts = tally.counts();
        // The URL is there from the beginning at some servers.
        if batch.state.is_ended() {
            batch.results = url.into_iter().collect();
        }
        Ok(batch)
    }

    fn read_page(&self, body: &str) -> Result<BatchPage, Error> {
        let mut page = BatchPage::default();
        let head = list(body, "data", |raw| {
            page.batches.push(self.read(raw)?);
            Ok(())
        })?;
        page.next = head.last.filter(|_| head.has_more);
        Ok(page)
    }

    fn results(&self, endpoint: &Endpoint, place: &str) -> Result<Request<Bytes>, Error> {
        let mut request = endpoint.get(below_v1(endpoint, PATH))?;
        let uri = place.parse::<http::Uri>().ok();
        match uri.filter(|uri| endpoint.is_own(uri)) {
            Some(uri) => {
                *request.uri_mut() = uri;
                Ok(request)
            }
            None => Err(Error::new(
                ErrorKind::Protocol,
                "the results of the batch lie at another origin than the base URL; they are not \
                 fetched, because the key would be sent there",
            )),
        }
    }

    fn read_result<'a>(&self, line: &'a str) -> Result<(String, LineResult<'a>), Error> {
        let (mut id, mut kind, mut message, mut error) = (None, None, None, None);
        member(line, |name, raw| {
            match name {
                "custom_id" => id = text(raw)?,
                "result" if raw.starts_with('{') => member(raw, |name, raw| {
                    match name {
                        "type" => kind = text(raw)?,
                        "message" => message = Some(raw),
                        "error" => error = Some(raw),
                        _ => {}
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        let id = expect_id(id, "request")?;
        let result = match (kind.as_deref(), message, error) {
            (Some("succeeded"), Some(body), _) => LineResult::Answer {
                status: 200,
                body,
                request_id: None,
            },
            (Some("expired"), ..) => LineResult::Expired,
            (Some("canceled" | "cancelled"), ..) => LineResult::Cancelled,
            (_, _, Some(raw)) => LineResult::Failed(error_of(raw)),
            (kind, ..) => {
                let kind = kind.unwrap_or_default();
                let why = format!("the result has the unknown type {}", Quoted(kind));
                LineResult::Failed(Error::new(ErrorKind::Protocol, why))
            }
        };
        Ok((id, result))
    }
}

fn no_files() -> Error {
    Error::new(ErrorKind::Internal, "Anthropic's batches need no files")
}

/// An id from a server, as a segment of a path.
fn checked(id: &str) -> Result<&str, Error> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match !id.is_empty() && id.len() <= 256 && id.bytes().all(is_safe) {
        true => Ok(id),
        false => {
            let why = format!("{} is not an id of a batch", Quoted(id));
            Err(Error::new(ErrorKind::Protocol, why))
        }
    }
}

/// `request_counts`.
#[derive(Default)]
struct Tally {
    succeeded: u64,
    processing: u64,
    /// Errored, expired and canceled.
    failed: u64,
}

impl Tally {
    fn read(raw: &str) -> Result<Self, Error> {
        let mut tally = Self::default();
        member(raw, |name, raw| {
            let number: u64 = raw.parse().unwrap_or(0);
            match name {
                "succeeded" => tally.succeeded = number,
                "processing" => tally.processing = number,
                "errored" | "expired" | "canceled" => {
                    tally.failed = tally.failed.saturating_add(number);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(tally)
    }

    fn counts(&self) -> BatchCounts {
        let ended = self.succeeded.saturating_add(self.failed);
        BatchCounts {
            total: Some(ended.saturating_add(self.processing)),
            done: self.succeeded,
            failed: self.failed,
        }
    }
}

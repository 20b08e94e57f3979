//! OpenAI's Batch API: `POST {base}/files`, `{base}/batches`. Groq, Azure, Novita and others have it
//! too.
//!
//! Source: platform.openai.com/docs/api-reference/batch, 2026-11-29.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};

use super::{
    BOUNDARY, BatchCounts, BatchDialect, BatchLimits, BatchPage, BatchState, LineError, LineResult,
    NewBatch, ProviderBatch, Submission, close_part, error_of, expect_id, list, member, open_part,
    text,
};
use crate::dialect::Endpoint;
#[cfg(feature = "openai-responses")]
use crate::dialect::{Caps, Decoder, Dialect, Mode, OpenAiResponses};
use crate::error::{Error, ErrorKind};
use crate::json::{Reader, Writer};
use crate::quote::Quoted;

/// The member of a batch's metadata that holds its name.
const NAME: &str = "chatcore_batch";

/// OpenAI's Batch API.
#[derive(Debug)]
pub(in crate::dialect) struct OpenAiBatches;

impl BatchDialect for OpenAiBatches {
    fn limits(&self) -> BatchLimits {
        // 200 MB, whether a megabyte is a million bytes or more.
        BatchLimits::new(50_000, 200_000_000)
    }

    fn shows_names(&self) -> bool {
        true
    }

    fn begin(&self, to: &mut Vec<u8>) {
        let field = |name: &str| format!("content-disposition: form-data; name=\"{name}\"\r\n");
        open_part(to, &field("purpose"));
        to.extend_from_slice(b"batch");
        close_part(to, false);
        open_part(
            to,
            "content-disposition: form-data; name=\"file\"; filename=\"chatcore.jsonl\"\r\n\
             content-type: application/jsonl\r\n",
        );
    }

    fn add(&self, to: &mut Vec<u8>, _: bool, id: &str, path: &str, body: &str) {
        let mut line = Writer::with_capacity(128);
        line.open('{');
        line.member("custom_id", id);
        line.member("method", "POST");
        line.member("url", &url(path));
        line.key("body");
        to.extend_from_slice(&line.into_bytes());
        to.extend_from_slice(body.as_bytes());
        to.extend_from_slice(b"}\n");
    }

    fn submit(
        &self,
        endpoint: &Endpoint,
        _: &NewBatch,
        mut body: Vec<u8>,
    ) -> Result<Submission, Error> {
        close_part(&mut body, true);
        let mut request = endpoint.post("/files", body)?;
        let form = HeaderValue::try_from(format!("multipart/form-data; boundary={BOUNDARY}"));
        let form = form.map_err(|_| Error::new(ErrorKind::Internal, "a bad boundary"))?;
        request.headers_mut().insert(CONTENT_TYPE, form);
        Ok(Submission::Upload(request))
    }

    fn read_upload(&self, body: &str) -> Result<String, Error> {
        let mut id = None;
        member(body, |name, raw| {
            if name == "id" {
                id = text(raw)?;
            }
            Ok(())
        })?;
        expect_id(id, "file")
    }

    fn create(
        &self,
        endpoint: &Endpoint,
        batch: &NewBatch,
        file: &str,
    ) -> Result<Request<Bytes>, Error> {
        let mut body = Writer::with_capacity(256);
        body.open('{');
        body.member("input_file_id", file);
        body.member("endpoint", &url(&batch.path));
        body.member("completion_window", "24h");
        body.key("metadata");
        body.open('{');
        body.member(NAME, &batch.name);
        body.close('}');
        body.close('}');
        endpoint.post("/batches", body.into_bytes())
    }

    fn get(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error> {
        endpoint.get(&format!("/batches/{}", checked(id)?))
    }

    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error> {
        endpoint.post(&format!("/batches/{}/cancel", checked(id)?), Bytes::new())
    }

    fn list(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error> {
        match next {
            Some(last) => endpoint.get(&format!("/batches?limit=100&after={}", checked(last)?)),
            None => endpoint.get("/batches?limit=100"),
        }
    }

    fn read(&self, body: &str) -> Result<ProviderBatch, Error> {
        let mut batch = ProviderBatch::new("", BatchState::Waiting);
        let (mut id, mut files) = (None, [None, None]);
        member(body, |name, raw| {
            match name {
                "id" => id = text(raw)?,
                "status" => batch.state = state(text(raw)?.unwrap_or_default()),
                "endpoint" => batch.endpoint = text(raw)?,
                "output_file_id" => files[0] = text(raw)?,
                "error_file_id" => files[1] = text(raw)?,
                "request_counts" if raw.starts_with('{') => batch.counts = counts(raw)?,
                "metadata" if raw.starts_with('{') => member(raw, |name, raw| {
                    if name == NAME {
                        batch.name = text(raw)?;
                    }
                    Ok(())
                })?,
                "errors" if raw.starts_with('{') => batch.errors = errors(raw)?,
                _ => {}
            }
            Ok(())
        })?;
        batch.id = expect_id(id, "batch")?;
        batch.results = files.into_iter().flatten().collect();
        Ok(batch)
    }

    fn read_page(&self, body: &str) -> Result<BatchPage, Error> {
        let mut page = BatchPage::default();
        let head = list(body, "data", |raw| {
            page.batches.push(self.read(raw)?);
            Ok(())
        })?;
        let last = page.batches.last().map(|batch| batch.id.clone());
        page.next = head.last.or(last).filter(|_| head.has_more);
        Ok(page)
    }

    fn results(&self, endpoint: &Endpoint, place: &str) -> Result<Request<Bytes>, Error> {
        endpoint.get(&format!("/files/{}/content", checked(place)?))
    }

    fn read_result<'a>(&self, line: &'a str) -> Result<(String, LineResult<'a>), Error> {
        let (mut id, mut answer, mut error) = (None, None, None);
        member(line, |name, raw| {
            match name {
                "custom_id" => id = text(raw)?,
                "response" if raw.starts_with('{') => answer = Some(response(raw)?),
                "error" if raw.starts_with('{') => error = Some(raw),
                _ => {}
            }
            Ok(())
        })?;
        let id = expect_id(id, "request")?;
        let result = match (answer, error) {
            (Some(answer), _) => answer,
            (None, Some(raw)) => {
                let error = error_of(raw);
                match error.code() {
                    Some("batch_expired") => LineResult::Expired,
                    Some("batch_cancelled") => LineResult::Cancelled,
                    _ => LineResult::Failed(error),
                }
            }
            (None, None) => LineResult::Failed(Error::new(
                ErrorKind::Protocol,
                "the result has neither a response nor an error",
            )),
        };
        Ok((id, result))
    }

    /// A provider that speaks both of OpenAI's dialects has batches of either.
    #[cfg(feature = "openai-responses")]
    fn decoder(
        &self,
        path: &str,
        head: &http::response::Parts,
        caps: Caps,
    ) -> Option<Box<dyn Decoder>> {
        let is_responses = path.ends_with("/responses");
        is_responses.then(|| OpenAiResponses::default().decoder(head, Mode::Whole, caps))
    }
}

/// The URL of the API's own form. The base URL ends in the version.
fn url(path: &str) -> String {
    format!("/v1{path}")
}

/// An id from a server, as a segment of a path.
fn checked(id: &str) -> Result<&str, Error> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match !id.is_empty() && id.len() <= 256 && id.bytes().all(is_safe) {
        true => Ok(id),
        false => {
            let why = format!("{} is not an id of a batch or a file", Quoted(id));
            Err(Error::new(ErrorKind::Protocol, why))
        }
    }
}

fn state(word: String) -> BatchState {
    match word.as_str() {
        "validating" => BatchState::Waiting,
        "in_progress" | "finalizing" => BatchState::Running,
        "cancelling" => BatchState::Cancelling,
        "completed" => BatchState::Completed,
        "failed" => BatchState::Failed,
        "expired" => BatchState::Expired,
        "cancelled" => BatchState::Cancelled,
        _ => BatchState::Other(word),
    }
}

fn counts(raw: &str) -> Result<BatchCounts, Error> {
    let mut counts = BatchCounts::default();
    member(raw, |name, raw| {
        let number = raw.parse().unwrap_or(0);
        match name {
            "total" => counts.total = Some(number),
            "completed" => counts.done = number,
            "failed" => counts.failed = number,
            _ => {}
        }
        Ok(())
    })?;
    Ok(counts)
}

/// Why the batch was refused: `{"data": [{"code", "message", "param", "line"}]}`.
fn errors(raw: &str) -> Result<Vec<LineError>, Error> {
    let mut errors = Vec::new();
    list(raw, "data", |raw| {
        let mut line = None;
        member(raw, |name, raw| {
            if name == "line" {
                line = raw.parse().ok();
            }
            Ok(())
        })?;
        // Without a retry: the same file would be refused again.
        let error = error_of(raw);
        errors.push(LineError { line, error });
        Ok(())
    })?;
    Ok(errors)
}

fn response(raw: &str) -> Result<LineResult<'_>, Error> {
    let (mut status, mut body, mut request_id) = (200, "", None);
    let mut reader = Reader::new(raw);
    let mut members = reader.object()?;
    while let Some(name) = reader.name(&mut members)? {
        let raw = reader.raw()?;
        match &*name {
            "status_code" => status = raw.parse().unwrap_or(status),
            "body" => body = raw,
            "request_id" => request_id = text(raw)?,
            _ => {}
        }
    }
    Ok(LineResult::Answer {
        status,
        body,
        request_id,
    })
}

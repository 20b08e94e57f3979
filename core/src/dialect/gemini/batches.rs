//! Google's Batch API in the Gemini API: `{base}/models/M:batchGenerateContent`, `{base}/batches`,
//! with files for all but small batches.
//!
//! Source: ai.google.dev/api/batch-api and ai.google.dev/gemini-api/docs/batch-api, 2026-11-29; the
//! upload in one request as in Google's `@google/generative-ai`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

use super::version;
use crate::dialect::Endpoint;
use crate::dialect::batches::{
    BOUNDARY, BatchCounts, BatchDialect, BatchLimits, BatchPage, BatchState, LineError, LineResult,
    NewBatch, ProviderBatch, Submission, close_part, expect_id, list, member, open_part, text,
};
use crate::dialect::kit::escape::escape;
use crate::dialect::kit::failure::from_status;
use crate::error::{Error, ErrorKind};
use crate::json::{Reader, Writer};
use crate::quote::Quoted;

/// Up to this size a batch is created without a file. Google allows 20 MB, but sends the results of
/// such a batch with its state, and with the list of all batches.
const INLINE: usize = 1 << 20;

static UPLOAD_PROTOCOL: HeaderName = HeaderName::from_static("x-goog-upload-protocol");

/// Google's Batch API.
#[derive(Debug)]
pub(super) struct GeminiBatches;

impl BatchDialect for GeminiBatches {
    fn limits(&self) -> BatchLimits {
        // Google allows files of 2 GB. A body is held in memory until it is sent.
        BatchLimits::new(200_000, 256_000_000)
    }

    fn shows_names(&self) -> bool {
        true
    }

    fn begin(&self, to: &mut Vec<u8>) {
        open_part(to, "content-type: application/json; charset=utf-8\r\n");
        to.extend_from_slice(
            b"{\"file\":{\"displayName\":\"chatcore\",\"mimeType\":\"application/jsonl\"}}",
        );
        close_part(to, false);
        open_part(to, "content-type: application/jsonl\r\n");
    }

    fn add(&self, to: &mut Vec<u8>, _: bool, id: &str, _: &str, body: &str) {
        let mut line = Writer::with_capacity(96);
        line.open('{');
        line.member("key", id);
        line.key("request");
        to.extend_from_slice(&line.into_bytes());
        to.extend_from_slice(body.as_bytes());
        to.extend_from_slice(b"}\n");
    }

    fn submit(
        &self,
        endpoint: &Endpoint,
        batch: &NewBatch,
        mut body: Vec<u8>,
    ) -> Result<Submission, Error> {
        if body.len() <= INLINE {
            return self.create_inline(endpoint, batch, &body);
        }
        close_part(&mut body, true);
        let mut request = endpoint.post_at_root(&upload_path(endpoint, "/upload"), body)?;
        let form = HeaderValue::try_from(format!("multipart/related; boundary={BOUNDARY}"));
        let form = form.map_err(|_| Error::new(ErrorKind::Internal, "a bad boundary"))?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, form);
        headers.insert(&UPLOAD_PROTOCOL, HeaderValue::from_static("multipart"));
        Ok(Submission::Upload(request))
    }

    fn read_upload(&self, body: &str) -> Result<String, Error> {
        let mut id = None;
        member(body, |name, raw| {
            if name == "file" && raw.starts_with('{') {
                member(raw, |name, raw| {
                    if name == "name" {
                        id = text(raw)?;
                    }
                    Ok(())
                })?;
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
        let mut body = begin_batch(batch);
        body.member("fileName", file);
        for _ in 0..3 {
            body.close('}');
        }
        endpoint.post(&create_path(batch)?, body.into_bytes())
    }

    fn get(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error> {
        endpoint.get(&[version(endpoint), "/", checked(id, "batches/")?].concat())
    }

    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error> {
        let path = [version(endpoint), "/", checked(id, "batches/")?, ":cancel"];
        endpoint.post(&path.concat(), "{}")
    }

    fn list(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error> {
        let mut path = format!("{}/batches?pageSize=20", version(endpoint));
        if let Some(token) = next {
            path.push_str("&pageToken=");
            escape(&mut path, token);
        }
        endpoint.get(&path)
    }

    fn read(&self, body: &str) -> Result<ProviderBatch, Error> {
        let mut read = Operation::default();
        read.operation(body)?;
        read.finish()
    }

    fn read_page(&self, body: &str) -> Result<BatchPage, Error> {
        let mut page = BatchPage::default();
        let head = list(body, "operations", |raw| {
            page.batches.push(self.read(raw)?);
            Ok(())
        })?;
        page.next = head.last;
        Ok(page)
    }

    fn results(&self, endpoint: &Endpoint, place: &str) -> Result<Request<Bytes>, Error> {
        let mut path = format!("/download{}", api_version(endpoint));
        path.push('/');
        path.push_str(checked(place, "files/")?);
        path.push_str(":download?alt=media");
        endpoint.get_at_root(&path)
    }

    fn read_result<'a>(&self, line: &'a str) -> Result<(String, LineResult<'a>), Error> {
        let (mut id, mut body, mut error) = (None, None, None);
        member(line, |name, raw| {
            match name {
                "key" => id = text(raw)?,
                // A file's line has its key at the top, an inline result in its metadata.
                "metadata" if raw.starts_with('{') => member(raw, |name, raw| {
                    if name == "key" {
                        id = text(raw)?;
                    }
                    Ok(())
                })?,
                "response" if raw.starts_with('{') => body = Some(raw),
                "error" | "status" if raw.starts_with('{') => error = Some(raw),
                _ => {}
            }
            Ok(())
        })?;
        let id = expect_id(id, "request")?;
        let result = match (body, error) {
            (Some(body), _) => LineResult::Answer {
                status: 200,
                body,
                request_id: None,
            },
            (None, Some(raw)) => failed(raw)?,
            (None, None) => LineResult::Failed(Error::new(
                ErrorKind::Protocol,
                "the result has neither a response nor an error",
            )),
        };
        Ok((id, result))
    }
}

impl GeminiBatches {
    /// Creates a small batch from the lines of a body that was written for a file.
    fn create_inline(
        &self,
        endpoint: &Endpoint,
        batch: &NewBatch,
        body: &[u8],
    ) -> Result<Submission, Error> {
        let mut head = Vec::new();
        self.begin(&mut head);
        let lines = std::str::from_utf8(&body[head.len().min(body.len())..]);
        let lines = lines.map_err(|_| Error::new(ErrorKind::Internal, "a body that is no text"))?;
        let mut to = begin_batch(batch);
        to.key("requests");
        to.open('{');
        to.key("requests");
        to.open('[');
        for line in lines.lines() {
            let mut reader = Reader::new(line);
            let mut members = reader.object()?;
            to.open('{');
            while let Some(name) = reader.name(&mut members)? {
                let raw = reader.raw()?;
                match &*name {
                    "key" => {
                        to.key("metadata");
                        to.open('{');
                        to.key("key");
                        to.raw(raw);
                        to.close('}');
                    }
                    _ => {
                        to.key(&name);
                        to.raw(raw);
                    }
                }
            }
            to.close('}');
        }
        to.close(']');
        for _ in 0..4 {
            to.close('}');
        }
        let request = endpoint.post(&create_path(batch)?, to.into_bytes())?;
        Ok(Submission::Create(request))
    }
}

/// The beginning of a creation, up to the members of its `inputConfig`.
fn begin_batch(batch: &NewBatch) -> Writer {
    let mut body = Writer::with_capacity(256);
    body.open('{');
    body.key("batch");
    body.open('{');
    body.member("displayName", &batch.name);
    body.key("inputConfig");
    body.open('{');
    body
}

/// The path that creates a batch of requests to `models/M:generateContent`.
fn create_path(batch: &NewBatch) -> Result<String, Error> {
    let model = batch.path.strip_suffix(":generateContent");
    let model = model.ok_or_else(|| {
        let why = format!("{} cannot be the path of a batch", Quoted(&batch.path));
        Error::invalid(why)
    })?;
    Ok([model, ":batchGenerateContent"].concat())
}

/// The API's version as a path: the end of the base URL's path, or the default.
fn api_version(endpoint: &Endpoint) -> String {
    [endpoint.base_path(), version(endpoint)].concat()
}

fn upload_path(endpoint: &Endpoint, before: &str) -> String {
    [before, &api_version(endpoint), "/files"].concat()
}

/// A resource's name from a server, as the end of a path.
fn checked<'a>(name: &'a str, collection: &str) -> Result<&'a str, Error> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let id = name.strip_prefix(collection).unwrap_or_default();
    match !id.is_empty() && id.len() <= 256 && id != ".." && id.bytes().all(is_safe) {
        true => Ok(name),
        false => {
            let why = format!("{} is not a name in {collection}", Quoted(name));
            Err(Error::new(ErrorKind::Protocol, why))
        }
    }
}

/// A result that is a status instead of a response.
fn failed(raw: &str) -> Result<LineResult<'_>, Error> {
    Ok(match grpc_code(raw)? {
        // CANCELLED and DEADLINE_EXCEEDED.
        1 => LineResult::Cancelled,
        4 => LineResult::Expired,
        _ => LineResult::Failed(error_of_status(raw)?),
    })
}

fn grpc_code(raw: &str) -> Result<u32, Error> {
    let mut code = 0;
    member(raw, |name, raw| {
        if name == "code" {
            code = raw.parse().unwrap_or(0);
        }
        Ok(())
    })?;
    Ok(code)
}

/// The error of a `google.rpc.Status`, whose code is one of gRPC.
fn error_of_status(raw: &str) -> Result<Error, Error> {
    let status = match grpc_code(raw)? {
        // Google's APIs over HTTP write the HTTP status instead.
        code @ 400..=599 => u16::try_from(code).unwrap_or(500),
        3 | 9 | 11 => 400,
        16 => 401,
        7 => 403,
        5 => 404,
        8 => 429,
        14 => 503,
        _ => 500,
    };
    let status = http::StatusCode::from_u16(status).unwrap_or_default();
    let body = format!("{{\"error\":{raw}}}");
    Ok(from_status(status, &HeaderMap::new(), body.as_bytes()))
}

/// What was read of an `Operation`, whose state is in `metadata`, and whose results are in
/// `response` or in `metadata.output`.
#[derive(Default)]
struct Operation {
    id: Option<String>,
    name: Option<String>,
    state: Option<String>,
    is_done: bool,
    counts: BatchCounts,
    files: Vec<String>,
    inline: Vec<String>,
    error: Option<Error>,
}

impl Operation {
    fn operation(&mut self, json: &str) -> Result<(), Error> {
        member(json, |name, raw| {
            match name {
                "name" => self.id = text(raw)?,
                "done" => self.is_done = raw == "true",
                "error" if raw.starts_with('{') => self.error = Some(error_of_status(raw)?),
                "metadata" if raw.starts_with('{') => self.metadata(raw)?,
                "response" if raw.starts_with('{') => self.output(raw)?,
                _ => {}
            }
            Ok(())
        })
    }

    fn metadata(&mut self, json: &str) -> Result<(), Error> {
        member(json, |name, raw| {
            match name {
                "displayName" => self.name = text(raw)?,
                "state" => self.state = text(raw)?,
                "batchStats" if raw.starts_with('{') => self.stats(raw)?,
                "output" if raw.starts_with('{') => self.output(raw)?,
                _ => {}
            }
            Ok(())
        })
    }

    fn stats(&mut self, json: &str) -> Result<(), Error> {
        member(json, |name, raw| {
            // Numbers of 64 bits are strings.
            let number = text(raw)?.and_then(|text| text.parse().ok());
            match name {
                "requestCount" => self.counts.total = number,
                "successfulRequestCount" => self.counts.done = number.unwrap_or(0),
                "failedRequestCount" => self.counts.failed = number.unwrap_or(0),
                _ => {}
            }
            Ok(())
        })
    }

    fn output(&mut self, json: &str) -> Result<(), Error> {
        member(json, |name, raw| {
            match name {
                "responsesFile" => {
                    // It is in the metadata and in the response.
                    self.files = text(raw)?.into_iter().collect();
                }
                "inlinedResponses" if raw.starts_with('{') => member(raw, |name, raw| {
                    if name == "inlinedResponses" && raw.starts_with('[') {
                        self.inline.clear();
                        let mut reader = Reader::new(raw);
                        let mut items = reader.array()?;
                        while reader.item(&mut items)? {
                            self.inline.push(reader.raw()?.to_owned());
                        }
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })
    }

    fn finish(self) -> Result<ProviderBatch, Error> {
        let word = self.state.unwrap_or_default();
        // Vertex AI and Google's SDKs call the same states JOB_STATE_….
        let bare = word.rsplit("STATE_").next().unwrap_or_default();
        let state = match bare {
            "PENDING" | "QUEUED" | "UNSPECIFIED" => BatchState::Waiting,
            "RUNNING" => BatchState::Running,
            "SUCCEEDED" | "PARTIALLY_SUCCEEDED" => BatchState::Completed,
            "FAILED" => BatchState::Failed,
            "CANCELLED" => BatchState::Cancelled,
            "CANCELLING" => BatchState::Cancelling,
            "EXPIRED" => BatchState::Expired,
            _ if self.is_done && self.error.is_some() => BatchState::Failed,
            _ if self.is_done => BatchState::Completed,
            "" => BatchState::Waiting,
            _ => BatchState::Other(word),
        };
        let mut batch = ProviderBatch::new(expect_id(self.id, "batch")?, state);
        batch.name = self.name;
        batch.counts = self.counts;
        batch.results = self.files;
        batch.inline = self.inline;
        if batch.state == BatchState::Failed {
            let error = self.error.into_iter();
            batch.errors = error.map(|error| LineError { line: None, error }).collect();
        }
        Ok(batch)
    }
}

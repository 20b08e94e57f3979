//! The optional job of provider batches: a dialect writes the requests of its provider's Batch API
//! and reads the responses.
//!
//! ```text
//!  items ──begin, add, add, …──► body ──submit──► upload ──► create      (OpenAI; Gemini, large)
//!                                        └──────────────────► create     (Anthropic; Gemini, small)
//!  id ──get──► ProviderBatch ──results──► lines ──read_result──► BatchResult ──decoder──► events
//! ```
//!
//! Everything here is pure, as in the rest of a dialect. The items' own requests are written by
//! [`Dialect::encode`](super::Dialect::encode), and their answers are read by
//! [`Dialect::decoder`](super::Dialect::decoder).

mod multipart;
mod openai;
mod read;
mod state;

use std::fmt::Debug;

use bytes::Bytes;
use http::Request;

pub(super) use multipart::{BOUNDARY, close_part, open_part};
pub(super) use openai::OpenAiBatches;
pub(super) use read::{error_of, expect_id, list, member, text};
pub use state::{BatchCounts, BatchState, LineError, ProviderBatch};

use super::{Caps, Decoder, Endpoint};
use crate::error::Error;

/// How much one batch of a provider may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// The most requests.
    pub requests: usize,
    /// The most bytes of the body that carries the requests.
    pub bytes: usize,
}

impl BatchLimits {
    /// At most `requests` requests in `bytes` bytes.
    pub const fn new(requests: usize, bytes: usize) -> Self {
        Self { requests, bytes }
    }
}

/// What the requests of a batch have in common, and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewBatch {
    /// The name by which the batch can be found again, at most 60 letters, digits and `-`.
    pub name: String,
    /// The path of the requests below the base URL, such as `/chat/completions`.
    pub path: String,
    /// How many requests the batch has.
    pub requests: usize,
}

impl NewBatch {
    /// A batch of `requests` requests to `path`.
    pub fn new(name: impl Into<String>, path: impl Into<String>, requests: usize) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            requests,
        }
    }
}

/// How a batch is submitted.
#[derive(Debug)]
pub enum Submission {
    /// This request uploads a file. [`BatchDialect::create`] then creates the batch from it.
    Upload(Request<Bytes>),
    /// This request creates the batch.
    Create(Request<Bytes>),
}

/// One page of the list of batches.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BatchPage {
    /// The batches, the newest first.
    pub batches: Vec<ProviderBatch>,
    /// The token that requests the next page. `None` on the last page.
    pub next: Option<String>,
}

/// The result of one request of a batch, as the provider reports it.
#[derive(Debug)]
#[non_exhaustive]
pub enum LineResult<'a> {
    /// The provider answered with this status and body, which a [`Decoder`] reads.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body, which is JSON.
        body: &'a str,
        /// The provider's id of the request, if it has one.
        request_id: Option<String>,
    },
    /// The request failed without a response.
    Failed(Error),
    /// The batch's time was over before the request ran.
    Expired,
    /// The batch was cancelled before the request ran.
    Cancelled,
}

/// How a dialect speaks its provider's Batch API. A [`Dialect`](super::Dialect) returns it from
/// [`batches`](super::Dialect::batches).
///
/// The URIs of all requests have the origin of the base URL. The caller refuses any other, because
/// the requests carry the key.
pub trait BatchDialect: Debug + Send + Sync {
    /// How much one batch may hold.
    fn limits(&self) -> BatchLimits;

    /// Whether the list of batches shows the name that a batch was created with. If not, a batch is
    /// recognized by the ids in its results.
    fn shows_names(&self) -> bool;

    /// Appends what comes before the first request of a body.
    fn begin(&self, to: &mut Vec<u8>);

    /// Appends one request: its `id`, its `path` below the base URL, and its `body`, which is JSON.
    /// `id` is unique in the batch, and consists of at most 64 letters, digits and `-`.
    fn add(&self, to: &mut Vec<u8>, is_first: bool, id: &str, path: &str, body: &str);

    /// The request that submits a body with all its requests added.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what this API cannot express.
    fn submit(
        &self,
        endpoint: &Endpoint,
        batch: &NewBatch,
        body: Vec<u8>,
    ) -> Result<Submission, Error>;

    /// Reads the response to an upload: the file's id.
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) if the response has none.
    fn read_upload(&self, body: &str) -> Result<String, Error>;

    /// Writes the request that creates a batch from an uploaded file.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what this API cannot express.
    fn create(
        &self,
        endpoint: &Endpoint,
        batch: &NewBatch,
        file: &str,
    ) -> Result<Request<Bytes>, Error>;

    /// Writes the request for the state of a batch.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if `id` is not an id of this API.
    fn get(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error>;

    /// Writes the request that cancels a batch. Its response is not read.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if `id` is not an id of this API.
    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error>;

    /// Writes the request for the first page of the list of batches, or for the page that follows
    /// the one with this [`next`](BatchPage::next).
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for what this API cannot express.
    fn list(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error>;

    /// Reads the response to a creation or to [`get`](Self::get).
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) if the response has no id.
    fn read(&self, body: &str) -> Result<ProviderBatch, Error>;

    /// Reads a page of the list.
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) if the response has no list.
    fn read_page(&self, body: &str) -> Result<BatchPage, Error>;

    /// Writes the request for results that lie at one of [`ProviderBatch::results`].
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) if the place is not one that this API names, or has
    /// another origin than the base URL.
    fn results(&self, endpoint: &Endpoint, place: &str) -> Result<Request<Bytes>, Error>;

    /// Reads one line of the results: the id of the request, and its result.
    ///
    /// # Errors
    /// [`Protocol`](crate::ErrorKind::Protocol) if the line has no id.
    fn read_result<'a>(&self, line: &'a str) -> Result<(String, LineResult<'a>), Error>;

    /// The decoder for an answer to a request to `path`. `None`, the default, if it is the
    /// dialect's own decoder.
    fn decoder(
        &self,
        path: &str,
        head: &http::response::Parts,
        caps: Caps,
    ) -> Option<Box<dyn Decoder>> {
        let _ = (path, head, caps);
        None
    }
}

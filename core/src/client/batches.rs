//! A provider's Batch API, as a client uses it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use super::BatchAnswers;
use crate::chat::ChatRequest;
use crate::dialect::batches::{BatchLimits, BatchPage, NewBatch, ProviderBatch, Submission};
use crate::error::{Error, ErrorKind};
use crate::executor::Executor;
use crate::pipeline::{Rules, Shared, batch_dialect, batch_request, encode_item, finish_item};
use crate::policy::retry::RetryPolicy;
use crate::transport::TransportError;

/// A provider's Batch API: many requests in one batch, answered within a day at half the price.
///
/// [`LlmClient::provider_batches`](crate::LlmClient::provider_batches) returns it. All its requests
/// pass through the client's queue, limits, retries, time limits and credentials.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::ChatRequest;
/// use chatcore::dialect::batches::NewBatch;
///
/// let batches = client.provider_batches()?;
/// let mut body = batches.body();
/// let mut path = String::new();
/// for (number, city) in ["Lyon", "Porto"].iter().enumerate() {
///     let item = batches.encode(ChatRequest::from(format!("Where is {city}?")))?;
///     body.add(&format!("city-{number}"), &item);
///     path = item.path;
/// }
/// let new = NewBatch::new("cities", path, body.requests());
/// let batch = batches.create(&new, batches.upload(&new, body).await?).await?;
/// println!("{} is {}", batch.id, batch.state.as_str());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ProviderBatches {
    shared: Arc<Shared>,
    rules: Rules,
}

/// A request of a batch, as its dialect writes it.
#[derive(Clone, Debug)]
pub struct BatchItem {
    /// The path of the request below the base URL. Only requests to one path can share a batch.
    pub path: String,
    /// The JSON of the request.
    pub body: Bytes,
}

/// The body of a batch, to which requests are added.
pub struct BatchBody {
    shared: Arc<Shared>,
    bytes: Vec<u8>,
    requests: usize,
}

/// A batch that is ready to be created.
pub struct Uploaded(Ready);

enum Ready {
    File(String),
    Request(Box<Request<Bytes>>),
}

impl ProviderBatches {
    /// # Errors
    /// `InvalidInput` if the dialect has no Batch API.
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self, Error> {
        batch_dialect(&shared)?;
        let rules = Rules::new(Arc::default(), Arc::default());
        Ok(Self { shared, rules })
    }

    /// The same with the client's own time limits and retries.
    pub(super) fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// How much one batch may hold.
    pub fn limits(&self) -> BatchLimits {
        batch_dialect(&self.shared).map_or(BatchLimits::new(0, 0), |dialect| dialect.limits())
    }

    /// Whether [`list`](Self::list) shows the names of batches.
    pub fn shows_names(&self) -> bool {
        batch_dialect(&self.shared).is_ok_and(|dialect| dialect.shows_names())
    }

    /// Writes a request as [`ask`](crate::LlmClient::ask) would send it.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a request that the provider cannot take.
    pub fn encode(&self, request: ChatRequest) -> Result<BatchItem, Error> {
        match encode_item(&self.shared, request) {
            Ok((path, body)) => Ok(BatchItem { path, body }),
            Err(error) => Err(finish_item(&self.shared, error)),
        }
    }

    /// An empty body.
    pub fn body(&self) -> BatchBody {
        let mut bytes = Vec::new();
        if let Ok(dialect) = batch_dialect(&self.shared) {
            dialect.begin(&mut bytes);
        }
        BatchBody {
            shared: Arc::clone(&self.shared),
            bytes,
            requests: 0,
        }
    }

    /// Uploads a body, if the provider takes the requests as a file. Nothing runs, and nothing
    /// costs money, until the batch is created.
    ///
    /// # Errors
    /// As for a chat.
    ///
    /// Cancel-safe: dropping the future ends the upload.
    pub async fn upload(&self, batch: &NewBatch, body: BatchBody) -> Result<Uploaded, Error> {
        let dialect = batch_dialect(&self.shared)?;
        match dialect.submit(&self.shared.endpoint, batch, body.bytes)? {
            Submission::Create(request) => Ok(Uploaded(Ready::Request(Box::new(request)))),
            Submission::Upload(request) => {
                let file = self.request(request, |dialect, body| dialect.read_upload(body));
                Ok(Uploaded(Ready::File(file.await?)))
            }
        }
    }

    /// Creates a batch. The request is sent once: after an error that leaves open whether the
    /// provider has created the batch, look for it with [`list`](Self::list) before trying again.
    /// [`may_be_created`] says which errors do.
    ///
    /// # Errors
    /// As for a chat.
    pub async fn create(
        &self,
        batch: &NewBatch,
        uploaded: Uploaded,
    ) -> Result<ProviderBatch, Error> {
        let endpoint = &self.shared.endpoint;
        let request = match uploaded.0 {
            Ready::Request(request) => *request,
            Ready::File(file) => batch_dialect(&self.shared)?.create(endpoint, batch, &file)?,
        };
        let mut rules = self.rules.clone();
        rules.retry = Arc::new(RetryPolicy::clone(&rules.retry).max_attempts(1));
        let shared = Arc::clone(&self.shared);
        batch_request(shared, rules, request, |dialect, body| dialect.read(body)).await
    }

    /// The batch with this id.
    ///
    /// # Errors
    /// As for a chat.
    ///
    /// Cancel-safe: dropping the future ends the request.
    pub async fn get(&self, id: &str) -> Result<ProviderBatch, Error> {
        let request = batch_dialect(&self.shared)?.get(&self.shared.endpoint, id)?;
        self.request(request, |dialect, body| dialect.read(body))
            .await
    }

    /// The first page of the list of batches, or the page after the one with this
    /// [`next`](BatchPage::next).
    ///
    /// # Errors
    /// As for a chat.
    ///
    /// Cancel-safe: dropping the future ends the request.
    pub async fn list(&self, next: Option<&str>) -> Result<BatchPage, Error> {
        let request = batch_dialect(&self.shared)?.list(&self.shared.endpoint, next)?;
        self.request(request, |dialect, body| dialect.read_page(body))
            .await
    }

    /// Cancels a batch. It ends some time later, with the results of the requests that ran.
    ///
    /// # Errors
    /// As for a chat.
    pub async fn cancel(&self, id: &str) -> Result<(), Error> {
        let request = batch_dialect(&self.shared)?.cancel(&self.shared.endpoint, id)?;
        self.request(request, |_, _| Ok(())).await
    }

    /// The results of a batch of requests to `path`, in the order in which the provider has them.
    pub fn results(&self, path: &str, batch: ProviderBatch) -> BatchAnswers {
        BatchAnswers::new(Arc::clone(&self.shared), self.rules.clone(), path, batch)
    }

    pub(crate) fn executor(&self) -> &Arc<dyn Executor> {
        &self.shared.executor
    }

    async fn request<T: Send + 'static>(
        &self,
        request: Request<Bytes>,
        read: fn(&dyn crate::dialect::batches::BatchDialect, &str) -> Result<T, Error>,
    ) -> Result<T, Error> {
        batch_request(Arc::clone(&self.shared), self.rules.clone(), request, read).await
    }
}

/// Whether a batch may exist although its creation failed with this error. If not, the creation can
/// be repeated, or given up, without a search.
pub fn may_be_created(error: &Error) -> bool {
    let source = StdError::source(error).and_then(|source| source.downcast_ref());
    if source.is_some_and(|source: &TransportError| source.kind().is_before_sending()) {
        return false;
    }
    match error.status() {
        // A success that could not be read was a success.
        Some(status) => !status.is_client_error() || status.as_u16() == 408,
        None => !matches!(
            error.kind(),
            ErrorKind::InvalidInput
                | ErrorKind::Config
                | ErrorKind::QueueFull
                | ErrorKind::Closed
                | ErrorKind::Auth
        ),
    }
}

impl BatchBody {
    /// How many requests were added.
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// How many bytes the body has.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether another request fits below `limits`.
    pub fn has_room(&self, item: &BatchItem, limits: BatchLimits) -> bool {
        // What surrounds a request: its id of at most 64 characters, its path, names and brackets.
        let more = item.body.len() + item.path.len() + 512;
        self.requests < limits.requests && self.bytes.len() + more <= limits.bytes
    }

    /// Adds a request. `id` is unique in the batch, and has at most 64 letters, digits and `-`.
    pub fn add(&mut self, id: &str, item: &BatchItem) {
        if let (Ok(dialect), Ok(body)) =
            (batch_dialect(&self.shared), std::str::from_utf8(&item.body))
        {
            dialect.add(&mut self.bytes, self.requests == 0, id, &item.path, body);
            self.requests += 1;
        }
    }
}

impl Uploaded {
    /// The provider's id of the uploaded file, if there is one. A batch can be created from it
    /// later, in another process.
    pub fn file(&self) -> Option<&str> {
        match &self.0 {
            Ready::File(file) => Some(file),
            Ready::Request(_) => None,
        }
    }

    /// A file that was uploaded earlier.
    pub fn from_file(file: impl Into<String>) -> Self {
        Self(Ready::File(file.into()))
    }

    /// The same once more, to create the batch again.
    pub(crate) fn again(&self) -> Self {
        Self(match &self.0 {
            Ready::File(file) => Ready::File(file.clone()),
            Ready::Request(request) => Ready::Request(request.clone()),
        })
    }
}

impl fmt::Debug for ProviderBatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderBatches")
            .field("endpoint", &self.shared.endpoint)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BatchBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchBody")
            .field("requests", &self.requests)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Uploaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Uploaded").field(&self.file()).finish()
    }
}

//! The requests of a provider's Batch API as jobs, one for each request.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::response::Parts;

use super::begin::{begin, check_size};
use super::chat_reader::ChatReader;
use super::job::{Ask, Job, Reader};
use super::largest::largest_part;
use super::lines::LinesReader;
use super::validate::validate;
use super::whole::{Whole, WholeReader};
use super::{Opened, Rules, Shared, open};
use crate::admission::queue::WhenFull;
use crate::chat::{ChatRequest, ChatResponse};
use crate::dialect::batches::BatchDialect;
use crate::dialect::{Dialect, Mode};
use crate::error::{Error, ErrorKind};
use crate::observe::{Asked, Operation, Summary};
use crate::policy::defaults::Defaults;
use crate::policy::plan::Plan;
use crate::policy::timeouts::DEFAULT_TOKENS;
use crate::secrets::Secrets;

/// How many bytes of an upload are given as much time as one token of an answer: a connection of
/// half a megabyte a second.
const BYTES_PER_TOKEN: usize = 16_000;

/// How many tokens a file of results is expected to take as long as, up to its first line.
const RESULTS: u32 = 4_096;

/// The Batch API of the client's dialect.
///
/// # Errors
/// `InvalidInput` if it has none.
pub(crate) fn batch_dialect(shared: &Shared) -> Result<&dyn BatchDialect, Error> {
    shared.dialect.batches().ok_or_else(|| {
        Error::invalid(format!(
            "the dialect {} has no Batch API: OpenAI, Anthropic and Gemini have one",
            shared.dialect.facts().name()
        ))
    })
}

/// Reads a `T` from a response.
type Read<T> = fn(&dyn BatchDialect, &str) -> Result<T, Error>;

/// Sends one request and reads its response whole.
pub(crate) async fn batch_request<T: Send + 'static>(
    shared: Arc<Shared>,
    mut rules: Rules,
    encoded: Request<Bytes>,
    read: Read<T>,
) -> Result<T, Error> {
    rules.when_full = WhenFull::Wait;
    let ask = BatchAsk {
        encoded,
        read: Some(read),
    };
    let opened = open(move || begin(shared, ask, rules, Mode::Whole)).await?;
    let (answer, ..) = opened.finish(WholeReader::<Got<T>>::take)?;
    let missing = || Error::new(ErrorKind::Internal, "a response that was not read");
    answer.0.ok_or_else(missing)
}

/// Sends one request and reads its response line by line.
pub(crate) async fn batch_lines(
    shared: Arc<Shared>,
    mut rules: Rules,
    encoded: Request<Bytes>,
) -> Result<Opened<LinesReader>, Error> {
    rules.when_full = WhenFull::Wait;
    let ask: BatchAsk<()> = BatchAsk {
        encoded,
        read: None,
    };
    open(move || begin(shared, ask, rules, Mode::Stream)).await
}

/// A request of a batch: its path below the base URL, and its body.
pub(crate) fn encode_item(
    shared: &Shared,
    mut request: ChatRequest,
) -> Result<(String, Bytes), Error> {
    let plan = shared.fill_in(&mut request, &Defaults::NONE);
    validate(&request)?;
    let variant = shared.dialect.variant(&shared.endpoint, &request);
    let dialect = variant.as_ref().unwrap_or(&shared.dialect);
    let mut encoded = dialect.encode(&shared.endpoint, &request, Mode::Whole)?;
    shared.check_origin(&encoded)?;
    if !request.extra.contains_key("include")
        && plan
            .known
            .refused
            .has(crate::policy::defaults::Wishes::INCLUDE)
    {
        super::adjust::drop_member(&mut encoded, "include");
    }
    check_size(shared, &encoded, || largest_part(&request))?;
    let path = encoded.uri().path();
    let path = path.strip_prefix(shared.endpoint.base_path());
    let path = path.unwrap_or_else(|| encoded.uri().path()).to_owned();
    Ok((path, encoded.into_body()))
}

/// Reads the answer to a request of a batch to `path` as if it had come by itself.
pub(crate) fn decode_item(
    shared: &Shared,
    path: &str,
    status: u16,
    body: &str,
    request_id: Option<String>,
) -> Result<ChatResponse, Error> {
    let mut head = http::Response::new(()).into_parts().0;
    head.status = http::StatusCode::from_u16(status).map_err(|_| {
        let why = format!("the result has the status {status}, which is no HTTP status");
        Error::new(ErrorKind::Protocol, why)
    })?;
    let of_batch = batch_dialect(shared)?.decoder(path, &head, shared.caps);
    let decoder = of_batch.unwrap_or_else(|| {
        let dialect: &dyn Dialect = &*shared.dialect;
        dialect.decoder(&head, Mode::Whole, shared.caps)
    });
    let mut reader = ChatReader::new(decoder, &head, Mode::Whole, shared);
    reader.set_attempts(1);
    reader.feed(Bytes::copy_from_slice(body.as_bytes()));
    reader.end();
    while !reader.is_done() {
        if reader.advance()?.is_none() && !reader.is_done() {
            return Err(Error::new(ErrorKind::Truncated, "the answer is cut off"));
        }
    }
    let mut response = reader.take_response();
    response.request_id = response.request_id.take().or(request_id);
    Ok(response)
}

/// Adds to the error of one result what only the pipeline knows, and redacts secrets in it.
pub(crate) fn finish_item(shared: &Shared, error: Error) -> Error {
    shared.finish_error(error, 1, &Secrets::new())
}

/// What a whole response was read as.
struct Got<T>(Option<T>);

impl<T> Default for Got<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> Whole for Got<T> {
    fn summary(&self) -> Summary<'_> {
        Summary::default()
    }
}

/// A request that is encoded. `read` is `None` for a response of lines.
struct BatchAsk<T> {
    encoded: Request<Bytes>,
    read: Option<Read<T>>,
}

impl<T: Send + 'static> Ask for BatchAsk<T> {
    fn asked<'a>(&'a self, shared: &'a Shared) -> Asked<'a> {
        Asked::job(Operation::ProviderBatch, shared.endpoint.model())
    }

    /// 0: a batch has limits of its own.
    fn tokens(&self) -> u64 {
        0
    }

    fn write(self, _: &Shared) -> Result<(Request<Bytes>, Box<dyn Job>), Error> {
        let tokens = match self.read {
            Some(_) => self.encoded.body().len() / BYTES_PER_TOKEN,
            None => RESULTS as usize,
        };
        let more = u32::try_from(tokens).unwrap_or(u32::MAX);
        let job = BatchJob {
            plan: Plan::expecting(DEFAULT_TOKENS.saturating_add(more)),
            read: self.read,
        };
        Ok((self.encoded, Box::new(job)))
    }
}

struct BatchJob<T> {
    plan: Plan,
    read: Option<Read<T>>,
}

impl<T> fmt::Debug for BatchJob<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchJob").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Job for BatchJob<T> {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn reader(&self, shared: &Shared, head: &Parts) -> Box<dyn Reader> {
        let Some(read) = self.read else {
            return Box::new(LinesReader::new(head, shared));
        };
        let dialect = Arc::clone(&shared.dialect);
        let decode = move |body: &str| match dialect.batches() {
            Some(batches) => read(batches, body).map(|read| Got(Some(read))),
            None => {
                let why = "the dialect no longer has a Batch API";
                Err(Error::new(ErrorKind::Internal, why))
            }
        };
        Box::new(WholeReader::new(head, shared, decode))
    }
}

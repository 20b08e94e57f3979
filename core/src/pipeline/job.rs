//! What the pipeline runs: work that is a request, and a reader of its answer.
//!
//! A chat is a job, and so are embeddings and a list of models. The pipeline gives each the same
//! queue, limits, retries and time limits, and does not know what it asks.

use std::any::Any;
use std::fmt::Debug;

use bytes::Bytes;
use http::Request;
use http::response::Parts;

use super::Shared;
use crate::chat::ChatResponse;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::observe::{Asked, Summary};
use crate::policy::plan::Plan;

/// What is asked, until it is written down.
pub(crate) trait Ask {
    /// What is asked, for observers and spans.
    fn asked<'a>(&'a self, shared: &'a Shared) -> Asked<'a>;

    /// About how many tokens the request costs, for the rate limits. Called only where there are
    /// limits.
    fn tokens(&self) -> u64;

    /// Checks and writes down the request. The job holds nothing of what was asked, because a
    /// prompt may be large and is in the request.
    ///
    /// # Errors
    /// `InvalidInput` for what cannot be sent.
    fn write(self, shared: &Shared) -> Result<(Request<Bytes>, Box<dyn Job>), Error>;
}

/// Work for the pipeline, once its request is written down.
pub(crate) trait Job: Debug + Send + Sync {
    /// What follows for its time limits.
    fn plan(&self) -> &Plan;

    /// The dialect of this job.
    fn dialect<'a>(&'a self, shared: &'a Shared) -> &'a dyn Dialect {
        &*shared.dialect
    }

    /// Begins to read an answer with this head.
    fn reader(&self, shared: &Shared, head: &Parts) -> Box<dyn Reader>;

    /// The request to send after `error`, where the provider refused nothing but what chatcore
    /// itself had put into it.
    fn adjust(
        &mut self,
        _shared: &Shared,
        _request: &Request<Bytes>,
        _error: &Error,
    ) -> Option<Request<Bytes>> {
        None
    }

    /// An attempt ended, with this error if it has one: what that says of the model is remembered.
    fn learn(&self, _shared: &Shared, _error: Option<&Error>) {}

    /// Adds to the last error what the caller can change.
    fn explain(&self, _shared: &Shared, error: Error, _request: &Request<Bytes>) -> Error {
        error
    }
}

/// How far a [`Reader`] has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Meaningful output came: from now on there is no other attempt.
    pub(crate) is_content: bool,
    /// What the answer has cost so far, in tokens.
    pub(crate) used: Option<u64>,
}

/// Reads the answer of one attempt. What it has read stays in it until it is taken.
pub(crate) trait Reader: Any + Send {
    /// Takes in the next bytes, split anywhere.
    fn feed(&mut self, bytes: Bytes);

    /// No more bytes will come.
    fn end(&mut self);

    /// Reads on; `None` where it needs more bytes, or [is done](Self::is_done).
    ///
    /// # Errors
    /// The provider's error, or what is wrong with the answer.
    fn advance(&mut self) -> Result<Option<Progress>, Error>;

    /// Whether the answer is complete.
    fn is_done(&self) -> bool;

    /// Whether the answer is complete but for what may still follow, such as what it cost.
    fn is_complete(&self) -> bool {
        self.is_done()
    }

    /// What is known of the answer so far.
    fn summary(&self) -> Summary<'_>;

    /// How many requests were sent, the one that is read included.
    fn set_attempts(&mut self, attempts: u32);

    /// What of a chat came before an error.
    fn take_partial(&mut self) -> Option<ChatResponse> {
        None
    }
}

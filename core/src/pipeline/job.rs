//! What the pipeline runs: an encoded request and a reader of its answer.
//!
//! A chat is a job, a request for embeddings is another, and a page of the list of models is a
//! third. The pipeline gives them all the same queue, limits, retries and time limits, and does not
//! know what they ask.

use std::any::Any;
use std::fmt::Debug;

use bytes::Bytes;
use http::Request;
use http::response::Parts;

use super::Shared;
use crate::chat::ChatResponse;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::head::ResponseHead;
use crate::observe::{Asked, Summary};
use crate::policy::plan::Plan;

/// A question that is not encoded yet.
pub(crate) trait Ask {
    /// A description of the question for observers and spans.
    fn asked<'a>(&'a self, shared: &'a Shared) -> Asked<'a>;

    /// An estimate of the request's tokens, for the rate limits. Called only if the client has rate
    /// limits.
    fn tokens(&self) -> u64;

    /// Checks and encodes the request. The job keeps no copy of the question, because a prompt may
    /// be large and the encoded request already holds it.
    ///
    /// # Errors
    /// `InvalidInput` if the question cannot be sent.
    fn write(self, shared: &Shared) -> Result<(Request<Bytes>, Box<dyn Job>), Error>;
}

/// Work for the pipeline whose request is encoded.
pub(crate) trait Job: Debug + Send + Sync {
    /// The plan that the time limits are fitted to.
    fn plan(&self) -> &Plan;

    /// The dialect of this job.
    fn dialect<'a>(&'a self, shared: &'a Shared) -> &'a dyn Dialect {
        &*shared.dialect
    }

    /// Returns a reader for the answer with this response head.
    fn reader(&self, shared: &Shared, head: &Parts) -> Box<dyn Reader>;

    /// The request to send after `error`, if the provider refused only what chatcore itself had
    /// added to the request; else `None`.
    fn adjust(
        &mut self,
        _shared: &Shared,
        _request: &Request<Bytes>,
        _error: &Error,
    ) -> Option<Request<Bytes>> {
        None
    }

    /// Whether the answer is fetched as a stream, even if the caller wants it whole.
    fn streams(&self) -> bool {
        false
    }

    /// Called when an attempt has ended, with its error if it failed. Remembers what that says
    /// about the model.
    fn learn(&self, _shared: &Shared, _error: Option<&Error>) {}

    /// Adds to the call's final error which of the caller's options to change.
    fn explain(&self, _shared: &Shared, error: Error, _request: &Request<Bytes>) -> Error {
        error
    }
}

/// How far a [`Reader`] has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Whether content came. After content there is no other attempt.
    pub(crate) is_content: bool,
    /// The tokens used so far, if the provider has reported them.
    pub(crate) used: Option<u64>,
}

/// Reads the answer of one attempt, and keeps what was read until the caller takes it.
pub(crate) trait Reader: Any + Send {
    /// Takes in the next bytes. They may be split anywhere.
    fn feed(&mut self, bytes: Bytes);

    /// No more bytes will come.
    fn end(&mut self);

    /// Reads on. `None` if the reader needs more bytes or [is done](Self::is_done).
    ///
    /// # Errors
    /// The error that the provider reported, or the reason why the answer cannot be read.
    fn advance(&mut self) -> Result<Option<Progress>, Error>;

    /// Whether the answer is complete.
    fn is_done(&self) -> bool;

    /// Whether the answer is complete except for what may still follow it, such as the usage.
    fn is_complete(&self) -> bool {
        self.is_done()
    }

    /// What is known about the answer so far.
    fn summary(&self) -> Summary<'_>;

    /// Sets how many requests were sent, the one being read included.
    fn set_attempts(&mut self, attempts: u32);

    /// The head of the response, if the reader keeps it.
    fn take_head(&mut self) -> Option<Box<ResponseHead>> {
        None
    }

    /// The part of a chat's answer that came before an error.
    fn take_partial(&mut self) -> Option<ChatResponse> {
        None
    }
}

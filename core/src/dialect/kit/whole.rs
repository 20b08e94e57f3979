//! Reads a response that is never a stream: collects the body, then decodes it.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::response::Parts;
use http::{HeaderMap, StatusCode};

use super::decoder::{Body, utf8};
use super::failure;
use crate::dialect::Caps;
use crate::error::{Error, ErrorKind};

/// The body of a response that is not a stream.
pub(crate) struct WholeBody {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
    caps: Caps,
    is_over: bool,
    ended: bool,
}

impl WholeBody {
    /// Begins to collect the body of a response with this head.
    pub(crate) fn new(head: &Parts, caps: Caps) -> Self {
        Self {
            status: head.status,
            headers: head.headers.clone(),
            body: Body::default(),
            caps,
            is_over: false,
            ended: false,
        }
    }

    /// Adds the next bytes. Bytes beyond the caps are dropped.
    pub(crate) fn feed(&mut self, bytes: Bytes) {
        let room = self.cap().saturating_sub(self.body.bytes().len());
        self.is_over |= bytes.len() > room;
        self.body.push(bytes.slice(..bytes.len().min(room)));
    }

    /// No more bytes will come.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Decodes the body with `decode` once it is complete. `None` until then.
    ///
    /// # Errors
    /// The provider's error, an error of `decode`, or
    /// [`ResponseTooLarge`](ErrorKind::ResponseTooLarge) if the body exceeds the caps.
    pub(crate) fn read<T>(
        &mut self,
        decode: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        // A body beyond the cap is not awaited, because it may never end.
        if !self.ended && !self.is_over {
            return Ok(None);
        }
        let body = std::mem::take(&mut self.body);
        if !self.status.is_success() {
            let error = failure::from_status(self.status, &self.headers, body.bytes());
            return Err(error);
        }
        self.decode(body.bytes(), decode)
            .map(Some)
            .map_err(|error| match error.status() {
                Some(_) => error,
                None => error.with_status(self.status),
            })
    }

    fn decode<T>(
        &self,
        body: &[u8],
        decode: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.is_over {
            let why = format!("the answer has more than {} bytes", self.caps.body);
            return Err(Error::new(ErrorKind::ResponseTooLarge, why));
        }
        let text = utf8(body);
        let text = text.trim_start_matches('\u{feff}').trim_ascii();
        if text.is_empty() {
            return Err(Error::new(ErrorKind::Truncated, "the answer is empty"));
        }
        if !text.starts_with(['{', '[']) {
            let coding = failure::compression(self.headers.get(CONTENT_ENCODING), body);
            return Err(match coding {
                Some(coding) => failure::compressed(&coding),
                None => failure::not_understood("the answer is not JSON", body),
            });
        }
        decode(text).map_err(|error| match error.kind() {
            ErrorKind::Protocol => {
                failure::reported_in(text).unwrap_or_else(|| error.with_body(text.as_bytes()))
            }
            _ => error,
        })
    }

    fn cap(&self) -> usize {
        match self.status.is_success() {
            true => self.caps.body,
            false => self.caps.error_body,
        }
    }
}

impl fmt::Debug for WholeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeBody")
            .field("received", &self.body.bytes().len())
            .finish_non_exhaustive()
    }
}

//! Reads the answer to a request even if sending the request failed.

use std::io;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::error::is_lost;

/// The layer between TCP and TLS.
///
/// A server that refuses a request, because it is too large or its key is wrong, may answer and
/// close the connection before it has read the whole request. Writing then fails, and ureq would
/// report a lost connection instead of the answer. This layer instead discards the rest of the
/// request and reads: it reports the answer if there is one, else the write error.
#[derive(Debug)]
pub(super) struct Socket<T> {
    inner: T,
    /// The write error, until it is reported.
    unsent: Option<io::Error>,
    /// Whether everything written so far was sent.
    is_whole: bool,
}

impl<T: Transport> Socket<T> {
    pub(super) fn new(inner: T) -> Self {
        Self {
            inner,
            unsent: None,
            is_whole: true,
        }
    }
}

impl<T: Transport> Transport for Socket<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !self.is_whole {
            return Ok(());
        }
        match self.inner.transmit_output(amount, timeout) {
            Err(Error::Io(error)) if is_lost(&error) => {
                self.is_whole = false;
                self.unsent = Some(error);
                Ok(())
            }
            result => result,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let result = self.inner.await_input(timeout);
        match (&result, self.unsent.take()) {
            // No answer arrived, so the write error is reported.
            (Ok(false) | Err(Error::Io(_)), Some(unsent)) => Err(Error::Io(unsent)),
            _ => result,
        }
    }

    fn is_open(&mut self) -> bool {
        self.is_whole && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

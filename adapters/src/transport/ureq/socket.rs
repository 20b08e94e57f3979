//! A socket whose answer is read though its request could not be sent.

use std::io;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::error::is_lost;

/// What lies between a connection and its TLS.
///
/// A server that refuses a request, because it is too large or its key is wrong, may answer and
/// close the connection before it has read the request. Then writing fails, and ureq would report
/// a lost connection instead of the answer. Here the rest of the request is dropped, and what is
/// read decides: an answer, or the error of writing.
#[derive(Debug)]
pub(super) struct Socket<T> {
    inner: T,
    /// Why the request could not be sent, until it is reported.
    unsent: Option<io::Error>,
    /// Whether all that was written is sent.
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
            // Nothing came, and that is why.
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

//! A connection in ureq's pool. It puts a request's secrets, which ureq does not see, into the
//! head.

use std::sync::{Arc, Weak};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, ShutdownHandle, Transport};

use super::INPUT_BUFFER;
use super::call::SharedCall;
use super::connect::current;
use super::withheld::Progress;

/// The largest head that is held back to be sent in one write with the beginning of its body.
const MAX_HELD: usize = 8 * 1024;

/// The most bytes without content that are accepted in a row. ureq skips any number of interim
/// heads and trailers. A single head has its own limit.
const MAX_SILENCE: usize = 2 * INPUT_BUFFER;

/// A connection that knows which call it serves.
#[derive(Debug)]
pub(super) struct Connection {
    transport: Box<dyn Transport>,
    socket: Option<Weak<dyn ShutdownHandle>>,
    serves: Option<SharedCall>,
    served_before: bool,
    /// Which secrets of the request were already put back into its head.
    progress: Progress,
    /// Whether the head of the call's request was already written or held.
    began: bool,
    /// The head of the request. It is sent together with the first bytes of the body, because a
    /// server with little room for connections may reset one whose request arrives in two pieces.
    held: Vec<u8>,
}

impl Connection {
    pub(super) fn new(
        transport: Box<dyn Transport>,
        socket: Option<Weak<dyn ShutdownHandle>>,
    ) -> Self {
        Self {
            transport,
            socket,
            serves: None,
            served_before: false,
            progress: Progress::default(),
            began: false,
            held: Vec::new(),
        }
    }

    /// Attaches the connection to the call that runs on this thread, unless it is attached already.
    fn serve(&mut self) -> Result<&SharedCall, Error> {
        if let Some(ref call) = self.serves {
            return Ok(call);
        }
        let call = current()?.call;
        call.attach(self.socket.clone(), self.served_before)?;
        self.served_before = true;
        self.progress = Progress::default();
        self.began = false;
        self.held.clear();
        Ok(self.serves.insert(call))
    }

    /// Sends the held head and the first `amount` bytes of the output.
    fn send(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.held.is_empty() {
            return self.transport.transmit_output(amount, timeout);
        }
        let head = std::mem::take(&mut self.held);
        let output = self.transport.buffers().output();
        // Bytes that do not fit into the output beside the head follow in another write.
        let fits = amount.min(output.len() - head.len());
        let rest = output[fits..amount].to_vec();
        output.copy_within(..fits, head.len());
        output[..head.len()].copy_from_slice(&head);
        self.transport.transmit_output(head.len() + fits, timeout)?;
        if rest.is_empty() {
            return Ok(());
        }
        self.transport.buffers().output()[..rest.len()].copy_from_slice(&rest);
        self.transport.transmit_output(rest.len(), timeout)
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let call = Arc::clone(self.serve()?);
        if let Some(withheld) = call.withheld()
            && !self.progress.is_done
        {
            let output = &mut self.transport.buffers().output()[..amount];
            withheld.put_back(output, &mut self.progress);
        }
        if !std::mem::replace(&mut self.began, true) && amount <= MAX_HELD {
            let head = &self.transport.buffers().output()[..amount];
            self.held.extend_from_slice(head);
            return Ok(());
        }
        self.send(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.serve()?;
        if !self.held.is_empty() {
            self.send(0, timeout)?;
        }
        let before = self.transport.buffers().input().len();
        let result = self.transport.await_input(timeout);
        let came = self.transport.buffers().input().len() - before;
        let call = self.serve()?;
        match &result {
            Ok(true) if call.note_silence(came) > MAX_SILENCE => {
                return Err(Error::BodyExceedsLimit(MAX_SILENCE as u64));
            }
            Ok(true) => call.note_answered(),
            Ok(false) => {}
            // Noted, because ureq takes some errors for the end of a body without a length.
            Err(_) => call.note_broken(),
        }
        result
    }

    /// ureq calls this when it takes the connection out of its pool and when it is about to put it
    /// back. At both times the connection serves no call.
    fn is_open(&mut self) -> bool {
        if let Some(call) = self.serves.take() {
            call.detach();
        }
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}

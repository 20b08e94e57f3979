//! The environment of a transport case: the pair under test, a server, and short forms for
//! requests.

use std::fmt::Write;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chatcore::{
    ByteStream, ConnectTimeout, Executor, Transport, TransportError, TransportErrorKind,
};
use futures_lite::StreamExt;
use http::response::Parts;
use http::{Request, Response};

use crate::server::{Secured, Server, What};
use crate::{CASE_CAP, Outcome, Scheme, ensure};

/// An executor, a transport, and a server only for them.
#[derive(Debug)]
pub struct Pair {
    /// The executor under test.
    pub executor: Arc<dyn Executor>,
    /// The transport under test.
    pub transport: Arc<dyn Transport>,
    /// The server of this case.
    pub server: Server,
    /// The TLS front of the server, for [`Scheme::Https`].
    secured: Option<Secured>,
}

/// Connecting may take as long as a case, because on a busy machine dozens of concurrent TLS
/// handshakes take longer than the default timeout.
pub(crate) const CONNECT: ConnectTimeout = ConnectTimeout(CASE_CAP);

/// How a request failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) kind: TransportErrorKind,
    pub(crate) message: String,
    /// Whether the head had arrived.
    pub(crate) in_body: bool,
    /// The part of the body that had arrived.
    pub(crate) body: Vec<u8>,
}

impl Pair {
    /// Starts a server that `transport` reaches with `scheme`.
    pub fn start(
        executor: Arc<dyn Executor>,
        transport: Arc<dyn Transport>,
        scheme: Scheme,
    ) -> io::Result<Self> {
        let server = Server::start()?;
        let secured = match scheme {
            Scheme::Http => None,
            Scheme::Https => Some(Secured::start(server.address())?),
        };
        Ok(Self {
            executor,
            transport,
            server,
            secured,
        })
    }

    /// The URL of `path` on the server, with the scheme of this case. `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        match &self.secured {
            None => self.server.url(path),
            Some(secured) => secured.url(path),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Result<Request<Bytes>, String> {
        get(&self.url(path))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Result<Request<Bytes>, String> {
        Request::post(self.url(path))
            .extension(CONNECT)
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .map_err(|error| error.to_string())
    }

    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        self.transport.send(request).await
    }

    /// Sends a request that must get a complete answer.
    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Result<(Parts, Vec<u8>), String> {
        let what = format!("{} {}", request.method(), request.uri().path());
        self.attempt(request)
            .await
            .map_err(|failed| format!("{what} fails: {:?}, \"{}\"", failed.kind, failed.message))
    }

    /// Gets `path`, which must have a complete answer, as text.
    pub(crate) async fn text(&self, path: &str) -> Result<String, String> {
        let (_, body) = self.answer(self.get(path)?).await?;
        String::from_utf8(body).map_err(|error| error.to_string())
    }

    /// Sends a request that must fail.
    pub(crate) async fn failure(&self, request: Request<Bytes>) -> Result<Failed, String> {
        let what = format!("{} {}", request.method(), request.uri().path());
        match self.attempt(request).await {
            Err(failed) => Ok(failed),
            Ok((head, body)) => Err(format!(
                "{what} must fail, and is answered {} and {} bytes that seem whole: {:?}",
                head.status,
                body.len(),
                String::from_utf8_lossy(&body[..body.len().min(80)])
            )),
        }
    }

    /// Gets `path`, which must fail with one of `kinds`.
    pub(crate) async fn fails(
        &self,
        path: &str,
        kinds: &[TransportErrorKind],
    ) -> Result<Failed, String> {
        let failed = self.failure(self.get(path)?).await?;
        ensure!(
            kinds.contains(&failed.kind),
            "{path} must fail as {kinds:?}, and fails as {:?}: \"{}\"",
            failed.kind,
            failed.message
        );
        Ok(failed)
    }

    /// Sends a request that may get a complete answer or fail.
    pub(crate) async fn attempt(
        &self,
        request: Request<Bytes>,
    ) -> Result<(Parts, Vec<u8>), Failed> {
        let failed = |error: TransportError, in_body: bool, body: Vec<u8>| Failed {
            kind: error.kind(),
            message: error.to_string(),
            in_body,
            body,
        };
        let response = match self.send(request).await {
            Ok(response) => response,
            Err(error) => return Err(failed(error, false, Vec::new())),
        };
        let (head, mut stream) = response.into_parts();
        let mut body = Vec::new();
        while let Some(piece) = stream.next().await {
            match piece {
                Ok(piece) => body.extend_from_slice(&piece),
                Err(error) => return Err(failed(error, true, body)),
            }
        }
        Ok((head, body))
    }

    /// The server's latest events, for the message of a failure.
    pub(crate) fn history(&self) -> String {
        let events = self.server.events();
        let mut text = String::from("the server saw:");
        let first = events.first().map_or_else(Instant::now, |event| event.at);
        for event in &events[events.len().saturating_sub(20)..] {
            let what = match &event.what {
                What::Request(seen) => format!("{} {}", seen.method, seen.target),
                other => format!("{other:?}"),
            };
            let at = event.at.saturating_duration_since(first);
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n  {at:>12.3?} connection {}: {what}",
                event.connection
            );
        }
        text
    }
}

pub(crate) fn get(url: &str) -> Result<Request<Bytes>, String> {
    Request::get(url)
        .extension(CONNECT)
        .body(Bytes::new())
        .map_err(|error| error.to_string())
}

/// Reads until exactly `expected` has arrived.
pub(crate) async fn expect_bytes(body: &mut ByteStream, expected: &[u8]) -> Outcome {
    let mut came = Vec::new();
    while came.len() < expected.len() {
        match body.next().await {
            Some(Ok(piece)) => came.extend_from_slice(&piece),
            Some(Err(error)) => return Err(format!("the body fails: {error}")),
            None => break,
        }
    }
    ensure!(
        came == expected,
        "the body brings {:?} where {:?} was sent",
        String::from_utf8_lossy(&came),
        String::from_utf8_lossy(expected)
    );
    Ok(())
}

/// The body must end cleanly here.
pub(crate) async fn expect_end(body: &mut ByteStream) -> Outcome {
    match body.next().await {
        None => Ok(()),
        Some(Ok(piece)) => Err(format!("the body goes on with {piece:?} after its end")),
        Some(Err(error)) => Err(format!("a whole body ends in an error: {error}")),
    }
}

//! What a worker does for one call, from sending the request to the end of the body.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chatcore::{ConnectTimeout, TransportError};
use http::request::Parts;
use http::{Method, Request, Response};
use ureq::{Agent, Body, Error};

use super::BUFFER;
use super::agents::Agents;
use super::call::SharedCall;
use super::connect::OnCall;
use super::error::{before_head, broken_body, in_body, is_lost};
use super::withheld::Withheld;

/// A smaller rest of the read buffer is not worth a system call.
const MIN_READ: usize = 1024;

/// Runs the call. Passes the head and the pieces of the body to `call`, and returns how the call
/// ended.
pub(super) fn perform(
    agents: &Agents,
    request: Request<Bytes>,
    call: &SharedCall,
) -> Result<(), TransportError> {
    let (mut parts, body) = request.into_parts();
    let agent = agents.for_uri(&parts.uri)?;
    call.withhold(Withheld::take_from(&mut parts));
    let limit = parts
        .extensions
        .get::<ConnectTimeout>()
        .copied()
        .unwrap_or_default();
    let _on_call = OnCall::begin(call, limit.0);
    let response = match run(agent, &parts, &body, false) {
        Err(Error::Io(error)) if is_lost(&error) && call.may_replace_connection() => {
            let _anew = OnCall::begin(call, limit.0);
            run(agent, &parts, &body, true)
        }
        response => response,
    };
    receive(response, call)
}

/// Sends the request and waits for the head. With `fresh`, uses a new connection.
fn run(agent: &Agent, parts: &Parts, body: &Bytes, fresh: bool) -> Result<Response<Body>, Error> {
    let mut head = Request::new(());
    *head.method_mut() = parts.method.clone();
    *head.uri_mut() = parts.uri.clone();
    *head.headers_mut() = parts.headers.clone();
    if fresh {
        // The other idle connections to this server may be as stale as the one that was lost.
        head = agent
            .configure_request(head)
            .max_idle_age(Duration::ZERO)
            .build();
    }
    let takes_body = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
    if body.is_empty() && !takes_body {
        agent.run(head)
    } else {
        agent.run(head.map(|()| &body[..]))
    }
}

fn receive(
    response: Result<Response<Body>, Error>,
    call: &SharedCall,
) -> Result<(), TransportError> {
    let response = response.map_err(|error| before_head(error, call.is_answered()))?;
    let (mut head, body) = response.into_parts();
    // Removes what ureq adds for its own users.
    head.extensions.clear();
    call.head_came(head);

    // No limit here, because the core limits the size of an answer.
    let mut reader = body.into_with_config().limit(u64::MAX).reader();
    let mut buffer = BytesMut::zeroed(BUFFER);
    loop {
        let n = reader.read(&mut buffer).map_err(in_body)?;
        if n == 0 {
            break;
        }
        // The chunk shares the buffer's memory; the rest of the buffer takes the next chunk.
        let chunk = buffer.split_to(n).freeze();
        if buffer.len() < MIN_READ {
            buffer = BytesMut::zeroed(BUFFER);
        }
        call.chunk_came(chunk)?;
    }
    if call.is_broken() {
        return Err(broken_body());
    }
    Ok(())
}

/// The error of a call whose job panicked, which is a bug in this crate or in ureq.
pub(super) fn panicked() -> TransportError {
    TransportError::new(
        chatcore::TransportErrorKind::Other,
        "the HTTP client panicked; please report it",
    )
}

/// The agents, shared with the workers.
pub(super) type SharedAgents = Arc<Agents>;

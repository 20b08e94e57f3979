//! The step that writes a request down: all that can be refused before anything is sent.

use bytes::Bytes;
use http::Request;

use super::validate::validate;
use super::{Call, Core, adjust};
use crate::chat::ChatRequest;
use crate::dialect::Mode;
use crate::error::Error;
use crate::policy::defaults::Wishes;
use crate::policy::plan::Plan;

/// Checks and encodes. `mode` is what the caller awaits; a whole answer may be fetched as a stream.
pub(super) fn encode(
    core: &Core,
    call: &Call,
    plan: &mut Plan,
    mode: Mode,
) -> Result<Request<Bytes>, Error> {
    validate(&call.request)?;
    let asked = call.fetches_as_stream.or(core.fetches_as_stream);
    let mode = plan.choose_mode(mode, asked, || core.dialect.streams_tell_all());
    let mut request = core.dialect.encode(&core.endpoint, &call.request, mode)?;
    if mode == Mode::Stream && !plan.wishes.has(Wishes::STREAM_USAGE) {
        adjust::drop_member(&mut request, "stream_options");
    }
    let size = request.body().len();
    if size > core.max_request_bytes {
        return Err(too_large(&call.request, size, core.max_request_bytes));
    }
    core.check_origin(&request)?;
    call.headers
        .add_to(request.headers_mut(), &core.own_headers, &core.endpoint)?;
    request.extensions_mut().extend(call.extensions.clone());
    Ok(request)
}

/// Names the message that makes a request too large.
fn too_large(request: &ChatRequest, size: usize, limit: usize) -> Error {
    let largest = request
        .messages
        .iter()
        .enumerate()
        .max_by_key(|(_, message)| message.text().len());
    let which = largest.map_or(String::new(), |(place, message)| {
        format!(
            "; the largest text is that of message {place} ({}), {} bytes",
            match message.role.as_str() {
                "system" => "the system prompt",
                role => role,
            },
            message.text().len()
        )
    });
    Error::invalid(format!(
        "the request has {size} bytes, more than the {limit} that may be sent{which}; shorten it, \
         or raise max_request_bytes"
    ))
}

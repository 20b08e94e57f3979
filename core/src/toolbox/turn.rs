//! Asks the model once.

use super::deadline::{Deadline, TimeUp};
use super::event::{Events, ToolLoopEvent};
use std::future::IntoFuture;

use crate::chat::ChatResponse;
use crate::client::ChatCall;
use crate::error::Error;

/// Asks for the next answer: whole, or as a stream if anybody takes the events.
pub(super) async fn ask(
    call: ChatCall,
    events: &Events,
    deadline: &mut Deadline,
) -> Result<Result<ChatResponse, Error>, TimeUp> {
    if !events.are_taken() {
        return deadline.limit(call.into_future()).await;
    }
    let mut stream = call.stream();
    while let Some(event) = deadline.limit(stream.next()).await? {
        match event {
            Ok(event) => events.send(|| ToolLoopEvent::Content(event)).await,
            Err(error) => return Ok(Err(error)),
        }
    }
    deadline.limit(stream.into_response()).await
}

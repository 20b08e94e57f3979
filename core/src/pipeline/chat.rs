//! A chat as a job.

use bytes::Bytes;
use http::Request;
use http::response::Parts;

use super::adjust::{adjust, drop_member, explain};
use super::chat_reader::ChatReader;
use super::job::{Job, Reader};
use super::validate::validate;
use super::{Shared, check_size};
use crate::chat::ChatRequest;
use crate::dialect::Mode;
use crate::error::Error;
use crate::observe::{Asked, Operation};
use crate::policy::defaults::Wishes;
use crate::policy::estimate;
use crate::policy::plan::Plan;

/// A chat whose defaults are filled in.
#[derive(Debug)]
pub(crate) struct ChatJob {
    /// What is asked; taken once it is written down, so that a prompt is not held twice.
    request: ChatRequest,
    /// The model that the request names.
    named: Option<String>,
    plan: Plan,
    /// What the caller awaits.
    mode: Mode,
    /// Whether a whole answer is fetched as a stream, where the caller says so.
    fetches_as_stream: Option<bool>,
}

impl ChatJob {
    pub(super) fn new(
        request: ChatRequest,
        plan: Plan,
        mode: Mode,
        fetches_as_stream: Option<bool>,
    ) -> Self {
        Self {
            named: request.model.clone(),
            request,
            plan,
            mode,
            fetches_as_stream,
        }
    }
}

impl Job for ChatJob {
    fn asked<'a>(&'a self, shared: &'a Shared) -> Asked<'a> {
        let request = &self.request;
        Asked {
            operation: Operation::Chat,
            model: self.named.as_deref().unwrap_or(shared.endpoint.model()),
            mode: self.mode,
            temperature: request.temperature,
            top_p: request.top_p,
            max_tokens: request.max_tokens,
            seed: request.seed,
        }
    }

    fn encode(&mut self, shared: &Shared) -> Result<Request<Bytes>, Error> {
        let request = std::mem::take(&mut self.request);
        validate(&request)?;
        let asked = self.fetches_as_stream.or(shared.fetches_as_stream);
        let dialect = &shared.dialect;
        let mode = self
            .plan
            .choose_mode(self.mode, asked, || dialect.streams_tell_all());
        let mut encoded = dialect.encode(&shared.endpoint, &request, mode)?;
        if mode == Mode::Stream && !self.plan.wishes.has(Wishes::STREAM_USAGE) {
            drop_member(&mut encoded, "stream_options");
        }
        check_size(shared, &encoded, || largest_message(&request))?;
        Ok(encoded)
    }

    fn tokens(&self) -> u64 {
        estimate::tokens(&self.request)
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn reader(&self, shared: &Shared, head: &Parts) -> Box<dyn Reader> {
        let decoder = shared.dialect.decoder(head, self.mode, shared.caps);
        Box::new(ChatReader::new(decoder, head, self.mode, shared))
    }

    fn adjust(
        &mut self,
        shared: &Shared,
        request: &Request<Bytes>,
        error: &Error,
    ) -> Option<Request<Bytes>> {
        adjust(
            shared,
            self.named.as_deref(),
            &mut self.plan,
            request,
            error,
        )
    }

    fn learn(&self, shared: &Shared, error: Option<&Error>) {
        let lessons = match error {
            None => self.plan.found,
            Some(error) => self.plan.found_in(error),
        };
        shared.learn(self.named.as_deref(), lessons);
    }

    fn explain(&self, error: Error, request: &Request<Bytes>) -> Error {
        explain(error, request)
    }
}

/// Names the message that makes a request too large.
fn largest_message(request: &ChatRequest) -> String {
    let largest = request
        .messages
        .iter()
        .enumerate()
        .max_by_key(|(_, message)| message.text().len());
    largest.map_or(String::new(), |(place, message)| {
        format!(
            "; the largest text is that of message {place} ({}), {} bytes",
            match message.role.as_str() {
                "system" => "the system prompt",
                role => role,
            },
            message.text().len()
        )
    })
}

//! A chat as a job.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::response::Parts;

use super::adjust::{adjust, drop_member, explain};
use super::begin::{Begun, begin, check_size};
use super::chat_reader::ChatReader;
use super::job::{Ask, Job, Reader};
use super::largest::largest_part;
use super::validate::validate;
use super::{Call, Opened, Shared, open};
use crate::chat::ChatRequest;
use crate::dialect::{Dialect, Mode};
use crate::error::Error;
use crate::head::ResponseHead;
use crate::observe::{Asked, Operation};
use crate::policy::defaults::Wishes;
use crate::policy::estimate;
use crate::policy::plan::Plan;
use crate::secrets::Secrets;

/// Runs a chat to its first content (a stream) or to its end (a whole answer).
pub(crate) async fn chat(
    shared: Arc<Shared>,
    call: Call,
    mode: Mode,
) -> Result<Opened<ChatReader>, Error> {
    open(move || begin_chat(shared, call, mode)).await
}

fn begin_chat(shared: Arc<Shared>, call: Call, mode: Mode) -> Result<Begun, Error> {
    let mut call = call.0;
    #[cfg(feature = "typed")]
    let fitted = super::schema::fit(&shared, &mut call);
    let plan = shared.fill_in(&mut call.request, &call.defaults);
    let ask = ChatAsk {
        request: &call.request,
        plan,
        mode,
        fetches_as_stream: call.fetches_as_stream,
        keeps_head: call.keeps_head.then(|| {
            let mut secrets = Secrets::new();
            call.rules.headers.tell_secrets(&mut secrets);
            Box::new(secrets)
        }),
    };
    #[cfg(feature = "typed")]
    if let Err(why) = fitted {
        let asked = ask.asked(&shared);
        return Err(super::begin::refuse(&shared, &asked, &call.rules, why));
    }
    begin(shared, ask, call.rules, mode)
}

/// A chat with its defaults filled in.
struct ChatAsk<'a> {
    request: &'a ChatRequest,
    plan: Plan,
    /// Whether the caller wants a stream or a whole answer.
    mode: Mode,
    /// Whether to fetch a whole answer as a stream, if the caller decided that.
    fetches_as_stream: Option<bool>,
    /// As in [`ChatJob`].
    keeps_head: Option<Box<Secrets>>,
}

impl Ask for ChatAsk<'_> {
    fn asked<'a>(&'a self, shared: &'a Shared) -> Asked<'a> {
        let request = self.request;
        Asked {
            operation: Operation::Chat,
            model: request.model.as_deref().unwrap_or(shared.endpoint.model()),
            mode: self.mode,
            temperature: request.temperature,
            top_p: request.top_p,
            max_tokens: request.max_tokens,
            seed: request.seed,
        }
    }

    fn tokens(&self) -> u64 {
        estimate::estimate_tokens(self.request)
    }

    fn write(mut self, shared: &Shared) -> Result<(Request<Bytes>, Box<dyn Job>), Error> {
        let request = self.request;
        validate(request)?;
        let asked = self.fetches_as_stream.or(shared.fetches_as_stream);
        let variant = shared.dialect.variant(&shared.endpoint, request);
        let dialect = variant.as_ref().unwrap_or(&shared.dialect);
        let mode = self
            .plan
            .choose_mode(self.mode, asked, || dialect.streams_tell_all());
        let mut encoded = dialect.encode(&shared.endpoint, request, mode)?;
        if mode == Mode::Stream && !self.plan.wishes.has(Wishes::STREAM_USAGE) {
            drop_member(&mut encoded, "stream_options");
        }
        // Among the built-in dialects, only OpenAI's Responses writes `include`.
        if !request.extra.contains_key("include") {
            match self.plan.known.refused.has(Wishes::INCLUDE) {
                true => drop_member(&mut encoded, "include"),
                false => self.plan.wishes.add(Wishes::INCLUDE),
            }
        }
        check_size(shared, &encoded, || largest_part(request))?;
        let job = ChatJob {
            named: request.model.clone(),
            variant,
            // A stream that chatcore itself chose is given up if the provider refuses it.
            streams: (mode == Mode::Stream).then_some(asked.is_some() || self.mode == mode),
            plan: self.plan,
            mode: self.mode,
            keeps_head: self.keeps_head,
        };
        Ok((encoded, Box::new(job)))
    }
}

/// A chat whose request is encoded.
#[derive(Debug)]
struct ChatJob {
    /// The model that the request names.
    named: Option<String>,
    /// The dialect of this call, if it differs from the provider's.
    variant: Option<Arc<dyn Dialect>>,
    plan: Plan,
    mode: Mode,
    /// If the answer is fetched as a stream: whether the caller decided that.
    streams: Option<bool>,
    /// If the head of the response is kept: the secrets of the call's own headers, which must not
    /// be in it.
    keeps_head: Option<Box<Secrets>>,
}

impl Job for ChatJob {
    fn dialect<'a>(&'a self, shared: &'a Shared) -> &'a dyn Dialect {
        &**self.variant.as_ref().unwrap_or(&shared.dialect)
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn reader(&self, shared: &Shared, head: &Parts) -> Box<dyn Reader> {
        let dialect = self.dialect(shared);
        let decoder = dialect.decoder(head, self.mode, shared.caps);
        let mut reader = ChatReader::new(decoder, head, self.mode, shared);
        if let Some(of_call) = &self.keeps_head {
            #[cfg_attr(
                not(feature = "limits"),
                expect(unused_mut, reason = "the limits are not read")
            )]
            let mut kept = ResponseHead::of(head, |text| {
                shared.redact(text);
                of_call.redact(text);
            });
            #[cfg(feature = "limits")]
            {
                kept.limits = dialect.limits(&head.headers);
            }
            reader.keep_head(kept);
        }
        Box::new(reader)
    }

    fn adjust(
        &mut self,
        shared: &Shared,
        request: &Request<Bytes>,
        error: &Error,
    ) -> Option<Request<Bytes>> {
        let dialect = self.variant.as_ref().unwrap_or(&shared.dialect);
        adjust(
            shared,
            &**dialect,
            self.named.as_deref(),
            &mut self.plan,
            request,
            error,
        )
    }

    fn streams(&self) -> bool {
        let is_wanted = |is_decided| is_decided || self.plan.wishes.has(Wishes::STREAM);
        self.streams.is_some_and(is_wanted)
    }

    fn learn(&self, shared: &Shared, error: Option<&Error>) {
        let lessons = match error {
            None => self.plan.found,
            Some(error) => self.plan.found_in(error),
        };
        shared.learn(self.named.as_deref(), lessons);
    }

    fn explain(&self, shared: &Shared, error: Error, request: &Request<Bytes>) -> Error {
        explain(error, self.dialect(shared), request)
    }
}

//! What one call asks for, and how it runs.

use std::fmt;
use std::sync::Arc;

use super::CallHeaders;
#[cfg(feature = "typed")]
use super::schema_form::SchemaNote;
use crate::admission::queue::WhenFull;
use crate::chat::ChatRequest;
use crate::policy::defaults::Defaults;
use crate::policy::retry::RetryPolicy;
use crate::policy::timeouts::Timeouts;
use crate::time::Instant;

/// A chat on its way to the [`Backend`](crate::Backend) that answers it: the request, and how to
/// run it.
///
/// A [`ChatCall`](crate::ChatCall) creates it. A backend of your own may read and change the
/// [`request`](Self::request), and hands the call on to another backend or answers it itself.
///
/// ```
/// use chatcore::Call;
///
/// /// What a backend of one's own does before it hands a call on.
/// fn with_a_cheaper_model(mut call: Call) -> Call {
///     if call.request().max_tokens.is_some_and(|most| most < 100) {
///         call.request_mut().model = Some("tiny".into());
///     }
///     call
/// }
/// # let _ = with_a_cheaper_model;
/// ```
#[derive(Clone, Debug)]
pub struct Call(pub(crate) Box<CallParts>);

/// The contents of a [`Call`]. Boxed, because a call is moved a few times before anything is sent.
#[derive(Clone, Debug)]
pub(crate) struct CallParts {
    pub(crate) request: ChatRequest,
    /// Defaults for what the request leaves open.
    pub(crate) defaults: Defaults,
    /// Whether to fetch a whole answer as a stream, if the caller decided that.
    pub(crate) fetches_as_stream: Option<bool>,
    /// Whether to keep the head of the response for the caller.
    pub(crate) keeps_head: bool,
    /// How to send the schema of a typed answer. `None` sends the request as it is.
    #[cfg(feature = "typed")]
    pub(crate) schema_use: Option<SchemaUse>,
    /// Learns how the schema was sent.
    #[cfg(feature = "typed")]
    pub(crate) schema_note: Option<SchemaNote>,
    pub(crate) rules: Rules,
}

/// How to send the schema of a typed answer.
#[cfg(feature = "typed")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaUse {
    /// As the dialect's rules demand.
    Fitted,
    /// In the prompt.
    InPrompt,
}

impl Call {
    pub(crate) fn new(request: ChatRequest, defaults: Defaults, rules: Rules) -> Self {
        Self(Box::new(CallParts {
            request,
            defaults,
            fetches_as_stream: None,
            keeps_head: false,
            #[cfg(feature = "typed")]
            schema_use: None,
            #[cfg(feature = "typed")]
            schema_note: None,
            rules,
        }))
    }

    /// The chat request.
    pub fn request(&self) -> &ChatRequest {
        &self.0.request
    }

    /// The chat request, mutable: to change the model, for example.
    pub fn request_mut(&mut self) -> &mut ChatRequest {
        &mut self.0.request
    }

    /// The defaults for what the request leaves open.
    pub fn defaults(&self) -> &Defaults {
        &self.0.defaults
    }

    /// The time limits.
    pub fn timeouts(&self) -> &Timeouts {
        &self.0.rules.timeouts
    }
}

/// A request other than a chat, on its way to the [`Backend`](crate::Backend) that answers it, and
/// how to run it. A backend of your own may read and change the [`request`](Self::request), and
/// hands the call on to another backend or answers it itself.
///
/// ```
/// use chatcore::{EmbedRequest, JobCall};
///
/// /// What a backend of one's own does before it hands a call on.
/// fn with_a_model(mut call: JobCall<EmbedRequest>) -> JobCall<EmbedRequest> {
///     call.request.model.get_or_insert_with(|| "tiny-embed".into());
///     call
/// }
/// # let _ = with_a_model;
/// ```
#[derive(Clone, Debug)]
pub struct JobCall<R> {
    /// The request; `()` for the list of models.
    pub request: R,
    pub(crate) rules: Rules,
}

impl<R> JobCall<R> {
    #[cfg(feature = "jobs")]
    pub(crate) fn new(request: R, rules: Rules) -> Self {
        Self { request, rules }
    }

    /// The time limits.
    pub fn timeouts(&self) -> &Timeouts {
        &self.rules.timeouts
    }
}

/// How a call runs.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) headers: CallHeaders,
    /// The caller's extensions, which the transport reads.
    pub(crate) extensions: http::Extensions,
    pub(crate) timeouts: Arc<Timeouts>,
    /// When the whole call began, if this is one of its several requests. `None` if the limits of
    /// the whole call start with this request.
    pub(crate) called: Option<Instant>,
    /// Whether the call waits for a permit without a time limit.
    pub(crate) patient: bool,
    /// Whether a default overall limit starts only when the call has a permit.
    pub(crate) waits_freely: bool,
    pub(crate) when_full: WhenFull,
    pub(crate) retry: Arc<RetryPolicy>,
}

impl Rules {
    /// The client's own rules.
    pub(crate) fn new(timeouts: Arc<Timeouts>, retry: Arc<RetryPolicy>) -> Self {
        Self {
            headers: CallHeaders::default(),
            extensions: http::Extensions::new(),
            timeouts,
            called: None,
            patient: false,
            waits_freely: false,
            when_full: WhenFull::default(),
            retry,
        }
    }

    /// The rules for each of several requests of a call that begins at `now`. If the caller set an
    /// overall or total limit, it covers all of the requests together. Otherwise the default
    /// overall limit applies to each request.
    #[cfg(feature = "jobs")]
    pub(super) fn for_several(mut self, now: Instant) -> Self {
        let is_default = self.timeouts.is_default();
        let has_total = self.timeouts.total.is_some();
        if is_default && has_total {
            Arc::make_mut(&mut self.timeouts).set_overall(None);
        }
        self.called = (!is_default || has_total).then_some(now);
        self
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("headers", &self.headers)
            .field("timeouts", &self.timeouts)
            .field("patient", &self.patient)
            .field("when_full", &self.when_full)
            .finish_non_exhaustive()
    }
}

//! What one call asks for, and how it is to run.

use std::fmt;
use std::sync::Arc;

use super::CallHeaders;
use crate::admission::queue::WhenFull;
use crate::chat::ChatRequest;
use crate::policy::defaults::Defaults;
use crate::policy::retry::RetryPolicy;
use crate::policy::timeouts::Timeouts;
use crate::time::Instant;

/// A chat on its way to whatever answers it: the request, and how it is to run.
///
/// A [`ChatCall`](crate::ChatCall) makes it. A [`Backend`](crate::Backend) of your own reads and
/// changes the [`request`](Self::request), and hands the call on to another backend or answers it
/// itself.
#[derive(Clone, Debug)]
pub struct Call(pub(crate) Box<CallParts>);

/// Boxed, because a call is handed on a few times before anything is sent.
#[derive(Clone, Debug)]
pub(crate) struct CallParts {
    pub(crate) request: ChatRequest,
    /// What is asked for where the request says nothing.
    pub(crate) defaults: Defaults,
    /// Whether a whole answer is fetched as a stream, where the caller says so.
    pub(crate) fetches_as_stream: Option<bool>,
    pub(crate) rules: Rules,
}

impl Call {
    pub(crate) fn new(request: ChatRequest, defaults: Defaults, rules: Rules) -> Self {
        Self(Box::new(CallParts {
            request,
            defaults,
            fetches_as_stream: None,
            rules,
        }))
    }

    /// What is asked.
    pub fn request(&self) -> &ChatRequest {
        &self.0.request
    }

    /// What is asked, to change it: another model, for example.
    pub fn request_mut(&mut self) -> &mut ChatRequest {
        &mut self.0.request
    }

    /// What is asked for where the request says nothing.
    pub fn defaults(&self) -> &Defaults {
        &self.0.defaults
    }

    /// The time limits.
    pub fn timeouts(&self) -> &Timeouts {
        &self.0.rules.timeouts
    }
}

/// A request other than a chat on its way to whatever answers it, and how it is to run. A
/// [`Backend`](crate::Backend) of your own reads and changes the [`request`](Self::request), and
/// hands the call on to another backend or answers it itself.
#[derive(Clone, Debug)]
pub struct JobCall<R> {
    /// What is asked; `()` for the list of models.
    pub request: R,
    pub(crate) rules: Rules,
}

impl<R> JobCall<R> {
    pub(crate) fn new(request: R, rules: Rules) -> Self {
        Self { request, rules }
    }

    /// The time limits.
    pub fn timeouts(&self) -> &Timeouts {
        &self.rules.timeouts
    }
}

/// How a call is to run.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) headers: CallHeaders,
    /// What the caller tells the transport.
    pub(crate) extensions: http::Extensions,
    pub(crate) timeouts: Arc<Timeouts>,
    /// When the call began of which this is one request of several; `None` where the limits of the
    /// whole call begin with the request.
    pub(crate) called: Option<Instant>,
    /// Whether it waits for its place as long as it takes.
    pub(crate) patient: bool,
    /// Whether a default overall limit begins when the call has its place.
    pub(crate) waits_freely: bool,
    pub(crate) when_full: WhenFull,
    pub(crate) retry: Arc<RetryPolicy>,
}

impl Rules {
    /// The client's own.
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

    /// The rules for each of several requests of a call that begins `now`. A limit of the whole
    /// call that was set holds for all of them together, and a default one for each.
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

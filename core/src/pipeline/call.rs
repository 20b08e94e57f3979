//! What one call asks for, and how it is to run.

use std::fmt;
use std::sync::Arc;

use super::CallHeaders;
use crate::admission::queue::WhenFull;
use crate::chat::ChatRequest;
use crate::policy::defaults::Defaults;
use crate::policy::retry::RetryPolicy;
use crate::policy::timeouts::Timeouts;

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

/// How a call is to run.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) headers: CallHeaders,
    /// What the caller tells the transport.
    pub(crate) extensions: http::Extensions,
    pub(crate) timeouts: Arc<Timeouts>,
    /// Whether it waits for its place as long as it takes.
    pub(crate) patient: bool,
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
            patient: false,
            when_full: WhenFull::default(),
            retry,
        }
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

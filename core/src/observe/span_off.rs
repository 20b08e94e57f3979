//! An empty span for builds without the feature `tracing`. It costs nothing.

use std::future::Future;
use std::time::Duration;

use super::{Asked, Summary};
use crate::dialect::Endpoint;
use crate::error::Error;

#[derive(Clone, Debug)]
pub(crate) struct CallSpan;

impl CallSpan {
    pub(crate) fn begin(_: &Endpoint, _: &Asked<'_>) -> Self {
        Self
    }

    pub(crate) fn around<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        future
    }

    pub(crate) fn enter<R>(&self, function: impl FnOnce() -> R) -> R {
        function()
    }

    pub(crate) fn started(&self, _: u32) {}

    pub(crate) fn retrying(&self, _: u32, _: &Error, _: Duration) {}

    pub(crate) fn first_content(&self, _: impl FnOnce() -> Duration) {}

    pub(crate) fn succeeded(&self, _: u32, _: &Summary<'_>, _: &dyn Fn(&mut String)) {}

    pub(crate) fn failed(&self, _: &Error, _: &dyn Fn(&mut String)) {}

    pub(crate) fn cancelled(&self, _: u32) {}
}

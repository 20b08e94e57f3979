//! Stands in for a client's limits in builds without the feature `limits`: there are none.

use std::sync::Arc;

use crate::admission::limiter::Limiter;
use crate::executor::Executor;
use crate::policy::adaptive::AdaptiveLimit;
use crate::policy::hedge::Hedge;

#[derive(Clone, Debug, Default)]
pub(super) struct Limits {}

impl Limits {
    pub(super) fn limiter(&self, _: &Arc<dyn Executor>, _: usize) -> Option<Arc<Limiter>> {
        None
    }

    pub(super) fn adaptive(&self) -> Option<AdaptiveLimit> {
        None
    }

    pub(super) fn hedge(&self) -> Option<Hedge> {
        None
    }
}

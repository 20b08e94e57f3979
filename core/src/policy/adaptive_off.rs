//! Stands in for the adaptive limit in builds without the feature `limits`. No value of the type
//! exists, so the compiler leaves out all code that would use one.

use crate::error::Error;
use crate::time::Instant;

#[derive(Debug)]
pub(crate) enum AdaptiveLimit {}

impl AdaptiveLimit {
    pub(crate) fn limit(&self) -> usize {
        match *self {}
    }

    pub(crate) fn max(&self) -> usize {
        match *self {}
    }

    pub(crate) fn on_success(&mut self, _: usize) -> usize {
        match *self {}
    }

    pub(crate) fn on_overload(&mut self, _: Instant, _: Instant) -> usize {
        match *self {}
    }
}

pub(crate) fn is_overload(_: &Error) -> bool {
    false
}

//! Stands in for the limiter in builds without the feature `limits`. No value of these types
//! exists, so the compiler leaves out all code that would use one.

use crate::dialect::LimitHints;

#[derive(Debug)]
pub(crate) enum Limiter {}

impl Limiter {
    pub(crate) fn waiting(&self) -> usize {
        match *self {}
    }

    pub(crate) fn close(&self) {
        match *self {}
    }
}

#[derive(Debug)]
pub(crate) enum Reservation {}

impl Reservation {
    pub(crate) fn sent(&mut self) {
        match *self {}
    }

    pub(crate) fn hint(&self, _: &LimitHints) {
        match *self {}
    }

    pub(crate) fn settle(&mut self, _: u64, _: u64) {
        match *self {}
    }

    pub(crate) fn refund(self) {
        match self {}
    }
}

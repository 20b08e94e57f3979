//! smol's global executor, for users who have a transport to check but no executor.

use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant};

use chatcore::{BoxFuture, Executor, Instant};
use smol::Timer;

use super::contained;
use crate::Host;

#[derive(Debug)]
struct Background {
    began: StdInstant,
}

impl Executor for Background {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        smol::spawn(contained(task)).detach();
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let timer = Timer::after(duration);
        Box::pin(async {
            timer.await;
        })
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.began.elapsed())
    }
}

pub(super) fn smol() -> Host {
    let began = StdInstant::now();
    Host::outside(Arc::new(Background { began }))
}

//! The host's tasks, timers and clock.

use std::time::Duration;

use chatcore::{BoxFuture, Instant};
use wasm_bindgen::prelude::*;

use crate::bridge;
use crate::imports;
use crate::pending::Operation;
use crate::task;

/// `setTimeout` takes an `i32` of milliseconds, 24.8 days; a longer timer would fire at once.
const LONGEST_TIMER: Duration = Duration::from_millis(i32::MAX as u64);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// The host's event loop.
#[derive(Debug)]
pub(crate) struct HostExecutor;

impl chatcore::Executor for HostExecutor {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        task::spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(bridge::future(async move {
            let mut left = duration;
            while left > LONGEST_TIMER {
                Timer::start(LONGEST_TIMER).await;
                left -= LONGEST_TIMER;
            }
            Timer::start(left).await;
        }))
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(Duration::from_nanos((performance_now() * 1e6) as u64))
    }
}

/// One timer of the host, cleared on drop.
struct Timer {
    fires: Operation,
}

impl Timer {
    /// Rounds up to whole milliseconds, so that the timer never fires early.
    async fn start(duration: Duration) {
        let mut timer = Self {
            fires: Operation::new(),
        };
        imports::sleep(timer.fires.id(), (duration.as_secs_f64() * 1000.0).ceil());
        (&mut timer.fires).await;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        imports::clear(self.fires.id());
    }
}

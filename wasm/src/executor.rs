//! Tasks, timers and time of the host.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use chatcore::{BoxFuture, Instant};
use wasm_bindgen::prelude::*;

use crate::bridge;

/// What `setTimeout` takes is an `i32` of milliseconds, 24.8 days; more would fire at once.
const LONGEST_TIMER: Duration = Duration::from_millis(i32::MAX as u64);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// The host's event loop.
#[derive(Debug)]
pub(crate) struct HostExecutor;

impl chatcore::Executor for HostExecutor {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        wasm_bindgen_futures::spawn_local(task);
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

/// One `setTimeout`, cleared when it is dropped.
struct Timer {
    id: JsValue,
    // The host calls it, so it must live as long as the timer.
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    /// Not earlier than asked: a part of a millisecond counts as a whole one.
    fn start(duration: Duration) -> impl Future<Output = ()> {
        let milliseconds = (duration.as_secs_f64() * 1000.0).ceil();
        let state = Rc::new(RefCell::new((false, None::<Waker>)));
        let fired = Rc::clone(&state);
        let callback = Closure::<dyn FnMut()>::new(move || {
            let waker = {
                let mut state = fired.borrow_mut();
                state.0 = true;
                state.1.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        let timer = Self {
            id: set_timeout(callback.as_ref(), milliseconds),
            _callback: callback,
        };
        poll_fn(move |cx| {
            let _running = &timer;
            let mut state = state.borrow_mut();
            if state.0 {
                return Poll::Ready(());
            }
            state.1 = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

//! GLib's main loop, which GTK programs run on.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant as StdInstant};

use chatcore::{BoxFuture, Executor, Instant};
use chatcore_conformance::Host;
use futures_channel::oneshot;
use futures_lite::FutureExt;
use glib::{ControlFlow, MainContext, Priority, Source};

/// Background tasks and timers on a main context.
///
/// It can be used on any thread, but some thread must run the context, as `gtk::Application` does.
#[derive(Debug)]
pub struct GlibExecutor {
    context: MainContext,
    began: StdInstant,
}

impl GlibExecutor {
    /// Uses this context; in a GTK program, pass `MainContext::default()`.
    pub fn new(context: MainContext) -> Self {
        let began = StdInstant::now();
        Self { context, began }
    }
}

impl Executor for GlibExecutor {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.context.spawn(async move {
            // A panic must not unwind into the main loop, which is C.
            AssertUnwindSafe(task).catch_unwind().await.ok();
        });
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (end, ended) = oneshot::channel();
        let mut end = Some(end);
        // GLib counts whole milliseconds, up to 49 days.
        let millis = duration.as_nanos().div_ceil(1_000_000);
        let millis = u64::try_from(millis)
            .unwrap_or(u64::MAX)
            .min(u32::MAX.into());
        let timer = glib::timeout_source_new(
            Duration::from_millis(millis),
            None,
            Priority::DEFAULT,
            move || {
                end.take().map(|end| end.send(()));
                ControlFlow::Break
            },
        );
        timer.attach(Some(&self.context));
        let ended = Some(ended);
        Box::pin(Sleep { timer, ended })
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.began.elapsed())
    }
}

/// A timer of the context. Dropping this destroys the timer.
struct Sleep {
    timer: Source,
    ended: Option<oneshot::Receiver<()>>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.ended {
            Some(ended) => Pin::new(ended).poll(cx).map(|_| ()),
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // Drop the receiver first; otherwise it would wake its task when the timer drops the
        // sender.
        self.ended = None;
        self.timer.destroy();
    }
}

/// A main loop on a new context. Like a program's default context, it is never freed, because GLib
/// 2.74 deadlocks or corrupts memory if a context is freed while another thread destroys one of its
/// sources.
pub fn main_loop() -> Host {
    let context = MainContext::new();
    std::mem::forget(context.clone());
    let executor = Arc::new(GlibExecutor::new(context.clone()));
    Host::new(executor, move |case| context.block_on(case))
}

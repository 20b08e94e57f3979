//! Graceful shutdown.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use smol::channel::{Receiver, Sender, bounded};

/// Tells when the shutdown begins. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Drain {
    /// Nothing is ever sent on this channel; it is closed when the shutdown begins.
    begun: Receiver<()>,
}

/// Begins the shutdown when `begin` is called or this is dropped.
#[derive(Debug)]
pub(crate) struct Starter(Sender<()>);

/// A drain, and the starter that begins it.
pub(crate) fn drain() -> (Starter, Drain) {
    let (sender, begun) = bounded(1);
    (Starter(sender), Drain { begun })
}

impl Starter {
    pub(crate) fn begin(&self) {
        self.0.close();
    }
}

impl Drain {
    /// Whether the shutdown has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.is_closed()
    }

    /// Completes when the shutdown begins.
    pub(crate) fn begun(&self) -> Begun {
        let begun = self.begun.clone();
        Begun(Some(Box::pin(async move {
            let _ = begun.recv().await;
        })))
    }
}

/// Completes when the shutdown begins, and may be polled again afterwards.
pub(crate) struct Begun(Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>);

impl Begun {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(begun) = &mut self.0 {
            if begun.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl Future for Begun {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Begun::poll(&mut self, cx)
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Begun").field(&self.0.is_none()).finish()
    }
}

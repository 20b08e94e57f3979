//! Draws from limits that several clients share, while requests wait.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Limiter;
use crate::admission::shared::{LimitAmount, LimitBlock};

/// Shared limits that grant nothing are not asked more often than this.
const DRAW_AGAIN: Duration = Duration::from_millis(1);

impl Limiter {
    /// Draws a block in the background, for as long as requests wait. The pool must have
    /// [started](crate::admission::shared::Pool::starts_drawing) a draw.
    pub(super) fn draw(self: &Arc<Self>) {
        let Some(shared) = self.shared.clone() else {
            return;
        };
        let executor = Arc::clone(&self.executor);
        let mut drawing = Drawing(Some(Arc::downgrade(self)));
        self.executor.spawn(Box::pin(async move {
            while let Some((need, want)) = drawing.wants() {
                match shared.draw(need, want).await {
                    LimitBlock::Granted(amount, lasts) => return drawing.granted(amount, lasts),
                    LimitBlock::Later(wait) => executor.sleep(wait.max(DRAW_AGAIN)).await,
                }
            }
        }));
    }
}

/// The task that draws. It ends with its client; `None` when another task may draw.
struct Drawing(Option<Weak<Limiter>>);

impl Drawing {
    /// What the waiting requests need. `None` if none wait, and then this draw is over.
    fn wants(&mut self) -> Option<(LimitAmount, LimitAmount)> {
        let limiter = self.0.as_ref()?.upgrade()?;
        let mut state = limiter.lock();
        let waiting = state.waiting.len();
        if waiting == 0 || state.closed {
            state.pool.stops_drawing();
            self.0 = None;
            return None;
        }
        Some(state.pool.wants(waiting))
    }

    fn granted(&mut self, amount: LimitAmount, lasts: Duration) {
        if let Some(limiter) = self.0.take().and_then(|limiter| limiter.upgrade()) {
            limiter.change(|state, now| state.pool.granted(now, amount, lasts));
        }
    }
}

/// An executor that drops its tasks leaves no draw behind that never ends.
impl Drop for Drawing {
    fn drop(&mut self) {
        if let Some(limiter) = self.0.take().and_then(|limiter| limiter.upgrade()) {
            limiter.lock().pool.stops_drawing();
        }
    }
}

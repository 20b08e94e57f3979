//! Time limits.

use std::future::Future;
use std::time::Duration;

use chatcore::Executor;
use futures_lite::FutureExt;

/// Runs `work` for at most `limit`. `None` if the time ran out; the work is then dropped.
pub(super) async fn within<T>(
    executor: &dyn Executor,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let began = executor.now();
    let out = async {
        // An executor that is shutting down ends its sleeps early.
        loop {
            let left = limit.saturating_sub(executor.now() - began);
            executor.sleep(left).await;
            if executor.now() - began >= limit {
                return None;
            }
            futures_lite::future::yield_now().await;
        }
    };
    async { Some(work.await) }.or(out).await
}

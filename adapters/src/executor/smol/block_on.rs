//! Runs a future and the executor's tasks on the calling thread.

use std::future::Future;

use super::SmolExecutor;

impl SmolExecutor {
    /// Runs `future` to its end on the calling thread. It also runs the tasks of the executor that
    /// was passed to [`with`](Self::with); the global executor has a thread of its own.
    ///
    /// It is `smol::block_on(executor.run(future))` and costs the same.
    ///
    /// A panic in `future` reaches the caller. A panic in a task spawned by this executor ends only
    /// that task. Everything that `future` owns is dropped when it ends; tasks that have not
    /// finished stay with the executor. Do not call this in async code, because it blocks the
    /// thread.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use chatcore_adapters::executor::SmolExecutor;
    ///
    /// let tasks = Arc::new(smol::Executor::new());
    /// let executor = SmolExecutor::with(Arc::clone(&tasks));
    /// let answer = executor.block_on(async {
    ///     let task = tasks.spawn(async { 6 * 7 });
    ///     task.await
    /// });
    /// assert_eq!(answer, 42);
    /// ```
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.own {
            Some(executor) => ::smol::block_on(executor.run(future)),
            None => ::smol::block_on(future),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use chatcore::Executor;
    use futures_lite::future::yield_now;

    use super::*;

    #[test]
    fn tasks_run_beside_the_future_and_stay_when_it_ends() {
        let tasks = Arc::new(::smol::Executor::new());
        let executor = SmolExecutor::with(Arc::clone(&tasks));
        let ran = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&ran);
        executor.spawn(Box::pin(async move {
            for _ in 0..3 {
                counts.fetch_add(1, Ordering::SeqCst);
                yield_now().await;
            }
        }));
        executor.spawn(Box::pin(async { panic!("stays here") }));
        executor.spawn(Box::pin(std::future::pending()));
        let sum = executor.block_on(async {
            let task = tasks.spawn(async { 1 });
            executor.sleep(Duration::from_millis(2)).await;
            task.await + 1
        });
        assert_eq!(sum, 2);
        assert_eq!(ran.load(Ordering::SeqCst), 3);
        assert!(!tasks.is_empty());
    }

    #[test]
    fn tasks_that_always_have_more_to_do_do_not_hold_up_the_future() {
        let executor = SmolExecutor::with(Arc::new(::smol::Executor::new()));
        executor.spawn(Box::pin(async {
            loop {
                yield_now().await;
            }
        }));
        executor.block_on(executor.sleep(Duration::from_millis(2)));
    }

    #[test]
    fn it_runs_within_itself_and_on_the_global_executor() {
        let outer = SmolExecutor::new();
        let inner = SmolExecutor::with(Arc::new(::smol::Executor::new()));
        let sum = outer.block_on(async {
            outer.sleep(Duration::from_millis(1)).await;
            inner.block_on(async {
                inner.sleep(Duration::from_millis(1)).await;
                1
            }) + 1
        });
        assert_eq!(sum, 2);
    }
}

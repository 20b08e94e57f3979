//! The function that a processor applies to each item.

use std::fmt;
use std::sync::Arc;

use super::{Meter, Progress};
use crate::executor::{BoxFuture, Executor};

type Run<I, O, E> = dyn Fn(I) -> BoxFuture<'static, Result<O, E>> + Send + Sync;
type CountTokens<O> = dyn Fn(&O) -> u64 + Send + Sync;
type OnProgress = dyn Fn(&Progress) + Send + Sync;

/// The function that a processor applies to each item, and the callbacks around it.
pub(super) struct Work<I, O, E> {
    pub(super) executor: Arc<dyn Executor>,
    run: Arc<Run<I, O, E>>,
    limit: Option<Arc<dyn Fn() -> usize + Send + Sync>>,
    count_tokens: Option<Arc<CountTokens<O>>>,
    on_progress: Option<Arc<OnProgress>>,
}

impl<I, O, E> Work<I, O, E> {
    pub(super) fn new<F>(
        executor: Arc<dyn Executor>,
        run: impl Fn(I) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<O, E>> + Send + 'static,
    {
        Self {
            executor,
            run: Arc::new(move |item| Box::pin(run(item))),
            limit: None,
            count_tokens: None,
            on_progress: None,
        }
    }

    pub(super) fn set_count_tokens(&mut self, count: impl Fn(&O) -> u64 + Send + Sync + 'static) {
        self.count_tokens = Some(Arc::new(count));
    }

    pub(super) fn set_on_progress(&mut self, tell: impl Fn(&Progress) + Send + Sync + 'static) {
        self.on_progress = Some(Arc::new(tell));
    }

    pub(super) fn set_prepare(&mut self, change: impl Fn(I) -> I + Send + Sync + 'static)
    where
        I: 'static,
        O: 'static,
        E: 'static,
    {
        let run = Arc::clone(&self.run);
        self.run = Arc::new(move |item| run(change(item)));
    }

    pub(super) fn set_limit(&mut self, limit: impl Fn() -> usize + Send + Sync + 'static) {
        self.limit = Some(Arc::new(limit));
    }

    /// How many requests can be in flight at once, if that is known.
    pub(super) fn limit(&self) -> usize {
        self.limit.as_ref().map_or(usize::MAX, |limit| limit())
    }

    pub(super) fn start(&self, item: I) -> BoxFuture<'static, Result<O, E>> {
        (self.run)(item)
    }

    /// Counts an item that ended, and reports the progress.
    pub(super) fn ended(&self, meter: &mut Meter, result: &Result<O, E>) {
        let tokens = result.as_ref().ok().map(|output| match &self.count_tokens {
            Some(count) => count(output),
            None => 0,
        });
        let progress = meter.ended(tokens, self.executor.now());
        if let Some(tell) = &self.on_progress {
            tell(progress);
        }
    }
}

impl<I, O, E> Clone for Work<I, O, E> {
    fn clone(&self) -> Self {
        Self {
            executor: Arc::clone(&self.executor),
            run: Arc::clone(&self.run),
            limit: self.limit.clone(),
            count_tokens: self.count_tokens.clone(),
            on_progress: self.on_progress.clone(),
        }
    }
}

impl<I, O, E> fmt::Debug for Work<I, O, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("executor", &self.executor)
            .finish_non_exhaustive()
    }
}

//! The helpers of the old client's `AsyncHelper`, on any executor.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::error::{Error, Phase};
use crate::executor::Executor;

/// The limit of [`gather_with_limit`] that the old client used if none was given.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::{DEFAULT_GATHER_LIMIT, gather_with_limit};
///
/// let calls = ["one", "two"].map(|prompt| client.ask(prompt));
/// let answers = gather_with_limit(calls, DEFAULT_GATHER_LIMIT).await;
/// assert_eq!(answers.len(), 2);
/// # Ok(())
/// # }
/// ```
pub const DEFAULT_GATHER_LIMIT: usize = 10;

/// Runs `future`, and drops it if it is not complete after `timeout`.
///
/// As cancel-safe as `future`, because dropping this drops `future`, and so does the timeout.
///
/// ```
/// # async fn example(executor: &dyn chatcore::Executor) -> Result<(), chatcore::Error> {
/// use std::time::Duration;
/// use chatcore::run_with_timeout;
///
/// let work = async { 6 * 7 };
/// assert_eq!(run_with_timeout(executor, Duration::from_secs(1), work).await?, 42);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Timeout`](crate::ErrorKind::Timeout) with [`Phase::Overall`] when the time runs out.
pub async fn run_with_timeout<F: Future>(
    executor: &dyn Executor,
    timeout: Duration,
    future: F,
) -> Result<F::Output, Error> {
    let mut future = pin!(future);
    let mut sleep = executor.sleep(timeout);
    poll_fn(|cx| {
        if let Poll::Ready(output) = Pin::as_mut(&mut future).poll(cx) {
            return Poll::Ready(Ok(output));
        }
        sleep
            .as_mut()
            .poll(cx)
            .map(|()| Err(Error::timeout(Phase::Overall, timeout)))
    })
    .await
}

/// Runs `tasks`, at most `limit` at once (0 counts as 1), and returns their outputs in the order of
/// the tasks. A task that fails does not stop the others: if the outputs are `Result`s, each task
/// has its own.
///
/// The tasks run inside the caller's task, so they need not be `'static`. The next task is taken
/// from the iterator only when it can run. Dropping the future drops the running tasks.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) {
/// let prompts = ["one", "two", "three"];
/// let answers = chatcore::gather_with_limit(
///     prompts.map(|prompt| client.ask(prompt)),
///     2,
/// )
/// .await;
/// for (prompt, answer) in prompts.iter().zip(answers) {
///     match answer {
///         Ok(answer) => println!("{prompt}: {answer}"),
///         Err(error) => println!("{prompt} failed: {error}"),
///     }
/// }
/// # }
/// ```
pub async fn gather_with_limit<T: IntoFuture>(
    tasks: impl IntoIterator<Item = T>,
    limit: usize,
) -> Vec<T::Output> {
    let mut tasks = tasks.into_iter().enumerate();
    let mut running = FuturesUnordered::new();
    let mut outputs = Vec::new();
    loop {
        while running.len() < limit.max(1)
            && let Some((place, task)) = tasks.next()
        {
            let task = task.into_future();
            running.push(async move { (place, task.await) });
        }
        let Some((place, output)) = running.next().await else {
            break;
        };
        if outputs.len() <= place {
            outputs.resize_with(place + 1, || None);
        }
        outputs[place] = Some(output);
    }
    // Every slot is filled, because each task ran to its end.
    outputs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_lite::future::{block_on, yield_now};

    use super::*;

    #[test]
    fn outputs_keep_the_order_and_the_limit_holds() {
        let running = Cell::new(0);
        let most = Cell::new(0);
        let tasks = (0..20_usize).map(|i| {
            let (running, most) = (&running, &most);
            async move {
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                // Later tasks complete sooner.
                for _ in 0..(20 - i) {
                    yield_now().await;
                }
                running.set(running.get() - 1);
                i
            }
        });
        let outputs = block_on(gather_with_limit(tasks, 3));
        assert_eq!(outputs, (0..20).collect::<Vec<_>>());
        assert_eq!(most.get(), 3);
    }

    #[test]
    fn none_and_no_limit_are_fine() {
        assert!(block_on(gather_with_limit(Vec::<std::future::Ready<()>>::new(), 3)).is_empty());
        assert_eq!(block_on(gather_with_limit([std::future::ready(1)], 0)), [1]);
    }
}

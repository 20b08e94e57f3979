//! The load for async clients.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;

use crate::{Done, Kind, Load, Work};

/// The result of one call.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Bytes of text, or of the body if the client does not decode it.
    pub bytes: usize,
    /// Pieces of text, or of the body.
    pub events: usize,
}

/// An async client. Clones share its connections.
pub trait Peer: Clone + Send + Sync + 'static {
    /// Requests a whole answer.
    fn chat(&self, number: usize) -> impl Future<Output = Result<Seen, String>> + Send;

    /// Requests a streamed answer and reads it to its end.
    fn stream(&self, number: usize) -> impl Future<Output = Result<Seen, String>> + Send;

    /// Sends many prompts. Most clients have no method for this, so the default is the code that
    /// their users write.
    fn batch(
        &self,
        count: usize,
        at_once: usize,
    ) -> impl Future<Output = Vec<Result<Seen, String>>> + Send {
        async move {
            stream::iter(0..count)
                .map(|number| self.chat(number))
                .buffered(at_once)
                .collect()
                .await
        }
    }
}

/// Runs the load, on one thread because client and server have one core each.
pub trait Runtime {
    fn block_on<F: Future>(&self, future: F) -> F::Output;

    /// Runs each task separately.
    fn run_all(&self, tasks: Vec<Task>) -> Vec<Done>;
}

/// One loop of calls.
pub type Task = Pin<Box<dyn Future<Output = Done> + Send>>;

/// An async client and its runtime.
#[derive(Debug)]
pub struct AsyncLoad<P, R> {
    pub peer: P,
    pub runtime: R,
}

impl<P: Peer, R: Runtime> Load for AsyncLoad<P, R> {
    fn run(&mut self, work: Work) -> Done {
        let mut all = Done::default();
        if work.kind == Kind::Batch {
            let results = self
                .runtime
                .block_on(self.peer.batch(work.count, work.at_once));
            for result in results {
                all.add(result, work.expect);
            }
            return all;
        }
        let tasks = (0..work.at_once)
            .map(|first| Box::pin(calls(self.peer.clone(), work, first)) as Task)
            .collect();
        for done in self.runtime.run_all(tasks) {
            all.merge(done);
        }
        all
    }
}

/// Makes every `at_once`th call of the work, one after another.
async fn calls<P: Peer>(peer: P, work: Work, first: usize) -> Done {
    let mut done = Done::default();
    done.latencies_ns.reserve(work.count / work.at_once + 1);
    for number in (first..work.count).step_by(work.at_once) {
        let began = Instant::now();
        let seen = match work.kind {
            Kind::Streams => peer.stream(number).await,
            Kind::Chats | Kind::Batch => peer.chat(number).await,
        };
        done.latencies_ns.push(began.elapsed().as_nanos() as u64);
        done.add(seen, work.expect);
    }
    done
}

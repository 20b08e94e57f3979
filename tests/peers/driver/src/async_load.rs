//! The load of a client whose calls are futures.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream;

use crate::{Done, Kind, Load, Work};

/// What came of one call.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Bytes of text, or of the body where the client does not decode it.
    pub bytes: usize,
    /// Pieces of text, or of the body.
    pub events: usize,
}

/// A client. Clones share its connections.
pub trait Peer: Clone + Send + Sync + 'static {
    /// A whole answer.
    fn chat(&self, number: usize) -> impl Future<Output = Result<Seen, String>> + Send;

    /// A streamed answer, read to its end.
    fn stream(&self, number: usize) -> impl Future<Output = Result<Seen, String>> + Send;

    /// Many prompts. Most clients have nothing of their own for it, so this is what their users
    /// write.
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

/// What runs it: on one thread, as client and server have a core each.
pub trait Runtime {
    fn block_on<F: Future>(&self, future: F) -> F::Output;

    /// Runs each as a task of its own.
    fn run_all(&self, tasks: Vec<Task>) -> Vec<Done>;
}

/// One loop of the load.
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

/// Every `at_once`th call of the work, one after another.
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

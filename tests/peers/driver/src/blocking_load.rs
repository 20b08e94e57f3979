//! The load for blocking clients: one thread for each call in flight.

use std::time::Instant;

use crate::{Done, Kind, Load, Seen, Work};

/// A blocking client. Clones share its connections.
pub trait BlockingPeer: Clone + Send + 'static {
    /// Requests a whole answer.
    fn chat(&self, number: usize) -> Result<Seen, String>;

    /// Requests a streamed answer and reads it to its end.
    fn stream(&self, number: usize) -> Result<Seen, String>;
}

/// A blocking client.
#[derive(Debug)]
pub struct BlockingLoad<P>(pub P);

impl<P: BlockingPeer> Load for BlockingLoad<P> {
    fn run(&mut self, work: Work) -> Done {
        let threads: Vec<_> = (0..work.at_once)
            .map(|first| {
                let peer = self.0.clone();
                std::thread::spawn(move || calls(&peer, work, first))
            })
            .collect();
        let mut all = Done::default();
        for thread in threads {
            match thread.join() {
                Ok(done) => all.merge(done),
                Err(_) => all.add(Err("a thread panicked".to_owned()), work.expect),
            }
        }
        all
    }
}

fn calls<P: BlockingPeer>(peer: &P, work: Work, first: usize) -> Done {
    let mut done = Done::default();
    for number in (first..work.count).step_by(work.at_once) {
        let began = Instant::now();
        let seen = match work.kind {
            Kind::Streams => peer.stream(number),
            Kind::Chats | Kind::Batch => peer.chat(number),
        };
        done.latencies_ns.push(began.elapsed().as_nanos() as u64);
        done.add(seen, work.expect);
    }
    done
}

//! ureq with a thread for each call in flight: the lower bound for chatcore on threads.

use std::io::Read;

use peers_driver::{BlockingLoad, BlockingPeer, Seen, body};
use ureq::Agent;

fn main() {
    peers_driver::main(|setup| {
        let config = Agent::config_builder()
            .no_delay(true)
            .max_idle_connections(setup.at_once)
            .max_idle_connections_per_host(setup.at_once)
            .build();
        BlockingLoad(Bare {
            agent: config.into(),
            url: format!("{}/chat/completions", setup.url),
        })
    });
}

#[derive(Clone)]
struct Bare {
    agent: Agent,
    url: String,
}

impl Bare {
    fn post(&self, body: &str) -> Result<Seen, String> {
        let response = self
            .agent
            .post(&self.url)
            .header("authorization", "Bearer sk-bench")
            .header("content-type", "application/json")
            .send(body)
            .map_err(|error| error.to_string())?;
        let mut reader = response.into_body().into_reader();
        let mut piece = [0; 16 * 1024];
        let mut seen = Seen {
            bytes: 0,
            events: 0,
        };
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return Ok(seen),
                Ok(bytes) => {
                    seen.bytes += bytes;
                    seen.events += 1;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

impl BlockingPeer for Bare {
    fn chat(&self, number: usize) -> Result<Seen, String> {
        self.post(&body(number, false))
    }

    fn stream(&self, number: usize) -> Result<Seen, String> {
        self.post(&body(number, true))
    }
}

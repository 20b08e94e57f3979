//! No client: sends prepared bytes and searches the received bytes for the end of the answer. This
//! is the physical limit.

#[path = "../../../server/src/poll.rs"]
#[allow(dead_code, unreachable_pub, reason = "the server needs more of it")]
mod poll;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Instant;

use peers_driver::{Done, Kind, Load, Seen, Work, body};
use poll::{Events, Poll};

fn main() {
    peers_driver::main(|setup| {
        let rest = setup.url.strip_prefix("http://").expect("plain HTTP");
        let (host, path) = rest.split_once('/').expect("a path");
        Raw {
            server: host.parse().expect("an address with a port"),
            head: format!(
                "POST /{path}/chat/completions HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer \
                 sk-bench\r\ncontent-type: application/json\r\ncontent-length: "
            ),
            connections: Vec::new(),
            scratch: vec![0; 64 * 1024],
        }
    });
}

struct Raw {
    server: SocketAddr,
    head: String,
    connections: Vec<Connection>,
    scratch: Vec<u8>,
}

struct Connection {
    socket: TcpStream,
    began: Instant,
    bytes: usize,
    /// The last bytes received, because the end marker may be split.
    tail: Vec<u8>,
}

impl Load for Raw {
    fn run(&mut self, work: Work) -> Done {
        let mut done = Done::default();
        if let Err(error) = self.loop_until_done(work, &mut done) {
            done.add(Err(error.to_string()), work.expect);
        }
        done
    }
}

impl Raw {
    fn loop_until_done(&mut self, work: Work, done: &mut Done) -> std::io::Result<()> {
        let body = body(0, work.kind == Kind::Streams);
        let request = format!("{}{}\r\n\r\n{body}", self.head, body.len()).into_bytes();
        let poll = Poll::new()?;
        let mut started = 0;
        for place in 0..work.at_once {
            if self.connections.len() == place {
                let socket = TcpStream::connect(self.server)?;
                socket.set_nodelay(true)?;
                socket.set_nonblocking(true)?;
                self.connections.push(Connection {
                    socket,
                    began: Instant::now(),
                    bytes: 0,
                    tail: Vec::new(),
                });
            }
            let connection = &mut self.connections[place];
            poll.add(connection.socket.as_raw_fd(), place as u64)?;
            connection.start(&request)?;
            started += 1;
        }
        let mut ended = 0;
        let mut events = Events::with_capacity(1024);
        while ended < work.count {
            poll.wait(&mut events, None)?;
            for event in &events {
                let connection = &mut self.connections[event.u64 as usize];
                if !connection.read(&mut self.scratch, work.kind)? {
                    continue;
                }
                ended += 1;
                done.latencies_ns
                    .push(connection.began.elapsed().as_nanos() as u64);
                let seen = Seen {
                    bytes: connection.bytes,
                    events: 1,
                };
                done.add(Ok(seen), work.expect);
                if started < work.count {
                    connection.start(&request)?;
                    started += 1;
                }
            }
        }
        Ok(())
    }
}

impl Connection {
    fn start(&mut self, request: &[u8]) -> std::io::Result<()> {
        self.began = Instant::now();
        self.bytes = 0;
        self.tail.clear();
        // About 300 bytes always fit into the empty socket buffer.
        self.socket.write_all(request)
    }

    /// Reads, and returns whether the answer is complete.
    fn read(&mut self, scratch: &mut [u8], kind: Kind) -> std::io::Result<bool> {
        let end: &[u8] = match kind {
            Kind::Streams => b"\r\n0\r\n\r\n",
            Kind::Chats | Kind::Batch => b"}}",
        };
        loop {
            let came = match self.socket.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(came) => came,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            self.bytes += came;
            let last = &scratch[came.saturating_sub(end.len())..came];
            self.tail.extend_from_slice(last);
            let surplus = self.tail.len().saturating_sub(end.len());
            self.tail.drain(..surplus);
            if self.tail == end {
                return Ok(true);
            }
            if came < scratch.len() {
                return Ok(false);
            }
        }
    }
}

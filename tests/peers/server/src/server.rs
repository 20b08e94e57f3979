//! The event loop.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::answers::Answers;
use crate::connection::{Asked, Connection, Pace, parse};
use crate::poll::{Events, Poll};
use crate::stats::Stats;

const LISTENER: u64 = u64::MAX;
const LATENCY: Duration = Duration::from_millis(50);
const BETWEEN_EVENTS: Duration = Duration::from_millis(1);

pub(crate) struct Server {
    listener: TcpListener,
    poll: Poll,
    answers: Answers,
    stats: Stats,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Counts how often each slot was used, so that a timer of a closed connection does nothing.
    uses: Vec<u32>,
    timers: BinaryHeap<Reverse<(Instant, usize, u32)>>,
    scratch: Vec<u8>,
}

impl Server {
    pub(crate) fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        // std listens with a backlog of 128, but 10,000 clients connect at once. The kernel caps
        // the value. SAFETY: no memory is passed.
        unsafe { libc::listen(listener.as_raw_fd(), 16_384) };
        listener.set_nonblocking(true)?;
        let poll = Poll::new()?;
        poll.add(listener.as_raw_fd(), LISTENER)?;
        let answers = Answers::new();
        Ok(Self {
            listener,
            poll,
            stats: Stats::new(answers.sizes()),
            answers,
            connections: Vec::new(),
            free: Vec::new(),
            uses: Vec::new(),
            timers: BinaryHeap::new(),
            scratch: vec![0; 64 * 1024],
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener
            .local_addr()
            .map_or(0, |address| address.port())
    }

    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            let before = Instant::now();
            let timeout = self
                .timers
                .peek()
                .map(|Reverse((at, ..))| at.saturating_duration_since(before));
            self.poll.wait(&mut events, timeout)?;
            let now = Instant::now();
            self.stats.idle += now - before;
            for event in &events {
                let token = event.u64;
                match token {
                    LISTENER => self.accept()?,
                    _ => self.turn(token as usize, event.events),
                }
            }
            while let Some(&Reverse((at, place, uses))) = self.timers.peek()
                && at <= now
            {
                self.timers.pop();
                if self.uses[place] == uses {
                    self.due(place, at);
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            // SAFETY: no address is asked for, so no memory is passed.
            let fd = unsafe {
                libc::accept4(
                    self.listener.as_raw_fd(),
                    std::ptr::null_mut(),
                    std::ptr::null_mut(),
                    libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
                )
            };
            if fd < 0 {
                let error = io::Error::last_os_error();
                match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(()),
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => continue,
                    _ => return Err(error),
                }
            }
            // SAFETY: the descriptor was just created, and nothing else owns it.
            let socket = unsafe { OwnedFd::from_raw_fd(fd) };
            let on: i32 = 1;
            // SAFETY: `on` lives through the call, and its size is passed.
            unsafe {
                libc::setsockopt(
                    fd,
                    libc::IPPROTO_TCP,
                    libc::TCP_NODELAY,
                    (&raw const on).cast(),
                    size_of::<i32>() as libc::socklen_t,
                )
            };
            let place = self.free.pop().unwrap_or(self.connections.len());
            if place == self.connections.len() {
                self.connections.push(None);
                self.uses.push(0);
            }
            self.poll.add(fd, place as u64)?;
            self.connections[place] = Some(Connection::new(socket));
            self.stats.connections += 1;
        }
    }

    /// Handles the events of a connection.
    fn turn(&mut self, place: usize, what: u32) {
        let still = match what & libc::EPOLLOUT as u32 {
            0 => true,
            _ => self.write(place),
        };
        let readable = libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR;
        if !still || (what & readable as u32 != 0 && !self.read(place)) {
            self.close(place);
        }
    }

    fn close(&mut self, place: usize) {
        if self.connections[place].take().is_some() {
            self.uses[place] = self.uses[place].wrapping_add(1);
            self.free.push(place);
        }
    }

    /// Reads a request and starts its answer. Returns false if the connection must be closed.
    fn read(&mut self, place: usize) -> bool {
        let Some(connection) = &mut self.connections[place] else {
            return true;
        };
        // SAFETY: the kernel writes at most the scratch's length.
        let read = unsafe {
            libc::recv(
                connection.fd(),
                self.scratch.as_mut_ptr().cast(),
                self.scratch.len(),
                0,
            )
        };
        if read <= 0 {
            return read < 0 && io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock;
        }
        let came = &self.scratch[..read as usize];
        let parsed = match connection.input.is_empty() {
            true => parse(came),
            false => {
                connection.input.extend_from_slice(came);
                parse(&connection.input)
            }
        };
        match parsed {
            Ok(Some((asked, length))) => {
                let rest = match connection.input.is_empty() {
                    true => came.len() - length,
                    false => connection.input.len() - length,
                };
                connection.input = Vec::new();
                // No measured client sends its next request before the answer.
                if rest > 0 || connection.asked.is_some() {
                    self.stats.bad_requests += 1;
                    return false;
                }
                self.begin(place, asked)
            }
            Ok(None) => {
                if connection.input.is_empty() {
                    connection.input.extend_from_slice(came);
                }
                true
            }
            Err(_) => {
                self.stats.bad_requests += 1;
                false
            }
        }
    }

    fn begin(&mut self, place: usize, asked: Asked) -> bool {
        let Some(connection) = &mut self.connections[place] else {
            return true;
        };
        connection.asked = Some(asked);
        connection.sent = 0;
        match asked {
            Asked::Stats => {
                connection.own = self.stats.response();
                connection.until = connection.own.len();
                self.write(place)
            }
            Asked::Chat { stream, pace } => {
                self.stats.requests += 1;
                let whole = match stream {
                    true => self.answers.stream.len(),
                    false => self.answers.whole.len(),
                };
                match (pace, stream) {
                    (Pace::AtOnce, _) | (Pace::EventByEvent, false) => {
                        connection.until = whole;
                        self.write(place)
                    }
                    (Pace::After50Ms, _) => {
                        connection.until = 0;
                        self.later(place, Instant::now() + LATENCY);
                        true
                    }
                    (Pace::EventByEvent, true) => {
                        connection.until = self.answers.cuts[0];
                        self.later(place, Instant::now() + BETWEEN_EVENTS);
                        self.write(place)
                    }
                }
            }
        }
    }

    fn later(&mut self, place: usize, at: Instant) {
        self.timers.push(Reverse((at, place, self.uses[place])));
    }

    /// Handles a timer that was set for `at`.
    fn due(&mut self, place: usize, at: Instant) {
        let Some(connection) = &mut self.connections[place] else {
            return;
        };
        let Some(Asked::Chat { stream, pace }) = connection.asked else {
            return;
        };
        match pace {
            Pace::EventByEvent => {
                let cuts = &self.answers.cuts;
                let next = cuts.partition_point(|&cut| cut <= connection.until);
                connection.until = cuts[next.min(cuts.len() - 1)];
                if next + 1 < cuts.len() {
                    self.later(place, at + BETWEEN_EVENTS);
                }
            }
            Pace::AtOnce | Pace::After50Ms => {
                connection.until = match stream {
                    true => self.answers.stream.len(),
                    false => self.answers.whole.len(),
                }
            }
        }
        if !self.write(place) {
            self.close(place);
        }
    }

    /// Writes as much as may be sent now. Returns false if the connection is broken.
    fn write(&mut self, place: usize) -> bool {
        let Some(connection) = &mut self.connections[place] else {
            return true;
        };
        let bytes = match connection.asked {
            Some(Asked::Stats) => &connection.own,
            Some(Asked::Chat { stream: true, .. }) => &self.answers.stream,
            Some(Asked::Chat { stream: false, .. }) => &self.answers.whole,
            None => return true,
        };
        while connection.sent < connection.until {
            let piece = &bytes[connection.sent..connection.until];
            // SAFETY: the kernel reads at most the piece's length.
            let sent = unsafe {
                libc::send(
                    connection.fd(),
                    piece.as_ptr().cast(),
                    piece.len(),
                    libc::MSG_NOSIGNAL,
                )
            };
            if sent < 0 {
                if io::Error::last_os_error().kind() != io::ErrorKind::WouldBlock {
                    return false;
                }
                if connection.waits_for_room {
                    return true;
                }
                connection.waits_for_room = true;
                return self
                    .poll
                    .change(connection.fd(), place as u64, true)
                    .is_ok();
            }
            connection.sent += sent as usize;
        }
        if connection.sent == bytes.len() {
            connection.asked = None;
        }
        if std::mem::take(&mut connection.waits_for_room) {
            return self
                .poll
                .change(connection.fd(), place as u64, false)
                .is_ok();
        }
        true
    }
}

//! The server's own figures, which show that it is not the bottleneck.

use std::time::{Duration, Instant};

pub(crate) struct Stats {
    /// How many bytes each kind of answer has: of text, of the body, and on the wire.
    sizes: serde_json::Value,
    started: Instant,
    /// Time spent waiting for something to do.
    pub(crate) idle: Duration,
    pub(crate) requests: u64,
    pub(crate) connections: u64,
    pub(crate) bad_requests: u64,
}

impl Stats {
    pub(crate) fn new(sizes: serde_json::Value) -> Self {
        Self {
            sizes,
            started: Instant::now(),
            idle: Duration::ZERO,
            requests: 0,
            connections: 0,
            bad_requests: 0,
        }
    }

    /// The figures so far, as an HTTP response.
    pub(crate) fn response(&self) -> Vec<u8> {
        let body = serde_json::json!({
            "sizes": self.sizes,
            "wall_us": self.started.elapsed().as_micros() as u64,
            "idle_us": self.idle.as_micros() as u64,
            "cpu_us": cpu().as_micros() as u64,
            "requests": self.requests,
            "connections": self.connections,
            "bad_requests": self.bad_requests,
        })
        .to_string();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// User and system time of this process.
fn cpu() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel fills `usage`, which is plain numbers and valid when zero.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

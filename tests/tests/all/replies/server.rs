//! A server that answers each request with the same steps.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, sleep};
use std::time::Duration;

use serde_json::Value;

use crate::corpus::base64;

/// How long the steps wait.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// As long as the row says.
    Full,
    /// A tenth of that time.
    Tenth,
}

/// A server that listens until it is dropped.
pub(super) struct Scripted {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

impl Scripted {
    pub(super) fn start(steps: &[Value], scale: Scale) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            closed: Arc::default(),
        };
        let (requests, closed) = (Arc::clone(&server.requests), Arc::clone(&server.closed));
        let steps: Arc<[Value]> = steps.into();
        thread::spawn(move || {
            for connection in listener.incoming() {
                if closed.load(SeqCst) {
                    return;
                }
                let (steps, requests) = (Arc::clone(&steps), Arc::clone(&requests));
                thread::spawn(move || {
                    // A client that disconnects is not an error.
                    _ = serve(connection?, &steps, scale, &requests);
                    Ok::<_, std::io::Error>(())
                });
            }
        });
        server
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests arrived.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.closed.store(true, SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(
    mut connection: TcpStream,
    steps: &[Value],
    scale: Scale,
    requests: &AtomicUsize,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut size = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            size = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; size])?;
    requests.fetch_add(1, SeqCst);
    play(&mut connection, steps, scale)
}

fn play(connection: &mut TcpStream, steps: &[Value], scale: Scale) -> std::io::Result<()> {
    for step in steps {
        if let Some(text) = step["send"].as_str() {
            connection.write_all(text.as_bytes())?;
        }
        if let Some(text) = step["send_base64"].as_str() {
            connection.write_all(&base64(text))?;
        }
        if let Some(seconds) = step["wait_s"].as_f64() {
            let times = match scale {
                Scale::Full => 1.0,
                Scale::Tenth => 0.1,
            };
            sleep(Duration::from_secs_f64(seconds * times));
        }
        if let Some(steps) = step["repeat"].as_array() {
            for _ in 0..step["times"].as_u64().unwrap_or(1) {
                play(connection, steps, scale)?;
            }
        }
        match step["then"].as_str() {
            // Waits until the client disconnects.
            Some("hold") => drop(connection.read(&mut [0])),
            Some("rst") => socket2::SockRef::from(&*connection).set_linger(Some(Duration::ZERO))?,
            _ => {}
        }
    }
    Ok(())
}

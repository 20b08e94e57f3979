//! The process of the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{Result, paths};

/// The server process ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start(core: usize) -> Result<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(paths::program("peers-server"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let port = line.trim().parse()?;
        Ok(Self { child, port })
    }

    pub(crate) fn url(&self, pace: &str) -> String {
        format!("http://127.0.0.1:{}{pace}/v1", self.port)
    }

    /// The server's own figures.
    pub(crate) fn stats(&self) -> Result<Value> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.write_all(b"GET /stats HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")?;
        let mut response = Vec::new();
        loop {
            let mut piece = [0; 4096];
            let came = socket.read(&mut piece)?;
            response.extend_from_slice(&piece[..came]);
            let text = std::str::from_utf8(&response)?;
            if let Some((_, body)) = text.split_once("\r\n\r\n")
                && let Ok(stats) = serde_json::from_str(body)
            {
                return Ok(stats);
            }
            if came == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            eprintln!("the server did not end: {error}");
        }
    }
}

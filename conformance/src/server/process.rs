//! A server in a separate process.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A loopback server in a separate process, so that the caller shares neither memory nor event loop
/// with it. Dropping this ends the process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    base_url: String,
}

impl Process {
    /// Starts `command`: the program `loopback`, or another program that prints the server's base
    /// URL as its first line and exits when its standard input is closed.
    ///
    /// # Errors
    /// If the program cannot be started, or prints nothing.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take();
        let mut process = Self {
            child,
            base_url: String::new(),
        };
        let stdout = stdout.ok_or_else(|| io::Error::other("the server has no output"))?;
        BufReader::new(stdout).read_line(&mut process.base_url)?;
        let printed = process.base_url.trim_end().len();
        process.base_url.truncate(printed);
        match process.base_url.is_empty() {
            true => Err(io::Error::other("the server prints no base URL")),
            false => Ok(process),
        }
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // The process has exited or is about to, because its standard input is closed.
        self.child.wait().ok();
    }
}

//! A server in a process of its own.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A loopback server in a process of its own: neither its memory nor its event loop is the
/// caller's. Dropping it ends the process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    base_url: String,
}

impl Process {
    /// Starts `command`: the program `loopback`, or another one that prints the server's base URL
    /// as its first line, and that ends with its standard input.
    ///
    /// # Errors
    /// The program cannot be started, or prints nothing.
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

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It has ended, or ends by itself.
        self.child.wait().ok();
    }
}

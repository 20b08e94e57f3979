//! The loopback server for tests in other processes and languages. It prints its base URL as the
//! first line, and exits when its standard input is closed. `--port N` sets the port.

use std::error::Error;
use std::io::{self, Read, Write};

use chatcore_conformance::server::Server;

fn main() -> Result<(), Box<dyn Error>> {
    let mut port = 0;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match (word.as_str(), words.next()) {
            ("--port", Some(number)) => port = number.parse()?,
            _ => return Err("usage: loopback [--port N]".into()),
        }
    }
    let server = Server::start_on(port)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", server.base_url())?;
    stdout.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

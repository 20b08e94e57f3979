//! The program `server`: reads the settings and serves. The library of this crate is the server.

use std::io::Write;
use std::process::ExitCode;

use chatcore_server::{Asked, Failure};

fn main() -> ExitCode {
    let var = |name: &str| std::env::var(name).ok();
    let served = match chatcore_server::read(std::env::args().skip(1), var) {
        Ok(Asked::Serve(settings)) => smol::block_on(chatcore_server::serve(*settings, var)),
        Ok(Asked::Print(text)) => {
            // A closed pipe is not an error.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Ok(())
        }
        Err(message) => Err(Failure { status: 2, message }),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "error: {}", failure.message);
            ExitCode::from(failure.status)
        }
    }
}

//! What must hold, through public APIs.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod server;

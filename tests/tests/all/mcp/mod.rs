//! MCP servers: a scripted one over real sockets, streams in memory on the simulator's clock, local
//! programs, and two real ones.

mod http;
mod limits;
mod listing;
mod negotiation;
#[cfg(unix)]
mod programs;
mod real;
mod resuming;
mod script;
mod secrets;
mod seeds;
mod streams;
mod tools;

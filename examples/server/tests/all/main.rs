//! The server over real sockets: the built program, in a process of its own.

mod access;
mod cancelling;
mod drain;
mod harness;
mod load;
mod malformed;
mod openai;
mod routes;
mod socket;

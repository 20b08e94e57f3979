//! Tests of the transport against servers that each do one thing. Tests that need bytes to arrive
//! in a particular way use a scripted stream (`framing`); all others use loopback sockets.

mod connecting;
mod frames;
mod framing;
mod idle;
mod lifetime;
mod pooling;
mod proxying;
mod secured;
mod socks;
mod support;
mod trusting;

//! The transport against servers that do one thing each. What needs a particular arrival of
//! bytes runs over a scripted stream (`framing`), the rest over loopback sockets.

mod connecting;
mod frames;
mod framing;
mod idle;
mod lifetime;
mod pooling;
mod proxying;
mod secured;
mod support;

//! What is sent and what is understood, each point with a fixture of its own.

mod decode;
mod encode;
mod head;
mod versions;

//! Encoding and decoding, with a fixture for each rule.

mod decode;
mod encode;
mod head;
mod versions;

//! Credentials that need more than the core has: one feature, one folder.

mod sigv4;

pub use sigv4::SigV4;

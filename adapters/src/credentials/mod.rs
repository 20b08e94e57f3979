//! Credentials that need more than the core has, one feature and one folder each.

mod sigv4;

pub use sigv4::SigV4;

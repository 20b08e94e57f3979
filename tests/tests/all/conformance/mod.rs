//! The conformance suite, stamped: one test for each case and executor, and for each case and
//! pair of executor and transport; over TLS, and on event loops that nobody here wrote.

mod adapters;
mod dialects;
mod loops;
mod promises;
mod rounds;
mod stamp;

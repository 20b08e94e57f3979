//! The conformance suite as tests: one for each case and executor, and one for each case and pair
//! of executor and transport. It also runs over TLS, and on event loops that are not part of
//! chatcore.

mod adapters;
mod dialects;
mod journals;
mod loops;
mod promises;
mod rounds;
mod stamp;

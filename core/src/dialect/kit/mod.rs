//! What every dialect needs: reading and writing of fields, telling an answer from a stream,
//! errors, and hints about limits.

mod date;
pub(crate) mod decoder;
pub(crate) mod failure;
pub(crate) mod hints;
pub(crate) mod read;
pub(crate) mod response_headers;
pub(crate) mod write;

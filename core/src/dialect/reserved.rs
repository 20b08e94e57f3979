//! The request headers that callers may not set.

/// Request headers that belong to the connection. Neither
/// [`Provider::with_header`](crate::Provider::with_header) nor
/// [`ChatCall::header`](crate::ChatCall::header) may set them.
pub const CONNECTION_HEADERS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Request headers that one call may not set, because the key and the type of the body belong to
/// the provider and its dialect. [`Provider::with_header`](crate::Provider::with_header) sets them
/// for all calls. A call may not set the headers that the dialect sets either.
pub const CLIENT_HEADERS: [&str; 5] = [
    "authorization",
    "content-encoding",
    "content-type",
    "proxy-authorization",
    "x-api-key",
];

//! The step that proves who asks, for credentials that act once per attempt.

use bytes::Bytes;
use http::{Request, StatusCode};

use super::Shared;
use super::watch::Watch;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::policy::deadlines::Deadlines;

/// Lets `credentials` act on the request of the attempt with this number, under its time limits.
/// What comes back still goes to the origin of the base URL.
pub(super) async fn authorize(
    shared: &Shared,
    credentials: &dyn Credentials,
    mut request: Request<Bytes>,
    number: u32,
    watch: &mut Watch,
    deadlines: &Deadlines,
) -> Result<Request<Bytes>, Error> {
    let authorizing = credentials.authorize(&mut request, number);
    watch.limit(deadlines.in_attempt(), authorizing).await??;
    shared.check_origin(&request)?;
    Ok(request)
}

/// Whether there will be other credentials, after an attempt whose credentials were not accepted.
pub(super) fn renews(shared: &Shared, error: &Error) -> bool {
    let is_refused = error.status() == Some(StatusCode::UNAUTHORIZED);
    let credentials = shared.credentials.as_ref().filter(|_| is_refused);
    credentials.is_some_and(|credentials| credentials.renew())
}

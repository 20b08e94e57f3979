//! The step that authenticates a request, for [`Credentials`] that act once per attempt.

use bytes::Bytes;
use http::{Request, StatusCode};

use super::Shared;
use super::watch::Watch;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::policy::deadlines::Deadlines;

/// Lets `credentials` act on the request of attempt `number`, within the attempt's time limits.
/// Refuses the result if it goes to another origin than the base URL's.
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

/// After a 401: whether the credentials can be renewed for another attempt.
pub(super) fn renews(shared: &Shared, error: &Error) -> bool {
    let is_refused = error.status() == Some(StatusCode::UNAUTHORIZED);
    let credentials = shared.credentials.as_ref().filter(|_| is_refused);
    credentials.is_some_and(|credentials| credentials.renew())
}

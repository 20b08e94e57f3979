//! A user and a password, in a URL and in a header.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;

/// User and password from the part before the `@`, decoded.
#[cfg(feature = "http1")]
pub(crate) fn userinfo(authority: &http::uri::Authority) -> Option<(String, String)> {
    let (userinfo, _) = authority.as_str().rsplit_once('@')?;
    Some(split(userinfo))
}

/// User and password, decoded.
pub(super) fn split(userinfo: &str) -> (String, String) {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (decode(user), decode(password))
}

/// The value of an `Authorization` header with the scheme `Basic`.
pub(crate) fn basic(user: &str, password: &str) -> HeaderValue {
    let value = format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    );
    // The fallback is never used, because base64 has only characters that a header may hold.
    let mut value =
        HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

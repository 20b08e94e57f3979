//! Decides by their names which headers and parameters hold a secret.

use super::Secrets;
use crate::phrase;

/// The names that mark secrets, and those that do not.
impl Secrets {
    /// Parts of names that mark a credential: `api-key`, `x-auth-token`, `cookie`, `sig`.
    pub const CREDENTIAL_WORDS: &[&str] = &[
        "auth",
        "cookie",
        "credential",
        "key",
        "pass",
        "pwd",
        "secret",
        "session",
        "sig",
        "token",
    ];

    /// Names of headers and parameters with public values, which an error should be able to show.
    pub const PUBLIC_NAMES: &[&str] = &[
        "accept",
        "accept-language",
        "anthropic-beta",
        "anthropic-version",
        "api-version",
        "content-type",
        "http-referer",
        "idempotency-key",
        "openai-beta",
        "openai-organization",
        "openai-project",
        "referer",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-title",
    ];
}

/// Whether a header or parameter of this name holds a credential.
pub(crate) fn names_credential(name: &str) -> bool {
    may_hold_secret(name)
        && Secrets::CREDENTIAL_WORDS
            .iter()
            .any(|part| phrase::has(name, part))
}

/// Whether to redact the value of a header or parameter of this name that the caller has set: true
/// for every name that is not known to be public.
pub(crate) fn may_hold_secret(name: &str) -> bool {
    !Secrets::PUBLIC_NAMES
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_by_their_names() {
        for name in [
            "Authorization",
            "api-key",
            "x-api-key",
            "Cookie",
            "code_token",
            "sig",
        ] {
            assert!(names_credential(name), "{name}");
        }
        for name in [
            "x-tenant",
            "idempotency-key",
            "anthropic-beta",
            "content-type",
            "x-trace",
        ] {
            assert!(!names_credential(name), "{name}");
        }
        assert!(may_hold_secret("x-tenant"));
    }
}

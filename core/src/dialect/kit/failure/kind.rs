//! Derives the [`ErrorKind`] from a provider's error.

use http::StatusCode;

use super::said::Said;
use crate::error::ErrorKind;
use crate::phrase;

/// Error codes and types that are more specific than the HTTP status.
const WORDS: &[(&str, ErrorKind)] = &[
    ("insufficient_quota", ErrorKind::QuotaExceeded),
    ("insufficient_user_quota", ErrorKind::QuotaExceeded),
    ("insufficient_balance", ErrorKind::QuotaExceeded),
    ("insufficient_credits", ErrorKind::QuotaExceeded),
    ("credit_balance_exhausted", ErrorKind::QuotaExceeded),
    ("exceeded_current_quota_error", ErrorKind::QuotaExceeded),
    ("quota_exceeded", ErrorKind::QuotaExceeded),
    ("usage_limit_reached", ErrorKind::QuotaExceeded),
    ("budget_exceeded", ErrorKind::QuotaExceeded),
    ("enforced_spend_limit_reached", ErrorKind::QuotaExceeded),
    ("billing_hard_limit_reached", ErrorKind::QuotaExceeded),
    ("billing_not_active", ErrorKind::QuotaExceeded),
    ("billing_error", ErrorKind::QuotaExceeded),
    ("payment_required", ErrorKind::QuotaExceeded),
    ("Arrearage", ErrorKind::QuotaExceeded),
    ("AccountOverdueError", ErrorKind::QuotaExceeded),
    ("rate_limit_exceeded", ErrorKind::RateLimited),
    ("rate_limit_reached_error", ErrorKind::RateLimited),
    ("rate_limit_error", ErrorKind::RateLimited),
    ("rate_limited", ErrorKind::RateLimited),
    ("too_many_requests", ErrorKind::RateLimited),
    ("RESOURCE_EXHAUSTED", ErrorKind::RateLimited),
    ("overloaded_error", ErrorKind::Overloaded),
    ("overloaded", ErrorKind::Overloaded),
    ("engine_overloaded", ErrorKind::Overloaded),
    ("engine_overloaded_error", ErrorKind::Overloaded),
    ("service_unavailable", ErrorKind::Overloaded),
    ("UNAVAILABLE", ErrorKind::Overloaded),
    ("authentication_error", ErrorKind::Auth),
    ("invalid_api_key", ErrorKind::Auth),
    ("permission_error", ErrorKind::Auth),
    ("permission_denied", ErrorKind::Auth),
    ("invalid_authentication", ErrorKind::Auth),
    ("not_found_error", ErrorKind::NotFound),
    ("model_not_found", ErrorKind::NotFound),
    ("context_length_exceeded", ErrorKind::BadRequest),
    ("exceed_context_size_error", ErrorKind::BadRequest),
    ("request_too_large", ErrorKind::BadRequest),
    ("content_policy_violation", ErrorKind::BadRequest),
    ("timeout_error", ErrorKind::Server),
    ("api_error", ErrorKind::Server),
    ("server_error", ErrorKind::Server),
    ("internal_server_error", ErrorKind::Server),
    ("internal_error", ErrorKind::Server),
    // The exceptions of Amazon Bedrock.
    ("ThrottlingException", ErrorKind::RateLimited),
    ("ServiceQuotaExceededException", ErrorKind::QuotaExceeded),
    ("ServiceUnavailableException", ErrorKind::Overloaded),
    ("ModelNotReadyException", ErrorKind::Overloaded),
    ("ModelTimeoutException", ErrorKind::Server),
    ("ModelErrorException", ErrorKind::Server),
    ("ModelStreamErrorException", ErrorKind::Server),
    ("InternalServerException", ErrorKind::Server),
    ("AccessDeniedException", ErrorKind::Auth),
    ("ResourceNotFoundException", ErrorKind::NotFound),
    ("ValidationException", ErrorKind::BadRequest),
];

/// The meaning of MiniMax's codes in `base_resp`, from its documentation of 2026.
const BASE_RESP: &[(&str, ErrorKind)] = &[
    ("1001", ErrorKind::Server),
    ("1002", ErrorKind::RateLimited),
    ("1004", ErrorKind::Auth),
    ("1008", ErrorKind::QuotaExceeded),
    ("1026", ErrorKind::BadRequest),
    ("1027", ErrorKind::BadRequest),
    ("1039", ErrorKind::BadRequest),
    ("1042", ErrorKind::BadRequest),
    ("2013", ErrorKind::BadRequest),
    ("2049", ErrorKind::Auth),
];

/// Phrases in a message that mean that the account has no money left, for errors without a code
/// that says so.
const NO_MONEY: [&str; 8] = [
    "insufficient balance",
    "insufficient account balance",
    "balance is insufficient",
    "insufficient credits",
    "insufficient funds",
    "credit balance is too low",
    "余额不足",
    "欠费",
];

/// Google's reasons that are more specific than the status beside them.
const REASONS: &[(&str, ErrorKind)] = &[
    ("API_KEY_INVALID", ErrorKind::Auth),
    ("API_KEY_SERVICE_BLOCKED", ErrorKind::Auth),
    ("SERVICE_DISABLED", ErrorKind::Auth),
    ("ACCESS_TOKEN_EXPIRED", ErrorKind::Auth),
    ("BILLING_DISABLED", ErrorKind::QuotaExceeded),
];

fn by_word(said: &Said) -> Option<ErrorKind> {
    if said.google.is_daily {
        return Some(ErrorKind::QuotaExceeded);
    }
    if let Some(reason) = &said.google.reason
        && let Some((_, kind)) = REASONS.iter().find(|(known, _)| known == reason)
    {
        return Some(*kind);
    }
    let words = [said.code.as_deref(), said.error_type.as_deref()];
    words.into_iter().flatten().find_map(|word| {
        if word.ends_with("_spend_limit_exceeded") {
            return Some(ErrorKind::QuotaExceeded);
        }
        let table = match said.is_base_resp {
            true => BASE_RESP,
            false => WORDS,
        };
        // In a stream, Bedrock begins the same word with a lower-case letter.
        let found = table
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word));
        found.map(|(_, kind)| *kind)
    })
}

/// The body takes precedence over the status. Without either, the error counts as the server's.
pub(super) fn classify(said: &Said, message: &str, status: Option<StatusCode>) -> ErrorKind {
    if let Some(kind) = by_word(said) {
        // A 5xx status with an authentication error in its body, for example, has the body's kind.
        // If the body reports a server error, the status decides, so that a 4xx status stays a
        // client error. Groq reports a rate limit for a request that is larger than the limit per
        // minute. Such a request fails however long the client waits.
        return match status {
            Some(status) if kind == ErrorKind::Server => ErrorKind::from_status(status),
            Some(StatusCode::PAYLOAD_TOO_LARGE) if kind == ErrorKind::RateLimited => {
                ErrorKind::BadRequest
            }
            _ => kind,
        };
    }
    if NO_MONEY.iter().any(|words| phrase::has(message, words)) {
        return ErrorKind::QuotaExceeded;
    }
    if let Some(status) = status {
        return ErrorKind::from_status(status);
    }
    let code = said.code.as_deref().and_then(|code| code.parse().ok());
    let code = code.or_else(|| said.status.as_deref()?.parse::<u16>().ok());
    match code.map(StatusCode::from_u16) {
        Some(Ok(status)) if status.as_u16() >= 400 => ErrorKind::from_status(status),
        _ if said.error_type.as_deref() == Some("invalid_request_error")
            || said.code.as_deref() == Some("invalid_request_error") =>
        {
            ErrorKind::BadRequest
        }
        _ => ErrorKind::Server,
    }
}

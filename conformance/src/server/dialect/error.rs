//! The error bodies of providers.

use chatcore_adapters::answers::Refusal;

use super::writing;
use crate::server::plan::{Endpoint, Plan};

/// The content type and body of an error.
pub(crate) fn body(
    endpoint: &Endpoint,
    status: u16,
    plan: &Plan,
    message: Option<&str>,
    number: u64,
) -> (&'static str, Vec<u8>) {
    if status == 502 {
        // Gateways in front of a provider do not use its JSON.
        return ("text/html", PAGE.to_vec());
    }
    let anthropic = *endpoint == Endpoint::Anthropic;
    let (kind, code, known) = if anthropic {
        anthropic_kind(status)
    } else {
        openai_kind(status)
    };
    let mut refusal = Refusal::new(status, message.unwrap_or(known));
    refusal.kind = Some(kind.to_owned());
    refusal.code = code.map(str::to_owned);
    refusal.request_id = Some(format!("req-{number}"));
    let given = plan.error_code.clone();
    match anthropic {
        true => refusal.kind = given.or(refusal.kind),
        false => refusal.code = given.or(refusal.code),
    }
    let body = writing::form_of(endpoint).refuse(&refusal).to_string();
    ("application/json", body.into_bytes())
}

/// An HTML page, as a gateway or a captive portal sends it.
pub(crate) const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head>\n\
    <body><center><h1>Bad gateway</h1></center><hr><center>nginx</center></body></html>\n";

fn openai_kind(status: u16) -> (&'static str, Option<&'static str>, &'static str) {
    match status {
        401 => (
            "invalid_request_error",
            Some("invalid_api_key"),
            "Incorrect API key provided.",
        ),
        403 => (
            "permission_error",
            Some("unsupported_country_region_territory"),
            "Country, region, or territory not supported.",
        ),
        404 => (
            "invalid_request_error",
            Some("model_not_found"),
            "The model does not exist or you do not have access to it.",
        ),
        408 => ("timeout", None, "Request timed out."),
        413 => ("invalid_request_error", None, "Request too large."),
        429 => (
            "requests",
            Some("rate_limit_exceeded"),
            "Rate limit reached for requests per minute.",
        ),
        503 => ("server_error", None, "The engine is currently overloaded."),
        500.. => (
            "server_error",
            None,
            "The server had an error while processing your request.",
        ),
        _ => ("invalid_request_error", None, "The request is invalid."),
    }
}

fn anthropic_kind(status: u16) -> (&'static str, Option<&'static str>, &'static str) {
    match status {
        401 => ("authentication_error", None, "invalid x-api-key"),
        403 => ("permission_error", None, "Your API key may not use this."),
        404 => ("not_found_error", None, "model: not found"),
        413 => (
            "request_too_large",
            None,
            "Request exceeds the maximum size",
        ),
        429 => (
            "rate_limit_error",
            None,
            "Number of requests has exceeded your rate limit",
        ),
        504 => ("timeout_error", None, "Request timed out"),
        503 | 529 => ("overloaded_error", None, "Overloaded"),
        500.. => ("api_error", None, "Internal server error"),
        _ => ("invalid_request_error", None, "The request is invalid."),
    }
}

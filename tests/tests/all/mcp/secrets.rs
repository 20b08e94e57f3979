//! Tokens and headers go to the server, and nowhere else.

use std::sync::atomic::{AtomicUsize, Ordering};

use chatcore::{Token, TokenSource};
use chatcore_adapters::mcp::{McpClient, McpErrorKind};
use serde_json::json;
use smol::block_on;

use super::script::{Reply, Server, text};

const TOKEN: &str = "tok-0123456789abcdef";
const VALUE: &str = "value-0123456789";

fn assert_hidden(shown: &str) {
    assert!(!shown.contains(TOKEN) && !shown.contains(VALUE), "{shown}");
}

#[test]
fn they_are_sent_with_each_request_and_never_shown() {
    let server = Server::stateless(|seen| {
        let said = format!(
            "{:?} {:?}",
            seen.header("authorization"),
            seen.header("x-key")
        );
        Reply::json(seen.error(-1, &said, json!({"headers": said})))
    });
    let client = server.builder().bearer(TOKEN).header("X-Key", VALUE);
    assert_hidden(&format!("{client:?}"));
    let client = client.build().unwrap();
    assert_hidden(&format!("{client:#?}"));
    let error = block_on(client.call_tool("search", json!({}))).unwrap_err();
    assert!(error.to_string().contains("[redacted]"), "{error}");
    assert!(error.data().unwrap().to_string().contains("[redacted]"));
    assert_hidden(&format!("{error} {error:?} {error:#?} {:?}", error.data()));
    for _ in 0..2 {
        let seen = server.next();
        assert_eq!(
            seen.header("authorization"),
            Some(&*format!("Bearer {TOKEN}"))
        );
        assert_eq!(seen.header("x-key"), Some(VALUE));
    }
}

/// What a program could do by accident.
#[test]
fn what_cannot_be_used_is_refused_before_anything_is_sent() {
    let server = Server::stateless(|_| Reply::accepted());
    let at = |url: &str| {
        let executor = std::sync::Arc::new(chatcore_adapters::executor::SmolExecutor::new());
        let http = chatcore_adapters::transport::Http1Transport::new(executor.clone());
        McpClient::http(executor, http, url)
    };
    for builder in [
        at("not a url"),
        at("/mcp"),
        at("ftp://example.com/mcp"),
        at("https://user:tok-0123456789abcdef@example.com/mcp"),
        at("http://example.com/mcp").bearer(TOKEN),
        at("http://example.com/mcp").header("X-Key", VALUE),
        server.builder().bearer(""),
        server.builder().bearer(format!("{TOKEN} x")),
        server.builder().bearer(format!("Bearer {TOKEN}")),
        server.builder().header("not a name", VALUE),
        server.builder().header("x-key", format!("{VALUE}\n")),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Config, "{error}");
        assert_hidden(&format!("{error} {error:?}"));
    }
    at("http://example.com/mcp").build().unwrap();
    at("http://example.com/mcp")
        .bearer(TOKEN)
        .allow_http()
        .build()
        .unwrap();
    assert_eq!(server.methods(), [""; 0]);
}

#[test]
fn credentials_renew_themselves_once_after_a_401() {
    let server = Server::stateless(|seen| match seen.header("authorization") {
        Some("Bearer token-2-0123456789") => Reply::json(seen.result(text("done"))),
        _ => Reply::status(401, ""),
    });
    let asked = AtomicUsize::new(0);
    let source = TokenSource::new(move || {
        let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(Token::new(format!("token-{number}-0123456789"))) }
    });
    let client = server.builder().credentials(source);
    let client = client.protocol_version("2026-07-28").build().unwrap();
    let result = block_on(client.call_tool("search", json!({}))).unwrap();
    assert_eq!(result.text(), "done");
}

#[test]
fn a_refused_token_says_what_to_do() {
    let server = Server::new(|_| {
        let challenge = "Bearer resource_metadata=\"https://mcp.example.com/.well-known/x\"";
        Reply::status(401, "").header("www-authenticate", challenge)
    });
    let error = block_on(server.client().connect()).unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::Auth);
    let shown = error.to_string();
    assert!(
        shown.contains("OAuth") && shown.contains(".bearer("),
        "{shown}"
    );
}

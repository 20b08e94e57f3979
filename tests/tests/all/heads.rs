//! The head of a response, if the caller asks for it, and the query of every request.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

// Through the re-exports, because a transport needs no crate except chatcore.
use chatcore::bytes::Bytes;
use chatcore::http::{Request, Response, StatusCode};
use chatcore::{
    ByteStream, ErrorKind, LlmClient, Provider, ResponseHead, Transport, TransportError,
    async_trait,
};
use chatcore_adapters::executor::SmolExecutor;

const KEY: &str = "sk-of-the-client-0123456789";

const CALL_KEY: &str = "token-of-one-call-0123456789";

/// A transport that answers with headers and records the URLs.
#[derive(Default)]
struct Heads {
    status: StatusCode,
    body: String,
    urls: Mutex<Vec<String>>,
}

impl fmt::Debug for Heads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Heads")
    }
}

#[async_trait]
impl Transport for Heads {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        self.urls.lock().unwrap().push(request.uri().to_string());
        let response = Response::builder()
            .status(self.status)
            .header("x-request-id", "req_1")
            .header("x-ratelimit-limit-requests", "500")
            .header("x-ratelimit-remaining-requests", "499")
            .header("x-ratelimit-reset-requests", "120ms")
            .header("x-echo", format!("Bearer {KEY}"))
            .header("x-echo-of-the-call", format!("token {CALL_KEY}"))
            .header("set-cookie", "session=1")
            .body(ByteStream::from_bytes(self.body.clone()));
        Ok(response.unwrap())
    }
}

fn client(status: u16, body: &str) -> (LlmClient, Arc<Heads>) {
    let transport = Arc::new(Heads {
        status: StatusCode::from_u16(status).unwrap(),
        body: body.to_owned(),
        ..Heads::default()
    });
    let provider = Provider::openai_compatible("https://llm.example/v1?tenant=a", "tiny")
        .with_api_key(KEY)
        .with_query("tenant", "b c")
        .with_query("key", "a-secret-of-the-query");
    let client = LlmClient::builder(Arc::new(SmolExecutor::new()), transport.clone())
        .provider(provider)
        .build();
    (client.unwrap(), transport)
}

fn check(head: &ResponseHead, status: u16) {
    assert_eq!(head.status, status);
    assert_eq!(head.headers["x-request-id"], "req_1");
    let requests = head.limits.requests;
    assert_eq!((requests.limit, requests.remaining), (Some(500), Some(499)));
    assert_eq!(requests.reset, Some(Duration::from_millis(120)));
    assert_eq!(head.headers["x-echo"], "Bearer [redacted]");
    let shown = format!("{head:?}");
    assert!(
        !shown.contains("session") && !shown.contains(KEY),
        "{shown}"
    );
}

const WHOLE: &str =
    r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"model":"tiny"}"#;
const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\
                      \"stop\"}]}\n\ndata: [DONE]\n\n";

#[test]
fn an_answer_has_its_head_where_that_is_asked_for() {
    let (client, _) = client(200, WHOLE);
    smol::block_on(async {
        let answer = client.ask("hi").keep_head(true).await.unwrap();
        check(answer.head.as_ref().unwrap(), 200);
        let json = serde_json::to_value(&answer).unwrap();
        assert!(json.get("head").is_none(), "{json}");
        assert_eq!(client.ask("hi").await.unwrap().head, None);
    });
}

#[test]
fn a_secret_in_a_header_of_the_call_is_taken_out_of_the_head() {
    for (status, body) in [(200, WHOLE), (400, "{}")] {
        let (client, _) = client(status, body);
        let call = client
            .ask("hi")
            .keep_head(true)
            .header("x-auth-token", CALL_KEY);
        let head = match smol::block_on(call.into_future()) {
            Ok(answer) => answer.head.map(|head| *head),
            Err(error) => error.head().cloned(),
        };
        assert_eq!(
            head.unwrap().headers["x-echo-of-the-call"],
            "token [redacted]"
        );
    }
}

#[test]
fn a_stream_has_its_head_from_the_first_event_on() {
    let (client, _) = client(200, STREAM);
    smol::block_on(async {
        let mut stream = client.ask("hi").keep_head(true).stream();
        stream.next().await.unwrap().unwrap();
        check(stream.partial().unwrap().head.as_ref().unwrap(), 200);
        let answer = stream.into_response().await.unwrap();
        check(answer.head.as_ref().unwrap(), 200);
    });
}

#[test]
fn an_error_has_the_head_that_came_with_it() {
    let (client, _) = client(400, r#"{"error":{"message":"no"}}"#);
    smol::block_on(async {
        let error = client.ask("hi").keep_head(true).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        check(error.head().unwrap(), 400);
        let error = client.ask("hi").await.unwrap_err();
        assert!(error.head().is_none());
    });
}

#[test]
fn a_query_that_was_set_goes_with_every_request_and_is_shown_nowhere() {
    let (client, transport) = client(400, r#"{"error":{"message":"bad a-secret-of-the-query"}}"#);
    let error = smol::block_on(client.ask("hi").into_future()).unwrap_err();
    let urls = transport.urls.lock().unwrap();
    let expected = "https://llm.example/v1/chat/completions?tenant=b%20c&key=a-secret-of-the-query";
    assert_eq!(*urls, [expected]);
    for shown in [
        format!("{client:#?}"),
        format!("{error:#?}"),
        error.to_string(),
    ] {
        assert!(!shown.contains("a-secret"), "{shown}");
    }
}

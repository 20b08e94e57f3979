//! What each API is sent, and how what it sends is read.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::fill::read_item_id;
use super::*;
use crate::chat::ChatRequest;
use crate::client::LlmClient;
use crate::dialect::Endpoint;
use crate::error::ErrorKind;
use crate::provider::Provider;
use crate::testing::Clockwork;
use crate::transport::{ByteStream, Transport, TransportError, TransportErrorKind};

fn provider(name: &str) -> Provider {
    let provider = match name {
        "openai" => Provider::openai().with_model("gpt-6-luna"),
        "anthropic" => Provider::anthropic().with_model("claude"),
        _ => Provider::gemini().with_model("gemini-3.8-flash"),
    };
    provider.with_api_key("sk-0123456789abcdef")
}

/// Submits two requests in the form of a provider.
fn submission(name: &str, text: &str) -> (Submission, Endpoint) {
    let provider = provider(name);
    let endpoint = provider.endpoint().unwrap();
    let dialect = provider.dialect().batches().unwrap();
    let path = match name {
        "gemini" => "/models/gemini-3.8-flash:generateContent",
        _ => "/chat/completions",
    };
    let mut body = Vec::new();
    dialect.begin(&mut body);
    let item = format!("{{\"text\":\"{text}\"}}");
    dialect.add(&mut body, true, "r-0-1-a", path, &item);
    dialect.add(&mut body, false, "r-0-2-b", path, &item);
    let new = NewBatch::new("r-0", path, 2);
    (dialect.submit(&endpoint, &new, body).unwrap(), endpoint)
}

fn json_of(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}

#[test]
fn openai_uploads_a_file_and_creates_a_batch_from_it() {
    let (submission, endpoint) = submission("openai", "hi");
    let Submission::Upload(request) = submission else {
        panic!("{submission:?}");
    };
    assert_eq!(request.uri(), "https://api.openai.com/v1/files");
    let form = request.headers()["content-type"].to_str().unwrap();
    let boundary = form.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = std::str::from_utf8(request.body()).unwrap();
    let expected = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; \
         filename=\"chatcore.jsonl\"\r\ncontent-type: application/jsonl\r\n\r\n\
         {{\"custom_id\":\"r-0-1-a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\
         \"body\":{{\"text\":\"hi\"}}}}\n\
         {{\"custom_id\":\"r-0-2-b\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\
         \"body\":{{\"text\":\"hi\"}}}}\n\r\n--{boundary}--\r\n"
    );
    assert_eq!(body, expected);
    let provider = provider("openai");
    let dialect = provider.dialect().batches().unwrap();
    let new = NewBatch::new("r-0", "/responses", 2);
    let request = dialect.create(&endpoint, &new, "file-7").unwrap();
    assert_eq!(request.uri(), "https://api.openai.com/v1/batches");
    let expected = json!({
        "input_file_id": "file-7",
        "endpoint": "/v1/responses",
        "completion_window": "24h",
        "metadata": {"chatcore_batch": "r-0"}
    });
    assert_eq!(json_of(&request), expected);
}

#[test]
fn anthropic_takes_the_requests_with_the_creation() {
    let (submission, _) = submission("anthropic", "hi");
    let Submission::Create(request) = submission else {
        panic!("{submission:?}");
    };
    assert_eq!(
        request.uri(),
        "https://api.anthropic.com/v1/messages/batches"
    );
    let expected = json!({"requests": [
        {"custom_id": "r-0-1-a", "params": {"text": "hi"}},
        {"custom_id": "r-0-2-b", "params": {"text": "hi"}}
    ]});
    assert_eq!(json_of(&request), expected);
}

#[test]
fn gemini_takes_small_batches_in_line_and_large_ones_as_files() {
    let host = "https://generativelanguage.googleapis.com";
    let (small, endpoint) = submission("gemini", "hi");
    let Submission::Create(request) = small else {
        panic!("{small:?}");
    };
    let create = format!("{host}/v1beta/models/gemini-3.8-flash:batchGenerateContent");
    assert_eq!(request.uri(), &*create);
    let expected = json!({"batch": {"displayName": "r-0", "inputConfig": {"requests": {"requests": [
        {"metadata": {"key": "r-0-1-a"}, "request": {"text": "hi"}},
        {"metadata": {"key": "r-0-2-b"}, "request": {"text": "hi"}}
    ]}}}});
    assert_eq!(json_of(&request), expected);

    let (large, _) = submission("gemini", &"x".repeat(1 << 20));
    let Submission::Upload(request) = large else {
        panic!("a large batch in line");
    };
    assert_eq!(request.uri(), &*format!("{host}/upload/v1beta/files"));
    assert_eq!(request.headers()["x-goog-upload-protocol"], "multipart");
    let body = std::str::from_utf8(request.body()).unwrap();
    assert_eq!(body.matches("\n{\"key\":\"r-0-").count(), 2);
    let provider = provider("gemini");
    let dialect = provider.dialect().batches().unwrap();
    let new = NewBatch::new("r-0", "/models/gemini-3.8-flash:generateContent", 2);
    let request = dialect.create(&endpoint, &new, "files/7").unwrap();
    assert_eq!(request.uri(), &*create);
    let expected = json!({"batch": {"displayName": "r-0", "inputConfig": {"fileName": "files/7"}}});
    assert_eq!(json_of(&request), expected);
    let download = dialect.results(&endpoint, "files/batch-7").unwrap();
    let expected = format!("{host}/download/v1beta/files/batch-7:download?alt=media");
    assert_eq!(download.uri(), &*expected);
}

#[test]
fn states_that_nobody_knows_are_kept_and_not_an_end() {
    let read = |name: &str, body: Value| {
        let provider = provider(name);
        let dialect = provider.dialect().batches().unwrap();
        dialect.read(&body.to_string()).unwrap()
    };
    let openai = read("openai", json!({"id": "batch_1", "status": "pondering"}));
    let anthropic = read(
        "anthropic",
        json!({"id": "msgbatch_1", "processing_status": "pondering"}),
    );
    let gemini = read(
        "gemini",
        json!({"name": "batches/1", "metadata": {"state": "BATCH_STATE_PONDERING"}}),
    );
    for (batch, word) in [
        (openai, "pondering"),
        (anthropic, "pondering"),
        (gemini, "BATCH_STATE_PONDERING"),
    ] {
        assert_eq!(batch.state, BatchState::Other(word.to_owned()));
        assert!(!batch.state.is_ended());
    }
    // What a batch has not, or has in another type, is no error.
    for body in [
        r#"{"id":"b","request_counts":null,"errors":null,"metadata":null,"output_file_id":null}"#,
        r#"{"id":"b","request_counts":7,"errors":[],"metadata":"x","results_url":null,"more":{}}"#,
    ] {
        for name in ["openai", "anthropic"] {
            let provider = provider(name);
            let batch = provider.dialect().batches().unwrap().read(body).unwrap();
            assert_eq!((batch.id.as_str(), batch.results.len()), ("b", 0));
        }
    }
}

#[test]
fn ids_from_a_server_cannot_leave_their_path() {
    for name in ["openai", "anthropic", "gemini"] {
        let provider = provider(name);
        let endpoint = provider.endpoint().unwrap();
        let dialect = provider.dialect().batches().unwrap();
        for id in [
            "",
            "..",
            "a/b",
            "a?b",
            "batches/..",
            "batches/a/b",
            "files/../x",
            "a b",
        ] {
            assert!(dialect.get(&endpoint, id).is_err(), "{name} {id}");
            assert!(dialect.cancel(&endpoint, id).is_err(), "{name} {id}");
            assert!(dialect.results(&endpoint, id).is_err(), "{name} {id}");
        }
    }
    let provider = provider("anthropic");
    let endpoint = provider.endpoint().unwrap();
    let dialect = provider.dialect().batches().unwrap();
    let own = "https://api.anthropic.com/v1/messages/batches/b/results";
    assert!(dialect.results(&endpoint, own).is_ok());
    for other in [
        "https://api.anthropic.com.evil.example/v1/messages/batches/b/results",
        "http://api.anthropic.com/v1/messages/batches/b/results",
        "https://api.anthropic.com:8443/x",
        "https://evil.example/https://api.anthropic.com/",
        "//evil.example/x",
    ] {
        let error = dialect.results(&endpoint, other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{other}");
    }
}

#[test]
fn the_id_of_an_item_comes_back() {
    assert_eq!(
        read_item_id("3f2a9c1b-12-17-00000000000000ab"),
        Some(("3f2a9c1b-12", 17, 0xab))
    );
    for other in ["", "a", "a-b", "a-b-c", "request-1", "x-1-zz", "x--1"] {
        let read = read_item_id(other);
        assert!(read.is_none_or(|(batch, ..)| batch.len() < 2), "{other}");
    }
}

#[test]
fn only_some_errors_leave_open_whether_a_batch_exists() {
    let error = |kind, status: Option<u16>| {
        let error = crate::Error::new(kind, "no");
        match status {
            Some(status) => error.with_status(status.try_into().unwrap()),
            None => error,
        }
    };
    for (kind, status, may_be) in [
        (ErrorKind::Server, Some(500), true),
        (ErrorKind::Overloaded, Some(529), true),
        (ErrorKind::Protocol, Some(200), true),
        (ErrorKind::Truncated, None, true),
        (ErrorKind::Timeout, None, true),
        (ErrorKind::RateLimited, Some(429), false),
        (ErrorKind::BadRequest, Some(400), false),
        (ErrorKind::Auth, Some(401), false),
        (ErrorKind::QueueFull, None, false),
    ] {
        assert_eq!(may_be_created(&error(kind, status)), may_be, "{kind:?}");
    }
    let lost = |kind| may_be_created(&TransportError::new(kind, "lost").into());
    assert!(lost(TransportErrorKind::Reset));
    assert!(!lost(TransportErrorKind::Connect));
}

/// Answers each request with the next body.
#[derive(Debug)]
struct Bodies(std::sync::Mutex<Vec<(u16, &'static str)>>);

#[async_trait::async_trait]
impl Transport for Bodies {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let (status, body) = self.0.lock().unwrap().remove(0);
        let mut response = Response::new(ByteStream::from_bytes(body));
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    }
}

fn batches(
    executor: Arc<dyn crate::Executor>,
    bodies: Vec<(u16, &'static str)>,
) -> ProviderBatches {
    let transport = Arc::new(Bodies(std::sync::Mutex::new(bodies)));
    let client = LlmClient::builder(executor, transport)
        .provider(provider("openai"))
        .build()
        .unwrap();
    client.provider_batches().unwrap()
}

#[test]
fn results_are_read_as_answers_and_a_key_in_them_is_not_shown() {
    let (clockwork, executor) = Clockwork::new();
    let lines = concat!(
        "{\"custom_id\":\"a\",\"response\":{\"status_code\":200,\"request_id\":\"r1\",\"body\":",
        "{\"choices\":[{\"message\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}},\"error\":null}\n",
        "{\"custom_id\":\"b\",\"response\":{\"status_code\":401,\"body\":",
        "{\"error\":{\"message\":\"bad key sk-0123456789abcdef\"}}}}\n",
        "{\"custom_id\":\"c\",\"response\":null,\"error\":{\"code\":\"batch_expired\"}}\n",
        "oops\n",
        "{\"custom_id\":\"d\",\"response\":{\"status_code\":200,\"body\":{\"choices\":[]}}}",
    );
    let batches = batches(executor, vec![(500, "{}"), (200, lines)]);
    clockwork.run(async {
        let mut batch = ProviderBatch::new("b", BatchState::Completed);
        batch.results = vec!["file-1".to_owned()];
        let mut answers = batches.results("/chat/completions", batch);
        let mut next = async || answers.next().await.map(Result::unwrap);
        let BatchOutcome::Ended(Ok(answer)) = next().await.unwrap().outcome else {
            panic!("no answer");
        };
        assert_eq!(
            (&*answer.text(), answer.request_id.as_deref()),
            ("hi", Some("r1"))
        );
        let BatchOutcome::Ended(Err(error)) = next().await.unwrap().outcome else {
            panic!("no error");
        };
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(!format!("{error} {error:#?}").contains("0123456789abcdef"));
        assert!(matches!(
            next().await.unwrap().outcome,
            BatchOutcome::Expired
        ));
        let last = next().await.unwrap();
        assert_eq!(last.id, "d");
        assert!(next().await.is_none());
        assert_eq!(answers.skipped(), 1);
    });
}

#[test]
fn a_request_is_written_as_a_chat_would_be() {
    let (_, executor) = Clockwork::new();
    let batches = batches(executor, Vec::new());
    let item = batches
        .encode(ChatRequest::from("hi").max_tokens(7))
        .unwrap();
    assert_eq!(item.path, "/chat/completions");
    let body: Value = serde_json::from_slice(&item.body).unwrap();
    assert_eq!(body["max_completion_tokens"], 7);
    assert!(body.get("stream").is_none());
    let item = batches.encode(ChatRequest::from("hi").extra("instructions", "be brief"));
    assert_eq!(item.unwrap().path, "/responses");
    let error = batches.encode(ChatRequest::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

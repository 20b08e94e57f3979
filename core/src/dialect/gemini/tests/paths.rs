//! The URLs and headers of requests.

use crate::dialect::gemini::Gemini;
use crate::dialect::{Dialect, Mode};
use crate::error::ErrorKind;
use crate::provider::Provider;

use super::{BASE, endpoint, hi};

fn uri(base: &'static str, model: &str, mode: Mode) -> String {
    let encoded = Gemini::default().encode(&endpoint(base), &hi().model(model), mode);
    encoded.unwrap().uri().to_string()
}

#[test]
fn the_models_name_is_in_the_path() {
    for (base, model, mode, expected) in [
        (
            BASE,
            "gemini-3.8-flash",
            Mode::Whole,
            "/v1beta/models/gemini-3.8-flash:generateContent",
        ),
        (
            BASE,
            "models/gemini-3.8-flash",
            Mode::Stream,
            "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
        ),
        (
            BASE,
            "tunedModels/my-own",
            Mode::Whole,
            "/v1beta/tunedModels/my-own:generateContent",
        ),
        // No part of a name can escape its path segment.
        (
            BASE,
            "../x:evil?key=1#é",
            Mode::Whole,
            "/v1beta/models/..%2Fx%3Aevil%3Fkey%3D1%23%C3%A9:generateContent",
        ),
        (
            "https://generativelanguage.googleapis.com",
            "g",
            Mode::Whole,
            "/v1beta/models/g:generateContent",
        ),
        (
            "https://proxy.example/gemini/v1?tenant=a",
            "g",
            Mode::Stream,
            "/gemini/v1/models/g:streamGenerateContent?alt=sse&tenant=a",
        ),
    ] {
        let uri = uri(base, model, mode);
        assert!(uri.ends_with(expected), "{model}: {uri}");
    }
    for model in [" ", "models/", "..", "models/."] {
        let request = hi().model(model);
        let error = Gemini::default().encode(&endpoint(BASE), &request, Mode::Whole);
        assert_eq!(
            error.unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{model}"
        );
    }
}

#[test]
fn the_key_goes_in_a_header_of_its_own() {
    let endpoint = Provider::gemini()
        .with_api_key("AIza-test")
        .endpoint()
        .unwrap();
    let encoded = Gemini::default()
        .encode(&endpoint, &hi(), Mode::Whole)
        .unwrap();
    assert_eq!(encoded.headers()["x-goog-api-key"], "AIza-test");
    assert!(!encoded.headers().contains_key("authorization"));
    assert!(encoded.uri().query().is_none());
}

#[test]
fn vertex_has_a_project_a_place_and_a_token() {
    for (location, host) in [
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ] {
        let vertex = Provider::vertex("my-project", location, "gemini-3.8-flash");
        let vertex = vertex.with_api_key("ya29.token");
        let endpoint = vertex.endpoint().unwrap();
        let encoded = vertex
            .dialect()
            .encode(&endpoint, &hi(), Mode::Stream)
            .unwrap();
        let expected = format!(
            "https://{host}/v1/projects/my-project/locations/{location}/publishers/google/models/\
             gemini-3.8-flash:streamGenerateContent?alt=sse"
        );
        assert_eq!(encoded.uri().to_string(), expected);
        assert_eq!(encoded.headers()["authorization"], "Bearer ya29.token");
        assert!(!encoded.headers().contains_key("x-goog-api-key"));
        assert!(vertex.dialect().models().is_none());
    }
    // Without a token the error says what to do.
    let error = Provider::vertex("p", "global", "g").endpoint().unwrap_err();
    assert_eq!(error.code(), Some("missing_api_key"));
    // The name of a project or location cannot change the host.
    let error = Provider::vertex("p", "evil.example/", "g").with_api_key("t");
    let error = error.endpoint().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

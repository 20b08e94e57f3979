//! Compares signatures with those that AWS publishes: in its test suite for Signature Version 4, as
//! far as an HTTP library can send the requests, and in its documentation.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, UNIX_EPOCH};

use futures_lite::future::block_on;
use http::Method;

use super::*;

/// 2015-08-30T12:36:00Z, the time of the whole suite.
const MOMENT: u64 = 1_440_938_160;
const ACCESS_KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// One request of the suite, with what it signs and the expected signature.
struct Case {
    name: &'static str,
    method: Method,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    signed: &'static str,
    signature: &'static str,
}

const GET: Case = Case {
    name: "get-vanilla",
    method: Method::GET,
    path: "/",
    headers: &[],
    body: "",
    signed: "host;x-amz-date",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
};

const POST: Case = Case {
    name: "post-vanilla",
    method: Method::POST,
    signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ..GET
};

const CASES: &[Case] = &[
    GET,
    POST,
    Case {
        name: "get-vanilla-query-order-key-case",
        path: "/?Param2=value2&Param1=value1",
        signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ..GET
    },
    Case {
        name: "get-vanilla-query-order-encoded",
        path: "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ..GET
    },
    Case {
        name: "get-vanilla-query-unreserved",
        path: "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\
               =-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ..GET
    },
    Case {
        name: "get-vanilla-utf8-query",
        path: "/?ሴ=bar",
        signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ..GET
    },
    Case {
        name: "get-utf8",
        path: "/ሴ",
        signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ..GET
    },
    Case {
        name: "get-unreserved",
        path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ..GET
    },
    Case {
        name: "get-header-key-duplicate",
        headers: &[
            ("my-header1", "value2"),
            ("my-header1", "value2"),
            ("my-header1", "value1"),
        ],
        signed: "host;my-header1;x-amz-date",
        signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ..GET
    },
    Case {
        name: "get-header-value-trim",
        headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
        signed: "host;my-header1;my-header2;x-amz-date",
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ..GET
    },
    Case {
        name: "post-header-key-sort",
        headers: &[("my-header1", "value1")],
        signed: "host;my-header1;x-amz-date",
        signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ..POST
    },
    Case {
        name: "post-header-value-case",
        headers: &[("my-header1", "VALUE1")],
        signed: "host;my-header1;x-amz-date",
        signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ..POST
    },
    Case {
        name: "post-x-www-form-urlencoded",
        headers: &[
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", "13"),
            ("x-amz-content-sha256", HASH_OF_FORM),
        ],
        body: "Param1=value1",
        signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ..POST
    },
    Case {
        name: "post-x-www-form-urlencoded, as it was first published",
        headers: &[("content-type", "application/x-www-form-urlencoded")],
        body: "Param1=value1",
        signed: "content-type;host;x-amz-date",
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ..POST
    },
    Case {
        name: "headers that a proxy may change are not signed",
        headers: &[
            ("user-agent", "chatcore"),
            ("accept-encoding", "gzip"),
            ("authorization", "Bearer of-something-else"),
        ],
        ..GET
    },
];

/// The hash of the body `Param1=value1`.
const HASH_OF_FORM: &str = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";

fn keys() -> SigV4 {
    let clock = || UNIX_EPOCH + Duration::from_secs(MOMENT);
    SigV4::new(ACCESS_KEY, SECRET, "us-east-1", "service").clock(clock)
}

fn request(case: &Case) -> Request<Bytes> {
    let mut request = Request::builder()
        .method(case.method.clone())
        .uri(format!("https://example.amazonaws.com{}", case.path));
    for (name, value) in case.headers {
        request = request.header(*name, *value);
    }
    request
        .body(Bytes::from_static(case.body.as_bytes()))
        .unwrap()
}

fn authorization(request: &Request<Bytes>) -> &str {
    let value = &request.headers()[AUTHORIZATION];
    assert!(value.is_sensitive());
    value.to_str().unwrap()
}

fn expected(signed: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders={signed}, Signature={signature}"
    )
}

#[test]
fn the_suite_is_signed_as_published() {
    for case in CASES {
        let mut request = request(case);
        keys().sign(&mut request).unwrap();
        let expected = expected(case.signed, case.signature);
        assert_eq!(authorization(&request), expected, "{}", case.name);
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
    }
}

#[test]
fn paths_are_normalized_as_published() {
    let root = GET.signature;
    let example = "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5";
    for (path, signature) in [
        ("//", root),
        ("/./", root),
        ("/example/..", root),
        ("/example1/example2/../..", root),
        ("/./example", example),
        ("/a/../example", example),
        (
            "//example//",
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
    ] {
        let mut request = request(&Case { path, ..GET });
        keys().sign(&mut request).unwrap();
        assert_eq!(
            authorization(&request),
            expected(GET.signed, signature),
            "{path}"
        );
    }
}

#[test]
fn a_session_token_is_sent_and_signed() {
    // get-vanilla-with-session-token
    let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    let mut request = request(&GET);
    keys().session_token(token).sign(&mut request).unwrap();
    let signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8";
    let signed = "host;x-amz-date;x-amz-security-token";
    assert_eq!(authorization(&request), expected(signed, signature));
    assert_eq!(request.headers()["x-amz-security-token"], token);
    assert!(request.headers()["x-amz-security-token"].is_sensitive());
    // Signing again, as for another attempt, leaves no trace of the first signature.
    keys().sign(&mut request).unwrap();
    assert_eq!(authorization(&request), expected(GET.signed, GET.signature));
    assert!(!request.headers().contains_key("x-amz-security-token"));
}

#[test]
fn the_example_of_the_documentation_is_signed_as_published() {
    // "Create a signed AWS API request" of the IAM user guide.
    let mut request =
        Request::get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            )
            .body(Bytes::new())
            .unwrap();
    let clock = || UNIX_EPOCH + Duration::from_secs(MOMENT);
    let keys = SigV4::new(ACCESS_KEY, SECRET, "us-east-1", "iam").clock(clock);
    keys.sign(&mut request).unwrap();
    assert_eq!(
        authorization(&request),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

/// The colon in a Bedrock model's name is encoded once more, whether it is sent as is or encoded.
#[test]
fn a_path_is_encoded_once_more_than_it_is_sent() {
    for (path, canonical) in [
        (
            "/model/nova-lite-v1:0/invoke",
            "/model/nova-lite-v1%3A0/invoke",
        ),
        (
            "/model/nova-lite-v1%3A0/invoke",
            "/model/nova-lite-v1%253A0/invoke",
        ),
    ] {
        let request = request(&Case { path, ..POST });
        let text = String::from_utf8(Canonical::of(&request).unwrap().text).unwrap();
        assert_eq!(text.lines().nth(1), Some(canonical));
    }
}

#[test]
fn what_surrounds_the_keys_is_left_out_and_what_is_wrong_in_them_is_told() {
    let clock = || UNIX_EPOCH + Duration::from_secs(MOMENT);
    let secret = format!(" {SECRET}\r\n");
    let keys = SigV4::new("AKIDEXAMPLE\n", secret, " us-east-1", "service ").clock(clock);
    let mut signed = request(&GET);
    keys.sign(&mut signed).unwrap();
    assert_eq!(authorization(&signed), expected(GET.signed, GET.signature));

    for (keys, what) in [
        (SigV4::new("", SECRET, "r", "s"), "access key"),
        (SigV4::new("A KID", SECRET, "r", "s"), "access key"),
        (SigV4::new("AKID", "wJalr XUtn", "r", "s"), "secret"),
        (SigV4::new("AKID", SECRET, "", "s"), "region"),
        (SigV4::new("AKID", SECRET, "r", "sérvice"), "service"),
        (
            SigV4::new("AKID", SECRET, "r", "s").session_token("to\nken"),
            "session token",
        ),
    ] {
        let error = keys.sign(&mut request(&GET)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(what), "{error}");
        assert!(!error.to_string().contains("wJalr"), "{error}");
    }
}

#[test]
fn its_secrets_do_not_show() {
    let keys = keys().session_token("a-session-token");
    let shown = format!("{keys:?}");
    assert!(shown.contains(ACCESS_KEY), "{shown}");
    assert!(
        !shown.contains("wJalr") && !shown.contains("a-session"),
        "{shown}"
    );
    let mut text = format!("the key {SECRET} with x-amz-security-token:a-session-token is wrong");
    keys.redact(&mut text);
    assert_eq!(
        text,
        "the key [redacted] with x-amz-security-token:[redacted] is wrong"
    );
}

#[test]
fn each_attempt_is_signed_at_its_own_time() {
    let attempts = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&attempts);
    let clock = move || UNIX_EPOCH + Duration::from_secs(MOMENT + counted.load(Relaxed));
    let keys = keys().clock(clock);
    let mut request = request(&GET);
    let mut signed = Vec::new();
    for (attempt, time) in [(1, "20150830T123601Z"), (2, "20150830T123602Z")] {
        attempts.store(attempt.into(), Relaxed);
        block_on(keys.authorize(&mut request, attempt)).unwrap();
        assert_eq!(request.headers()["x-amz-date"], time);
        assert_eq!(request.headers().get_all(AUTHORIZATION).iter().count(), 1);
        signed.push(authorization(&request).to_owned());
    }
    assert_ne!(signed[0], signed[1]);
}

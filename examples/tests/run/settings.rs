//! Settings that are wrong, and keys that must not be shown.

use std::io::Write;
use std::net::TcpListener;

use super::{KEY, MIGRATION, QUICKSTART, assert_in_order, printed, read_head, run, text};

#[test]
fn a_bad_setting_is_one_line_that_names_it() {
    for program in [QUICKSTART, MIGRATION] {
        let output = run(
            program,
            &[("LLM_ASYNC_WORKERS", "many"), ("LLM_API_KEY", KEY)],
        );
        assert_eq!(output.status.code(), Some(2));
        let errors = text(&output.stderr);
        assert_eq!(errors.lines().count(), 1, "{errors}");
        for part in [
            "error: ",
            "LLM_ASYNC_WORKERS",
            "\"many\"",
            "a whole number of at least 1",
        ] {
            assert!(errors.contains(part), "{errors}");
        }
        assert!(!errors.contains(KEY), "{errors}");
    }
}

#[test]
fn no_other_model_answers_for_a_provider_that_was_named() {
    for (vars, told) in [
        (
            [("LLM_PROVIDER", "gemini"), ("OPENAI_API_KEY", KEY)],
            "no API key for gemini: set GEMINI_API_KEY",
        ),
        (
            [
                ("LLM_BASE_URL", "https://api.deepseek.com/v1"),
                ("LLM_MODEL", "m"),
            ],
            "no API key for deepseek: set DEEPSEEK_API_KEY",
        ),
    ] {
        let output = run(QUICKSTART, &vars);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stdout), "");
        let errors = text(&output.stderr);
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn a_key_of_another_provider_is_pointed_to() {
    let printed = printed(
        QUICKSTART,
        &[("OPENAI_API_KEY", KEY), ("LLM_PROVIDER", " ")],
    );
    let told = "answers. OPENAI_API_KEY is set: LLM_PROVIDER=openai uses it.";
    assert_in_order(&printed, &[told, "One chat"]);
    assert!(!printed.contains(KEY), "{printed}");
}

#[test]
fn a_key_that_cannot_be_sent_is_not_shown() {
    let output = run(QUICKSTART, &[("LLM_API_KEY", "sk-never-shown\n0123")]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("line break"), "{errors}");
    assert!(!errors.contains("never-shown"), "{errors}");
}

/// The server repeats the key that it was sent.
#[test]
fn a_key_that_comes_back_is_not_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let head = read_head(&mut socket).unwrap();
        let body = format!(
            r#"{{"error":{{"message":"no such key: {KEY}","type":"auth","code":"{KEY}"}}}}"#
        );
        write!(
            socket,
            "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nx-request-id: {KEY}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        head
    });
    let vars = [
        ("LLM_API_KEY", KEY),
        ("LLM_BASE_URL", base_url.as_str()),
        ("LLM_MODEL", "tiny"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let output = run(QUICKSTART, &vars);
    let head = server.join().unwrap();
    assert!(head.contains(KEY), "the key was not sent at all: {head}");
    assert_eq!(output.status.code(), Some(1));
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(errors.contains("401"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        !printed.contains(KEY) && !errors.contains(KEY),
        "{printed}{errors}"
    );
}
